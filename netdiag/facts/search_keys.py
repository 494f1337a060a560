"""Ids in an HTTP answer by which the vendor finds the request in his logs, and the site of an anycast service.

Source of the names: fault-signatures 7.3 and 7.5. An id is the vendor's own text in a stranger's page: it is cut to a
plain alphabet and to ``LONGEST`` characters before it is shown. Ids of a person or a browser (DataDome's client id,
Kasada's token, every cookie) are no keys and are not recorded at all.
"""

import html
import re
from collections.abc import Mapping

LONGEST = 120
"""Characters of one value: the longest genuine one, ``x-amzn-trace-id``, has about 90."""

SEARCH_HEADERS = (
    "cf-ray", "x-request-id", "x-correlation-id", "request-id", "x-trace-id", "x-b3-traceid", "x-amz-cf-id",
    "x-amzn-requestid", "x-amzn-trace-id", "x-amz-apigw-id", "apigw-requestid", "x-amz-request-id", "x-azure-ref",
    "x-msedge-ref", "x-ms-request-id", "x-served-by", "x-fastly-request-id", "x-varnish", "akamai-grn",
    "x-akamai-request-id", "x-reference-error", "x-iinfo", "x-sucuri-id", "x-sucuri-block", "x-kong-request-id",
    "x-vercel-id", "x-cloud-trace-context", "x-github-request-id", "fly-request-id", "x-nf-request-id",
)  # fmt: skip
"""Headers whose value finds the request in the logs of who answered."""

_ADDRESS = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})"
_TAGS = r"(?:<[^>]{1,60}> ?){0,2}"
_IN_BODY = (
    ("akamai-reference", re.compile(r"\breference #([0-9a-f]{1,3}\.[0-9a-f.]{4,80})")),
    ("incapsula-incident", re.compile(r"\bincapsula incident id ?:? ?([0-9-]{6,60})")),
    ("securesphere-incident", re.compile(r"\bthe incident id is ?:? ?([0-9-]{4,60})")),
    ("f5-support-id", re.compile(r"\byour support id is ?:? ?<? ?([0-9]{4,30})")),
    ("cloudflare-ray", re.compile(rf"\bray id ?:? ?{_TAGS}([0-9a-f]{{16}})\b")),
    ("cloudfront-request", re.compile(r"\brequest id ?: ?([\w=-]{40,80})", re.ASCII)),
    ("azure-ref", re.compile(r"\bref a: ?([0-9a-f]{32} ref b: ?[\w-]{4,40} ref c: ?[0-9tz:.-]{10,30})", re.ASCII)),
    ("kong-request", re.compile(r"\"request_id\" ?: ?\"([0-9a-f]{32})\"")),
    ("varnish-xid", re.compile(r"\bxid ?: ?([0-9]{2,20})\b")),
    ("fortiweb-message", re.compile(rf"\bmessage id ?:? ?{_TAGS}([0-9]{{6,30}})")),
    ("seen-as", re.compile(
        rf"\b(?:your ip(?: address)?(?: is)?|client ip|ip address not allowed) ?:? ?{_TAGS}{_ADDRESS}(?![\w:])"
    )),
)  # fmt: skip
"""``seen-as`` is the customer's address as the vendor sees it: what his logs and block lists name (Kong, F5, FortiWeb,
Cloudflare print it)."""

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,:;=/+#()_@~*-]")


def search_keys(headers: Mapping[str, str], body: str | None) -> tuple[tuple[str, str], ...]:
    """Ids in headers and page that the vendor can look up, each name once."""
    found = {name: headers[name] for name in SEARCH_HEADERS if headers.get(name)}
    shown = " ".join(html.unescape(body or "").split())
    text = shown.lower()
    for name, pattern in _IN_BODY:
        if match := pattern.search(text):
            # Upper and lower case count in some ids; the two texts have the same length unless Unicode intervenes.
            written = shown if len(shown) == len(text) else text
            found[name] = written[match.start(1) : match.end(1)].rstrip(".")
    cleaned = {name: _NOT_PLAIN.sub("", value)[:LONGEST].strip() for name, value in found.items()}
    return tuple((name, value) for name, value in cleaned.items() if value)


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
