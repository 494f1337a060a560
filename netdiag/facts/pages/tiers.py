"""Pages in which a tier says what is wrong with the one behind it: still the vendor's side, and which tier (7.6)."""

from netdiag.facts.pages.row import Row

_CLOUDFLARE = "Cloudflare docs, Cloudflare 5xx errors"
_KONG = "Kong, kong/error_handlers and balancer strings"
_HAPROXY = "HAProxy, src/http.c"
_ALB = "AWS ELB docs, troubleshoot your Application Load Balancers"
_ENVOY = "Envoy docs, response flags"
_CF = (("server", "cloudflare"),)
_ELB = (("server", "awselb"),)

TIERS = (
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(520,),
        says="the origin's answer was empty, broken or too large",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(521,),
        says="the origin refused the connection",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(522,),
        says="the origin did not answer the connection in time",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(523,),
        says="there is no route to the origin",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(524,),
        says="the origin accepted the connection and did not answer in time",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(525,),
        says="the TLS handshake with the origin failed",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", headers=_CF, statuses=(526,),
        says="the origin's certificate is not valid",
    ),
    Row(
        "Cloudflare", "origin", _CLOUDFLARE, "2026-11", body=("<center>cloudflare</center>",), statuses=(502, 504),
        says="the origin could not be reached", note="A page that bears the customer's brand was sent by the origin.",
    ),
    Row(
        "CloudFront", "origin", "AWS CloudFront developer guide, HTTP 502, 503, 504", "2026-11",
        body=("(cloudfront)", "the request could not be satisfied."), statuses=(500, 502, 503, 504),
        says="the origin could not be reached or gave no valid answer",
    ),
    Row(
        "CloudFront", "origin", "AWS CloudFront developer guide, HTTP 403", "2026-11", statuses=(403,),
        body=("bad request.", "(cloudfront)"), says="the name is not set up there",
        note="An alternate domain name that is missing: no block.",
    ),
    Row(
        "Akamai", "origin", "wafw00f, plugins; Akamai community", "2026-01",
        body=("an error occurred while processing your request.", "reference #"), statuses=(500, 502, 503, 504),
        says="the origin could not be reached or gave no valid answer",
    ),
    Row(
        "Akamai", "origin", "Akamai community", "2026-01", body=("reference #",), headers=(("server", "akamaighost"),),
        statuses=(502, 503, 504),
    ),
    Row(
        "Fastly", "origin", "Fastly docs, Fastly-generated errors", "2026-11", body=("fastly error: unknown domain",),
        alone=True, says="the name is not set up there",
    ),
    Row(
        "Fastly", "origin", "Fastly docs, Fastly-generated errors", "2026-11", body=("first byte timeout",),
        headers=(("x-served-by", "cache-"),), says="the origin did not answer in time",
    ),
    Row(
        "Fastly", "origin", "Fastly docs, Fastly-generated errors", "2026-11", body=("backend read error",),
        headers=(("x-served-by", "cache-"),), says="the origin broke off its answer",
    ),
    Row(
        "Fastly", "origin", "Fastly docs, Fastly-generated errors", "2026-11", body=("connection timed out",),
        headers=(("x-served-by", "cache-"),), statuses=(503,), says="the origin did not answer the connection",
    ),
    Row(
        "Varnish", "origin", "Varnish, builtin.vcl", "2026-11", body=("guru meditation", "backend fetch failed"),
        says="no answer could be fetched from the origin",
    ),
    Row(
        "Fastly", "origin", "Fastly docs, Fastly-generated errors", "2026-11",
        body=("guru mediation:", "details: cache-"), says="the origin failed", note="The spelling is Fastly's own.",
    ),
    Row("Varnish", "origin", "Varnish, builtin.vcl", "2026-11", body=("guru meditation", "xid:")),
    Row(
        "Envoy", "origin", _ENVOY, "2026-11", body=("no healthy upstream",), statuses=(503,),
        says="no server behind it is healthy",
    ),
    Row(
        "Envoy", "origin", _ENVOY, "2026-11", body=("upstream connect error or disconnect/reset before headers",),
        alone=True, says="the server behind it could not be reached or broke off",
        note="reset reason: overflow is its own circuit breaker.",
    ),
    Row(
        "Envoy", "origin", _ENVOY, "2026-11", body=("upstream request timeout",), statuses=(504,),
        says="the server behind it did not answer in time",
    ),
    Row(
        "Envoy", "origin", "Envoy docs, overload manager", "2026-11", headers=(("x-envoy-overloaded", ""),),
        statuses=(503,), says="it sheds load", note="For everyone: no limit of one address.",
    ),
    Row(
        "HAProxy", "origin", _HAPROXY, "2026-11",
        body=("<h1>502 bad gateway</h1>", "the server returned an invalid or incomplete response."),
        says="the server behind it gave no valid answer",
    ),
    Row(
        "HAProxy", "origin", _HAPROXY, "2026-11",
        body=("<h1>503 service unavailable</h1>", "no server is available to handle this request."),
        says="no server behind it is up", note="A rule that denies with 503 sends the same page.",
    ),
    Row(
        "HAProxy", "origin", _HAPROXY, "2026-11",
        body=("<h1>504 gateway time-out</h1>", "the server didn't respond in time."),
        says="the server behind it did not answer in time",
    ),
    Row(
        "Kong", "origin", _KONG, "2026-11", body=("an invalid response was received from the upstream server",),
        alone=True, says="the server behind it gave no valid answer",
    ),
    Row(
        "Kong", "origin", _KONG, "2026-11", body=("the upstream server is currently unavailable",), alone=True,
        says="the server behind it is unavailable",
    ),
    Row(
        "Kong", "origin", _KONG, "2026-11", body=("failure to get a peer from the ring-balancer",), alone=True,
        says="no server behind it is healthy",
    ),
    Row(
        "Kong", "origin", _KONG, "2026-11", body=("the upstream server is timing out",), alone=True,
        says="the server behind it did not answer in time",
    ),
    Row("AWS ELB", "origin", _ALB, "2026-11", headers=_ELB, statuses=(502,), says="its target gave no valid answer"),
    Row("AWS ELB", "origin", _ALB, "2026-11", headers=_ELB, statuses=(503,), says="it has no target"),
    Row("AWS ELB", "origin", _ALB, "2026-11", headers=_ELB, statuses=(504,), says="its target did not answer in time"),
    Row(
        "AWS ELB", "origin", _ALB, "2026-11", headers=_ELB, statuses=(463,),
        says="X-Forwarded-For had more than 30 addresses",
    ),
    Row(
        "AWS ELB", "origin", _ALB, "2026-11", headers=_ELB, statuses=(464,),
        says="its target speaks another protocol version",
    ),
    Row(
        "AWS ELB", "origin", _ALB, "2026-11", headers=_ELB, statuses=(561,),
        says="the log-in service that it asks failed",
    ),
    Row(
        "Azure Application Gateway", "origin", "Azure Application Gateway docs, 502 errors", "2026-11",
        body=("microsoft-azure-application-gateway",), statuses=(502, 504),
        says="the server behind it could not be reached",
    ),
    Row(
        "Azure Front Door", "origin", "Azure Front Door docs, monitoring (X-Azure-ExternalError)", "2026-11",
        headers=(("x-azure-externalerror", ""),), statuses=(502, 503, 504), says="the origin failed",
    ),
    Row(
        "Azure Front Door", "origin", "Azure Front Door docs, troubleshooting", "2026-11",
        body=("our services aren't available right now",), headers=(("x-azure-ref", ""),),
        says="the origin failed, or the name is not set up there",
    ),
    Row(
        "Traefik", "origin", "Traefik, pkg/proxy (status text alone)", "2026-11", body=("no available server",),
        statuses=(503,), says="no server behind it is healthy",
    ),
    Row(
        "nginx", "origin", "nginx, ngx_http_special_response.c", "2026-11", body=("<center>nginx", "502 bad gateway"),
        says="the server behind it refused, broke off or gave no valid answer",
    ),
    Row(
        "nginx", "origin", "nginx, ngx_http_special_response.c", "2026-11",
        body=("<center>nginx", "504 gateway time-out"), says="the server behind it did not answer in time",
        note="The spelling is nginx's own.",
    ),
)  # fmt: skip
