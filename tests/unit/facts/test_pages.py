"""The table of pages: each row by itself, and genuine pages against all of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.pages import REFUSAL_TEXTS
from netdiag.facts.fingerprints import Page, fingerprint, matches
from netdiag.facts.pages import PAGES, Row
from netdiag.facts.pages.cloudflare import NUMBERS
from netdiag.facts.pages.fronts import FRONTS, fronts

each_row = pytest.mark.parametrize("row", PAGES, ids=lambda row: f"{row.product}-{row.kind}")

EVERY_REPLY = {
    "cf-ray": "8f3b2a1c0d9e4f56-FRA",
    "x-amz-cf-id": "Aa3ZpgWVEOhSsRZVA232fedAdOg25B7BXb3TSLw6jIgsvoqime15vA==",
    "x-amz-cf-pop": "FRA56-P4",
    "x-cache": "Error from cloudfront",
    "via": "1.1 google, 1.1 varnish",
    "x-azure-ref": "0a1b2c",
    "x-served-by": "cache-fra-etou8220130-FRA",
    "x-iinfo": "10-123-123 NNNN CT(0 0 0) RT(1 2)",
    "x-cdn": "Imperva",
    "x-sucuri-id": "18018",
    "x-datadome": "protected",
    "x-kong-response-latency": "1",
    "x-kong-proxy-latency": "2",
    "x-amzn-requestid": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    "akamai-grn": "0.af3c1202.1744611336.e02832",
}
"""Headers that these products put on good answers as well."""
SERVERS = (
    "nginx", "cloudflare", "CloudFront", "AkamaiGHost", "envoy", "awselb/2.0", "kong/3.4.0", "Apache mod_security/2.9",
    "Google Frontend", "Vercel", "Microsoft-IIS/10.0", "Sucuri/Cloudproxy",
)  # fmt: skip


def signals(row: Row) -> int:
    return len(row.body) + len(row.headers) + bool(row.statuses) + bool(row.reason)


def page_of(row: Row) -> tuple[int, dict[str, str], str]:
    """The least answer that has all that the row names."""
    status = row.statuses[0] if row.statuses else 403
    return status, {name: part or "1" for name, part in row.headers}, " ... ".join(row.body)


@each_row
def test_a_row_says_where_it_comes_from_and_when_it_was_seen(row: Row) -> None:
    assert len(row.source) > 5
    assert re.fullmatch(r"20\d\d(-[01]\d(-[0-3]\d)?)?", row.seen)


@each_row
def test_a_row_has_two_signals_or_one_that_no_other_page_has(row: Row) -> None:
    assert signals(row) - bool(row.statuses) >= 1, "a status alone is no signal"
    assert row.alone or signals(row) >= 2


@each_row
def test_texts_are_written_as_they_are_compared(row: Row) -> None:
    for text in (*row.body, *(part for _, part in row.headers), row.reason):
        assert text == " ".join(text.lower().split())
    for name, _ in row.headers:
        assert name == name.lower()


@each_row
def test_a_page_that_has_all_of_it_is_known(row: Row) -> None:
    status, headers, body = page_of(row)
    page = fingerprint(status, headers, body, reason=row.reason)
    assert page is not None
    assert (page.kind, page.refuses) == (row.kind, row.refuses)


@each_row
def test_a_page_that_lacks_a_part_is_not(row: Row) -> None:
    status, headers, body = page_of(row)
    for part in row.body:
        assert not matches(row, status, headers, body.replace(part, ""), row.reason)
    for name in headers:
        assert not matches(row, status, {n: v for n, v in headers.items() if n != name}, body, row.reason)
    if row.statuses:
        assert not matches(row, 418, headers, body, row.reason)
    if row.reason:
        assert not matches(row, status, headers, body, "forbidden")


@each_row
def test_the_headers_of_a_row_on_a_good_answer_are_no_page(row: Row) -> None:
    _, headers, _ = page_of(row)
    if row.body or row.statuses or row.reason:
        assert fingerprint(200, headers, None) is None


CLOUDFLARE_1009 = (
    "<!DOCTYPE html><html><head><title>Access denied | example.com used Cloudflare to restrict access</title></head>"
    '<body><div id="cf-error-details"><h1><span>Error</span> <span class="cf-error-code">1009</span></h1>'
    "<span>Ray ID: 8f3b2a1c0d9e4f56</span></div></body></html>"
)
CLOUDFLARE_BLOCKED = (
    '<!DOCTYPE html><head><title>Attention Required! | Cloudflare</title><div id="cf-error-details">'
    "<h1>Sorry, you have been blocked</h1>"
)
AKAMAI = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \nYou don't have permission "
    'to access "http&#58;&#47;&#47;example&#46;com&#47;" on this server.<P>\n'
    "Reference&#32;&#35;18&#46;ef3a2f17&#46;1619133194&#46;15bcf105\n</BODY>\n</HTML>"
)
CLOUDFRONT = (
    "<TITLE>ERROR: The request could not be satisfied</TITLE><H1>403 ERROR</H1><H2>The request could not be satisfied."
    "</H2>Request blocked.\nWe can't connect to the server for this app or website at this time."
)
CLOUDFRONT_REGION = (
    "<H1>403 ERROR</H1><H2>The request could not be satisfied.</H2>The Amazon CloudFront distribution is configured to "
    "block access from your country.\nWe can't connect to the server for this app or website at this time."
)
F5 = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your "
    "administrator.<br><br>Your support ID is: 11243555349794389926<br><br></body></html>"
)
MODSECURITY = (
    "<head><title>Not Acceptable!</title></head><body><h1>Not Acceptable!</h1><p>An appropriate representation of the "
    "requested resource could not be found on this server. This error was generated by Mod_Security.</p></body>"
)
IMPERVA = (
    '<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"></head><body>'
    '<iframe id="main-iframe" src="/_Incapsula_Resource">Request unsuccessful. Incapsula incident ID: '
    "443000270041371822-113</iframe></body></html>"
)
NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>"
)
HAPROXY = "<html><body><h1>{0}</h1>\n{1}\n</body></html>\n"
DATADOME = (
    '<html><head><title>You have been blocked</title></head><body><p id="cmsg">Please enable JS and disable any ad '
    "blocker</p><script>var dd={'cid':'AHrlqAAAAAMA','hsh':'5350','t':'fe'}</script></body></html>"
)
CF, GHOST, ELB = {"server": "cloudflare", "cf-ray": "8a-FRA"}, {"server": "AkamaiGHost"}, {"server": "awselb/2.0"}

GENUINE = [
    (403, CF, "error code: 1020", Page("Cloudflare", "block", "1020", None, NUMBERS["1020"].says)),
    (403, CF, "error code: 1006", Page("Cloudflare", "block", "1006", "address", NUMBERS["1006"].says)),
    (429, CF, "error code: 1015", Page("Cloudflare", "limit", "1015", None, NUMBERS["1015"].says)),
    (403, CF, CLOUDFLARE_1009, Page("Cloudflare", "block", "1009", "region", NUMBERS["1009"].says)),
    (
        403,
        CF | {"cf-error-type": "1010"},
        "<html>",
        Page("Cloudflare", "block", "1010", "client", NUMBERS["1010"].says),
    ),
    (530, CF, "error code: 1033", Page("Cloudflare", "origin", "1033", None, NUMBERS["1033"].says)),
    (500, CF, "error code: 1101", Page("Cloudflare", "bare", "1101")),
    (
        429,
        CF,
        '{"type":"https://developers.cloudflare.com/","error_code":1015,"cloudflare_error":true}',
        Page("Cloudflare", "limit", "1015", None, NUMBERS["1015"].says),
    ),
    (403, CF, CLOUDFLARE_BLOCKED, Page("Cloudflare", "block")),
    (522, CF, "error code: 522", Page("Cloudflare", "origin", says="the origin did not answer the connection in time")),
    (429, CF | {"cf-mitigated": "challenge"}, "<title>Just a moment...</title>", Page("Cloudflare", "challenge")),
    (403, {"server": "CloudFront"}, CLOUDFRONT, Page("CloudFront", "block")),
    (403, {"server": "CloudFront"}, CLOUDFRONT_REGION, Page("CloudFront", "block", refuses="region")),
    (202, {"x-amzn-waf-action": "challenge"}, None, Page("AWS WAF", "challenge")),
    (405, {"x-amzn-waf-action": "captcha", "server": "CloudFront"}, "<html>", Page("AWS WAF", "challenge")),
    (403, ELB, "<body>\n<center><h1>403 Forbidden</h1></center>\n</body>", Page("AWS ELB", "bare")),
    (
        503,
        ELB,
        "<center><h1>503 Service Temporarily Unavailable</h1></center>",
        Page("AWS ELB", "origin", says="it has no target"),
    ),
    (403, GHOST, AKAMAI, Page("Akamai", "block")),
    (
        403,
        {"x-azure-ref": "0a"},
        "<h2>Our services aren't</h2> The request is blocked.",
        Page("Azure Front Door", "block"),
    ),
    (
        403,
        {},
        "<h1>403 Forbidden</h1><hr><center>Microsoft-Azure-Application-Gateway/v2</center>",
        Page("Azure Application Gateway", "block"),
    ),
    (200, {}, F5, Page("F5 BIG-IP ASM", "block")),
    (406, {"server": "Apache"}, MODSECURITY, Page("ModSecurity", "block")),
    (403, {"x-cdn": "Incapsula"}, IMPERVA, Page("Imperva", "block")),
    (403, {}, "<title>Access Denied - Sucuri Website Firewall</title>", Page("Sucuri", "block")),
    (
        403,
        {"server": "kong/2.8.1"},
        '{"message":"IP address not allowed: 203.0.113.9"}',
        Page("Kong", "block", refuses="address"),
    ),
    (429, {}, '{"message":"API rate limit exceeded"}', Page("Kong", "limit")),
    (
        403,
        {},
        '{"message":"API rate limit exceeded for 203.0.113.9. (But here is the good news"}',
        Page("GitHub", "limit"),
    ),
    (
        503,
        {},
        '{"message":"failure to get a peer from the ring-balancer"}',
        Page("Kong", "origin", says="no server behind it is healthy"),
    ),
    (429, {"x-envoy-ratelimited": "true"}, None, Page("Envoy", "limit")),
    (429, {}, "local_rate_limited", Page("Envoy", "limit")),
    (403, {"server": "envoy"}, "RBAC: access denied", Page("Envoy", "bare")),
    (503, {"server": "envoy"}, "no healthy upstream", Page("Envoy", "origin", says="no server behind it is healthy")),
    (429, {"x-retry-in": "500ms"}, "Too Many Requests", Page("Traefik", "limit")),
    (
        429,
        {"x-amzn-requestid": "1", "x-amzn-errortype": "TooManyRequestsException"},
        '{"message":"Too Many Requests"}',
        Page("AWS API Gateway", "limit"),
    ),
    (403, {"server": "nginx"}, NGINX.format("403 Forbidden"), Page("nginx", "bare")),
    (503, {"server": "nginx"}, NGINX.format("503 Service Temporarily Unavailable"), Page("nginx", "bare")),
    (
        504,
        {"server": "nginx"},
        NGINX.format("504 Gateway Time-out"),
        Page("nginx", "origin", says="the server behind it did not answer in time"),
    ),
    (403, {}, HAPROXY.format("403 Forbidden", "Request forbidden by administrative rules."), Page("HAProxy", "bare")),
    (
        500,
        {},
        HAPROXY.format("500 Internal Server Error", "An internal server error occured."),
        Page("HAProxy", "bare"),
    ),
    (
        429,
        {},
        HAPROXY.format("429 Too Many Requests", "You have sent too many requests in a given amount of time."),
        Page("HAProxy", "limit"),
    ),
    (403, {"x-datadome": "protected"}, DATADOME, Page("DataDome", "challenge")),
    (
        403,
        {},
        DATADOME.replace("'t':'fe'", "'t':'bv'").replace("Please", "please no"),
        Page("DataDome", "block", refuses="address"),
    ),
    (
        429,
        {"x-vercel-mitigated": "challenge", "server": "Vercel"},
        "<title>Vercel Security Checkpoint</title>",
        Page("Vercel", "challenge"),
    ),
    (503, {}, "<title>Your access to this site has been limited</title>", Page("Wordfence", "block")),
    (429, {"x-kpsdk-ct": ""}, "", Page("Kasada", "challenge")),
    (200, {}, '<script src="/.within.website/x/cmd/anubis/static/js/main.mjs">', Page("Anubis", "challenge")),
    (302, {"location": "http://wired.meraki.com:8090/blocked.cgi"}, None, Page("Meraki", "filter")),
    (403, {}, "<title>FortiGuard Intrusion Prevention - Access Blocked</title>", Page("FortiGuard", "filter")),
]


@pytest.mark.parametrize(("status", "headers", "body", "page"), GENUINE)
def test_genuine_pages(status: int, headers: dict[str, str], body: str | None, page: Page) -> None:
    assert fingerprint(status, headers, body) == page


@pytest.mark.parametrize("server", SERVERS)
def test_what_is_on_every_reply_makes_no_page(server: str) -> None:
    headers = EVERY_REPLY | {"server": server}
    for status, body in ((200, None), (301, None), (401, '{"error":"login"}'), (403, '{"error":"access denied"}')):
        assert fingerprint(status, headers, body) is None


def test_what_stands_in_front_is_named_and_accused_of_nothing() -> None:
    named = fronts({name: f"x {part} y" for _, name, part in FRONTS} | {"server": "cloudflare"})
    assert set(named) >= {"Cloudflare", "CloudFront", "Akamai", "Fastly", "Imperva", "Azure Front Door"}
    assert fronts({"server": "nginx", "date": "now"}) == ()


@pytest.mark.parametrize(
    "body",
    [
        '{"error":"error code: 1005, unknown order"}',
        '{"code":1020,"message":"forbidden"}',
        "<html><body>Error code: 1015 in order 7</body></html>",
        "see error code: 1020",
    ],
)
def test_an_applications_own_numbers_are_not_cloudflares(body: str) -> None:
    assert fingerprint(403, CF, body) is None
    assert fingerprint(403, {}, "error code: 1020") is None


WORDS = (
    "access denied", "forbidden", "blocked", "your request", "rate limit", "too many requests", "captcha", "error code",
    "1020", "1015", "cloudflare", "akamai", "reference", "incident", "support id", "request id", "ip address", "limit",
    "exceeded", "bad gateway", "upstream", "timeout", "security", "challenge", "not allowed", "login", "scope", "order",
)  # fmt: skip
HEADERS = st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in EVERY_REPLY.items()})


@given(
    status=st.sampled_from((200, 400, 401, 403, 404, 409, 422, 429, 500, 503)),
    headers=HEADERS,
    server=st.sampled_from(SERVERS[:-2]),
    words=st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=12),
)
def test_no_page_of_an_application_is_a_products(
    status: int, headers: dict[str, str], server: str, words: list[str]
) -> None:
    page = fingerprint(status, headers | {"server": server}, '{"error":"' + ", ".join(words) + '"}')
    by_status = page is not None and page.product in ("AWS ELB", "AWS API Gateway", "Google Cloud")
    assert page is None or by_status, page


@pytest.mark.parametrize("texts", REFUSAL_TEXTS)
def test_what_is_kept_of_a_success_is_known_as_a_refusal(texts: tuple[str, ...]) -> None:
    page = fingerprint(200, {}, " ".join(texts))
    assert page is not None
    assert page.kind in ("block", "challenge", "filter")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"server": "Apache"}, '{"error":"Forbidden","message":"You don\'t have permission to access this resource"}'),
        ({"via": "1.1 google"}, '{"error":"403 Forbidden"}'),
        ({}, '{"message":"An internal server error occurred"}'),
        ({}, '{"detail":"IP address not allowed: 203.0.113.9"}'),
        ({}, '{"error":"You have sent too many requests in a given amount of time."}'),
        ({"server": "envoy"}, '{"error":"access denied"}'),
    ],
)
@pytest.mark.parametrize("status", [403, 429, 500])
def test_words_that_applications_use_as_well_name_no_product(status: int, headers: dict[str, str], body: str) -> None:
    assert fingerprint(status, headers, body) is None
