"""The response headers that may be recorded. All others are dropped, whatever they hold."""

from netdiag.evidence.urls import clean_url
from netdiag.evidence.web import Header

MAX_VALUE = 512
"""Characters kept of one value: every header below is far shorter where it is genuine."""

KEPT: dict[str, str] = {
    "server": "names the product that answered",
    "date": "shows the clock of the two ends",
    "age": "shows an answer from a cache",
    "content-type": "tells an API's answer from a page in between",
    "content-length": "shows a body cut short",
    "transfer-encoding": "shows a body cut short",
    "connection": "shows who closes",
    "location": "shows where a portal or login sends; cleaned like every URL",
    "retry-after": "how long a limit or an outage lasts, by its own word",
    "x-retry-in": "how long a limit lasts, by its own word (Traefik)",
    "allow": "explains a 405",
    "www-authenticate": "which login a 401 wants; the scheme alone",
    "proxy-authenticate": "which login a proxy wants; the scheme alone",
    "via": "names the proxies in between",
    "alt-svc": "offers HTTP/3",
    "strict-transport-security": "explains an upgrade to HTTPS",
    "proxy-status": "a proxy's own account of an error (RFC 9209)",
    "x-squid-error": "a proxy's own account of an error",
    "x-cache": "cache and CDN: hit, miss, error",
    "x-cache-lookup": "cache and CDN: hit, miss, error",
    "x-served-by": "CDN: which node answered",
    "x-cdn": "CDN: which one",
    "x-timer": "CDN: when it began",
    "x-request-id": "finds this request in the vendor's logs",
    "x-correlation-id": "finds this request in the vendor's logs",
    "request-id": "finds this request in the vendor's logs",
    "x-trace-id": "finds this request in the vendor's logs",
    "x-b3-traceid": "finds this request in the vendor's logs",
    "cf-ray": "Cloudflare: finds this request, and the point of presence",
    "cf-mitigated": "Cloudflare: a challenge was served",
    "cf-cache-status": "Cloudflare: whether the origin was asked",
    "cf-error-type": "Cloudflare: it made the error itself",
    "cf-error-origin": "Cloudflare: it made the error itself",
    "x-amz-cf-id": "CloudFront: finds this request",
    "x-amz-cf-pop": "CloudFront: the point of presence",
    "x-amz-apigw-id": "AWS API Gateway: finds this request",
    "apigw-requestid": "AWS API Gateway: finds this request",
    "x-amz-request-id": "AWS: finds this request",
    "x-amzn-requestid": "AWS: finds this request",
    "x-amzn-errortype": "AWS: why it was refused",
    "x-amzn-trace-id": "AWS: finds this request",
    "x-amzn-waf-action": "AWS WAF: a challenge was served",
    "x-blocked-by-waf": "AWS WAF: a rule refused",
    "x-azure-ref": "Azure Front Door: finds this request",
    "x-msedge-ref": "Azure Front Door: finds this request",
    "x-azure-externalerror": "Azure Front Door: why the origin failed",
    "x-ms-request-id": "Azure: finds this request",
    "akamai-grn": "Akamai: finds this request",
    "akamai-cache-status": "Akamai: whether the origin was asked",
    "x-akamai-request-id": "Akamai: finds this request",
    "x-reference-error": "Akamai: finds this refusal",
    "x-iinfo": "Imperva: finds this request",
    "x-sucuri-id": "Sucuri: finds this request",
    "x-sucuri-block": "Sucuri: which rule refused",
    "x-sucuri-cache": "Sucuri: whether the origin was asked",
    "x-datadome": "DataDome: it was in the way (its client id is a cookie's value, and dropped)",
    "x-dd-b": "DataDome: it refused",
    "x-kpsdk-ct": "Kasada: it was in the way (the value is the client's token: the name alone)",
    "x-vercel-id": "Vercel: finds this request, and the point of presence",
    "x-vercel-mitigated": "Vercel: a challenge or a block was served",
    "x-vercel-error": "Vercel: why the origin failed",
    "x-fastly-request-id": "Fastly: finds this request",
    "x-varnish": "Varnish: finds this request",
    "x-cloud-trace-context": "Google Cloud: finds this request",
    "x-github-request-id": "GitHub: finds this request",
    "fly-request-id": "Fly.io: finds this request",
    "x-nf-request-id": "Netlify: finds this request",
    "grpc-status": "gRPC: 8 is a limit, 14 an outage",
    "x-envoy-ratelimited": "Envoy: its rate limit refused",
    "x-envoy-overloaded": "Envoy: it shed load",
    "x-envoy-upstream-service-time": "Envoy: the origin answered",
}
"""Names in lower case, each with the reason why it helps to find the fault. None of them carries a session."""

KEPT_BY_PREFIX: dict[str, str] = {
    "ratelimit": "limits and what is left of them (draft-ietf-httpapi-ratelimit-headers)",
    "x-ratelimit-": "limits and what is left of them",
    "x-rate-limit-": "limits and what is left of them",
    "x-kong-": "Kong: its limits, its latency and the origin's",
}

_SCHEME_ALONE = frozenset({"www-authenticate", "proxy-authenticate"})

_NAME_ALONE = frozenset({"x-kpsdk-ct"})
"""Headers whose value names a browser or person: that they were sent is kept, with no value."""


def is_kept(name: str) -> bool:
    """Whether a header of this ``name``, in lower case, may be recorded."""
    return name in KEPT or name.startswith(tuple(KEPT_BY_PREFIX))


def clean_header(header: Header) -> Header | None:
    """What may be kept of ``header``: None for nothing. Its value may still hold a secret that the vendor echoed."""
    name = header.name.lower()
    if not is_kept(name):
        return None
    value = header.value
    if name == "location":
        value = clean_url(value)
    elif name in _SCHEME_ALONE:
        value = value.split(maxsplit=1)[0] if value.strip() else ""
    elif name in _NAME_ALONE:
        value = ""
    return Header(name=name, value=value[:MAX_VALUE])
