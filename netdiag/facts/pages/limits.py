"""Pages that say: too many requests. The status alone never does (429 may be a challenge, 503 an outage)."""

from netdiag.facts.pages.row import Row

LIMITS = (
    Row(
        "HAProxy", "limit", "HAProxy, src/http.c", "2026-11",
        body=("<h1>429 too many requests</h1>", "you have sent too many requests in a given amount of time."),
    ),
    Row(
        "GitHub", "limit", "GitHub REST docs, Rate limits", "2026-11", body=("api rate limit exceeded for",),
        alone=True, note="Status 403 or 429: no refusal of the login.",
    ),
    Row(
        "GitHub", "limit", "GitHub REST docs, Rate limits", "2026-11",
        body=("you have exceeded a secondary rate limit",), alone=True,
    ),
    Row(
        "Kong", "limit", "Kong, plugins/rate-limiting", "2026-11", body=("api rate limit exceeded",), alone=True,
        note="The status is configurable.",
    ),
    Row(
        "Envoy", "limit", "Envoy docs, local and global rate limit filters", "2026-11",
        headers=(("x-envoy-ratelimited", ""),), alone=True,
    ),
    Row(
        "Envoy", "limit", "Envoy docs, local rate limit sandbox", "2026-11", body=("local_rate_limited",),
        statuses=(429,), note="The bucket is one process's: replicas differ.",
    ),
    Row(
        "Traefik", "limit", "Traefik, middlewares/ratelimiter", "2026-11", body=("no bursty traffic allowed",),
        alone=True,
    ),
    Row(
        "Traefik", "limit", "Traefik, middlewares/ratelimiter", "2026-11", headers=(("x-retry-in", ""),),
        statuses=(429,),
    ),
    Row(
        "AWS API Gateway", "limit", "AWS API Gateway docs, gateway response types (THROTTLED)", "2026-11",
        body=("too many requests",), headers=(("x-amzn-errortype", "toomanyrequestsexception"),),
    ),
    Row(
        "AWS API Gateway", "limit", "AWS API Gateway docs, gateway response types (QUOTA_EXCEEDED)", "2026-11",
        body=("limit exceeded",), headers=(("x-amzn-errortype", "limitexceededexception"),),
        note="A quota of the API key, which counts whoever uses it.",
    ),
    Row(
        "AWS API Gateway", "limit", "AWS API Gateway docs", "2026-11", body=("limit exceeded",),
        headers=(("x-amzn-requestid", ""),), statuses=(429,),
    ),
    Row(
        "AWS API Gateway", "limit", "AWS API Gateway docs", "2026-11", body=("too many requests",),
        headers=(("x-amzn-requestid", ""),), statuses=(429,),
    ),
    Row(
        "Azure Front Door", "limit", "Azure Front Door docs, rate limiting", "2026-11",
        body=("the request is blocked.",), headers=(("x-azure-ref", ""),), statuses=(429,),
        note="The words of its block, with another status.",
    ),
    Row(
        "IETF problem type", "limit", "draft-ietf-httpapi-ratelimit-headers, problem types", "2025-09",
        body=("http-problem-types#quota-exceeded",), alone=True,
    ),
    Row(
        "IETF problem type", "limit", "draft-ietf-httpapi-ratelimit-headers, problem types", "2025-09",
        body=("http-problem-types#abnormal-usage-detected",), alone=True,
    ),
)  # fmt: skip
