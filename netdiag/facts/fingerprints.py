"""Who made an HTTP answer, and what kind it is: a table, and the ids that a vendor can look up.

Source of the rows: fault-signatures 5.1, 7.3, 7.5 and 7.6. A header that a product puts on every reply (``cf-ray``,
``x-amz-cf-id``, ``server: cloudflare``) says who answered, not that it refused, so it never makes a row alone: a row
needs two signals, or one that no other page has.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

PageKind = Literal["block", "limit", "challenge", "origin", "filter", "bare"]
"""``block``: refused by rule or address. ``limit``: too many requests. ``challenge``: prove that you are no robot.
``origin``: a tier in front says that the one behind it fails. ``filter``: made near the customer (office or ISP).
``bare``: a server's default page, which any rule or setting may have caused."""


class Page(NamedTuple):
    """What the fingerprint says of one answer. ``code`` is the product's own number, such as Cloudflare's 1020."""

    product: str
    kind: PageKind
    code: str | None = None


class _Row(NamedTuple):
    """All that is given must hold: headers by substring (lower case), each body text, one of the statuses."""

    product: str
    kind: PageKind
    body: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    statuses: tuple[int, ...] = ()


_ROWS = (
    # Pages made near the customer (5.1).
    _Row("FortiGuard", "filter", ("fortiguard intrusion prevention - access blocked",)),
    _Row("FortiGuard", "filter", ("powered by fortiguard",)),
    _Row("Palo Alto", "filter", ("/php/urlblock.php?args=",)),
    _Row("Blue Coat", "filter", ("notify.bluecoat.com",)),
    _Row("Cisco WSA", "filter", headers=(("via", "cisco-wsa"),), statuses=(403, 407, 502, 503, 504)),
    _Row("Cisco Umbrella", "filter", ("block.opendns.com",)),
    _Row("Meraki", "filter", ("wired.meraki.com:8090/blocked.cgi",)),
    _Row("Check Point", "filter", ("/usercheck/portalmain",)),
    _Row("Forcepoint", "filter", (":15871/cgi-bin/blockpage.cgi",)),
    _Row("Netsweeper", "filter", ("/webadmin/deny",)),
    _Row("Squid", "filter", ("stylesheet for squid error pages",)),
    _Row("Squid", "filter", headers=(("x-squid-error", ""),)),
    _Row("SonicWALL", "filter", headers=(("server", "sonicwall"),)),
    # Challenges (7.5, H15).
    _Row("Cloudflare", "challenge", headers=(("cf-mitigated", "challenge"),)),
    _Row("AWS WAF", "challenge", headers=(("x-amzn-waf-action", "challenge"),)),
    _Row("AWS WAF", "challenge", headers=(("x-amzn-waf-action", "captcha"),)),
    _Row("Vercel", "challenge", headers=(("x-vercel-mitigated", "challenge"),)),
    _Row("DataDome", "challenge", ("captcha-delivery.com",)),
    _Row("DataDome", "block", headers=(("x-dd-b", "1"),)),
    _Row("DataDome", "block", headers=(("x-dd-b", "2"),)),
    _Row("HUMAN", "challenge", ("px-captcha",)),
    _Row("HUMAN", "challenge", ("window._pxappid",), statuses=(403, 429)),
    _Row("Kasada", "challenge", headers=(("x-kpsdk-ct", ""),), statuses=(403, 429)),
    _Row("Anubis", "challenge", ("anubis", "proof-of-work")),
    # Limits (7.3).
    _Row("Cloudflare", "limit", ("error code: 1015",)),
    _Row("HAProxy", "limit", ("you have sent too many requests in a given amount of time.",)),
    _Row("Kong", "limit", ("api rate limit exceeded",)),
    _Row("Envoy", "limit", headers=(("x-envoy-ratelimited", ""),)),
    _Row("Envoy", "limit", ("local_rate_limited",), statuses=(429,)),
    _Row("Traefik", "limit", ("no bursty traffic allowed",)),
    _Row("Traefik", "limit", headers=(("x-retry-in", ""),), statuses=(429,)),
    _Row("AWS API Gateway", "limit", ("limit exceeded",), (("x-amzn-requestid", ""),), (429,)),
    _Row("AWS API Gateway", "limit", ("too many requests",), (("x-amzn-requestid", ""),), (429,)),
    # Blocks (7.4, 7.5).
    _Row("CloudFront", "block", ("configured to block access from your country",)),
    _Row("CloudFront", "block", ("request blocked.", "connect to the server for this app or website at this time")),
    _Row("Akamai", "block", ("access denied", "reference #18.")),
    _Row("Akamai", "block", ("access denied", "reference&#32;&#35;18")),
    _Row("Akamai", "origin", ("reference #",), (("server", "akamaighost"),), (502, 503, 504)),
    _Row("Imperva", "block", ("incapsula incident id",)),
    _Row("Imperva", "challenge", ("_incapsula_resource",)),
    _Row("Sucuri", "block", ("access denied - sucuri website firewall",)),
    _Row("Sucuri", "block", headers=(("x-sucuri-block", ""),)),
    _Row("Azure Front Door", "block", ("the request is blocked.",), (("x-azure-ref", ""),)),
    _Row("Azure Application Gateway", "block", ("microsoft-azure-application-gateway",), statuses=(403,)),
    _Row("F5 BIG-IP ASM", "block", ("the requested url was rejected.", "your support id is")),
    _Row("ModSecurity", "block", headers=(("server", "mod_security"),), statuses=(403, 406)),
    _Row("ModSecurity", "block", ("modsecurity action",)),
    _Row("Kong", "block", ("ip address not allowed",)),
    _Row("FortiWeb", "block", ("web page blocked", "attack id")),
    _Row("Wordfence", "block", ("generated by wordfence",)),
    # A tier in front that says what is wrong behind it (7.6).
    _Row("Cloudflare", "origin", headers=(("server", "cloudflare"),), statuses=(520, 521, 522, 523, 524, 525, 526)),
    _Row("Fastly", "origin", ("fastly error: unknown domain",)),
    _Row("Fastly", "origin", ("first byte timeout",), (("x-served-by", "cache-"),)),
    _Row("Varnish", "origin", ("guru meditation",)),
    _Row("Envoy", "origin", ("no healthy upstream",), statuses=(503,)),
    _Row("Envoy", "origin", ("upstream connect error or disconnect/reset before headers",)),
    _Row("Envoy", "origin", ("upstream request timeout",), statuses=(504,)),
    _Row("HAProxy", "origin", ("no server is available to handle this request.",)),
    _Row("HAProxy", "origin", ("the server didn't respond in time.",)),
    _Row("Kong", "origin", ("an invalid response was received from the upstream server",)),
    _Row("Kong", "origin", ("the upstream server is currently unavailable",)),
    _Row("Kong", "origin", ("failure to get a peer from the ring-balancer",)),
    _Row("Kong", "origin", ("the upstream server is timing out",)),
    _Row("AWS ELB", "origin", headers=(("server", "awselb"),), statuses=(502, 503, 504)),
    _Row("nginx", "origin", ("<center>nginx", "502 bad gateway")),
    _Row("nginx", "origin", ("<center>nginx", "504 gateway time-out")),
    # Default pages.
    _Row("AWS ELB", "bare", ("<center><h1>403 forbidden</h1></center>",), (("server", "awselb"),)),
    _Row("HAProxy", "bare", ("request forbidden by administrative rules.",)),
    _Row("nginx", "bare", ("<center>nginx", "</h1></center>")),
    _Row("nginx", "bare", ("<center>openresty", "</h1></center>")),
    _Row("Apache", "bare", ("you don't have permission to access", "forbidden")),
    _Row("IIS", "bare", ("403 - forbidden: access is denied.",)),
)

