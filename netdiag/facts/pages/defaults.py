"""Default pages of servers. They say who answered; the cause may be a rule on the address, a limit, the site's own
setting or a fault: nginx's page for ``limit_req`` is byte for byte its page for an outage (7.3), and mod_evasive's is
Apache's own 403."""

from netdiag.facts.pages.row import Row

_NGINX = "nginx, ngx_http_special_response.c"
_APACHE = "Apache httpd, modules/http/http_protocol.c"

DEFAULTS = (
    Row(
        "AWS ELB", "bare", "wafw00f, plugins (idea of the signal)", "2024",
        body=("<center><h1>403 forbidden</h1></center>",), headers=(("server", "awselb"),),
        note="AWS WAF's block, or a fixed response of the balancer.",
    ),
    Row(
        "AWS API Gateway", "bare", "AWS API Gateway docs, gateway response types", "2026-11",
        body=('"message":"forbidden"',), headers=(("x-amzn-errortype", "forbiddenexception"),),
        note="A missing API key, a resource policy or AWS WAF (WAF_FILTERED).",
    ),
    Row(
        "Google Cloud", "bare", "Google Cloud Armor docs; Google load balancing docs", "2026-11",
        body=("<title>403</title>403 forbidden",), headers=(("via", "1.1 google"),), statuses=(403,),
        note="Via is on every reply; Cloud Armor's denial and a back end's look the same.",
    ),
    Row(
        "Google Cloud", "bare", "firebase/flutterfire#10252, google/googletest#4074 (recorded pages)", "2023-01-11",
        body=("your client does not have permission to get url", "error 403 (forbidden)!!1"),
        note="A missing login (Cloud Run), or the address.",
    ),
    Row(
        "Envoy", "bare", "Envoy docs, RBAC filter", "2026-11", body=("rbac: access denied",), statuses=(403,),
        note="A rule on the address, or on the login.",
    ),
    Row(
        "HAProxy", "bare", "HAProxy, src/http.c", "2026-11",
        body=("<h1>403 forbidden</h1>", "request forbidden by administrative rules."),
        note="http-request deny, on whatever it looks at.",
    ),
    Row(
        "HAProxy", "bare", "HAProxy, src/http.c", "2026-11",
        body=("<html><body><h1>500 internal server error</h1>", "an internal server error occu"), statuses=(500,),
        note="Its tarpit, after an exact delay; or its own error.",
    ),
    Row(
        "HAProxy", "bare", "HAProxy, src/http.c", "2026-11",
        body=("<h1>408 request time-out</h1>", "your browser didn't send a complete request in time."), statuses=(408,),
    ),
    Row("nginx", "bare", _NGINX, "2026-11", body=("<center>nginx", "</h1></center>")),
    Row("OpenResty", "bare", _NGINX, "2026-11", body=("<center>openresty", "</h1></center>")),
    Row(
        "Cloudflare", "bare", "Cloudflare docs, Cloudflare 5xx errors", "2026-11",
        body=("<center>cloudflare</center>", "</h1></center>"),
    ),
    Row(
        "Cloudflare", "bare", "fault-signatures 7.5", "2026-11",
        headers=(("cf-error-type", ""), ("server", "cloudflare")), note="Made by Cloudflare itself, not by the origin.",
    ),
    Row(
        "Apache", "bare", _APACHE, "2026-11", body=("you don't have permission to access", "<h1>forbidden</h1>"),
        note="Require, mod_evasive and file permissions send the same.",
    ),
    Row(
        "Apache", "bare", _APACHE, "2026-11",
        body=("the server encountered an internal error or misconfiguration", "500 internal server error"),
        note="mod_qos limits with it; a crash of the application, too.",
    ),
    Row(
        "Apache", "bare", _APACHE, "2026-11",
        body=(
            "the server is temporarily unable to service your request due to maintenance downtime or capacity problems",
        ),
        alone=True,
    ),
    Row(
        "IIS", "bare", "IIS, default error page (not read again)", "2026-11",
        body=("403 - forbidden: access is denied.",), alone=True,
        note="IP restrictions and missing rights send the same.",
    ),
    Row(
        "LiteSpeed", "bare", "wafw00f, plugins (idea of the signal)", "2026-01",
        body=("proudly powered by litespeed web server",), alone=True,
    ),
    Row(
        "Barracuda", "bare", "wafw00f, plugins (idea of the signal)", "2026-01", body=("barracuda networks", "blocked"),
        statuses=(403,), note="Its web filter near the customer, or its firewall at the vendor.",
    ),
)  # fmt: skip