_CLOUDFLARE_CODE = re.compile(r"error code:? (1\d{3})\b")
# 7.5: 1015 is the rate limit; DNS and tunnel trouble behind Cloudflare is 1000 to 1002, 1016, 1033 (7.6).
_CLOUDFLARE_ORIGIN = frozenset({"1000", "1001", "1002", "1016", "1033"})

_WHOSE = (
    r"(?:(?:your|this|the client(?:'s)?|client|source|remote) ip(?:v[46])?(?: addr(?:ess)?)?"
    r"|your (?:address|network|host))"
)
_REFUSED = r"(?:block|bann|denied|deny|black ?list|deny ?list|not allowed|not permitted|forbidden|refused|rejected)"
_SAID_BLOCKED = (
    re.compile(rf"\b{_WHOSE}\b[^<\n]{{0,80}}\b{_REFUSED}"),
    re.compile(rf"\b{_REFUSED}[a-z]*\b[^<\n]{{0,80}}\b{_WHOSE}\b"),
    re.compile(r"\b(?:access|available) (?:from|in) your (?:country|region|location|network)\b"),
)

_BARE_TEXTS = frozenset({"", "forbidden", "403 forbidden", "access denied", "rbac: access denied"})
_TAGS = re.compile(r"<[^>]*>")

SEARCH_HEADERS = (
    "cf-ray", "x-request-id", "x-correlation-id", "x-amz-cf-id", "x-amzn-requestid", "x-amz-request-id",
    "x-azure-ref", "x-served-by", "x-fastly-request-id", "x-iinfo", "x-sucuri-id", "x-kong-request-id",
    "x-vercel-id", "x-cloud-trace-context", "x-datadome-cid",
)  # fmt: skip
"""Headers whose value finds the request in the logs of who answered (7.3, 7.5)."""

_IN_BODY = (
    ("akamai-reference", re.compile(r"reference(?:&#32;| )(?:#|&#35;)([0-9a-f.&#;]{4,80})")),
    ("incapsula-incident", re.compile(r"incapsula incident id:? ?([0-9-]{6,60})")),
    ("f5-support-id", re.compile(r"your support id is:? ?<?([0-9]{4,30})")),
    ("seen-as", re.compile(r"(?:your ip(?: address)?(?: is)?|ip address not allowed):? ?(\d{1,3}(?:\.\d{1,3}){3})")),
)  # fmt: skip


def fingerprint(status: int, headers: Mapping[str, str], body: str | None) -> Page | None:
    """Who made this answer and what it means. ``headers``: lower-case names."""
    text = (body or "").lower()
    if code := _CLOUDFLARE_CODE.search(text):
        number = code.group(1)
        kind: PageKind = "limit" if number == "1015" else "origin" if number in _CLOUDFLARE_ORIGIN else "block"
        return Page("Cloudflare", kind, number)
    for row in _ROWS:
        if (
            (not row.statuses or status in row.statuses)
            and all(part in text for part in row.body)
            and all(name in headers and part in headers[name].lower() for name, part in row.headers)
        ):
            return Page(row.product, row.kind)
    return None


def says_blocked(body: str | None) -> bool:
    """The page says in words that the address or region is refused."""
    text = (body or "").lower()
    return any(pattern.search(text) for pattern in _SAID_BLOCKED)


def is_bare(page: Page | None, body: str | None) -> bool:
    """A default page, or none: nothing that an application wrote. Unknown bodies count as the application's."""
    if page is not None:
        return page.kind == "bare"
    return body is not None and " ".join(_TAGS.sub(" ", body).lower().split()).rstrip(".") in _BARE_TEXTS


def search_keys(headers: Mapping[str, str], body: str | None) -> tuple[tuple[str, str], ...]:
    """Ids in headers and page that the vendor can look up."""
    found = [(name, headers[name]) for name in SEARCH_HEADERS if headers.get(name)]
    text = (body or "").lower()
    for name, pattern in _IN_BODY:
        if match := pattern.search(text):
            found.append((name, match.group(1).rstrip(".")))
    return tuple(found)


def point_of_presence(headers: Mapping[str, str]) -> str | None:
    """Which site of an anycast service answered: the suffix of ``cf-ray``, ``x-amz-cf-pop``, the last cache of
    ``x-served-by`` (fault-signatures 8, trap 12)."""
    if "-" in headers.get("cf-ray", ""):
        return "cloudflare:" + headers["cf-ray"].rsplit("-", 1)[1]
    if pop := headers.get("x-amz-cf-pop"):
        return "cloudfront:" + pop.split("-", 1)[0]
    if "-" in headers.get("x-served-by", ""):
        return "fastly:" + headers["x-served-by"].rsplit("-", 1)[1]
    return None
