"""Cloudflare's numbered errors (1xxx): what the number means.

Source: Cloudflare docs, Cloudflare 1xxx errors (read 2026-11), and the changelog of 2026-03-12 for the structured form
(JSON and Markdown with ``cloudflare_error``). Numbers that are not here may be an error of the site's own code at
Cloudflare or of a later date: who refuses what is then not said (``bare``).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from netdiag.facts.pages.row import PageKind, Refused


class Meaning(NamedTuple):
    """What one number says."""

    kind: PageKind
    refuses: Refused | None = None
    says: str | None = None


NUMBERS: Mapping[str, Meaning] = {
    "1000": Meaning("origin", says="the zone's DNS points to a prohibited address"),
    "1001": Meaning("origin", says="the origin's name does not resolve"),
    "1002": Meaning("origin", says="the zone's DNS points to a prohibited address"),
    "1003": Meaning("origin", says="it was asked by address instead of by name"),
    "1004": Meaning("origin", says="the name is not set up there"),
    "1005": Meaning("block", "network", "the network (autonomous system) of the address is banned"),
    "1006": Meaning("block", "address", "the address is banned"),
    "1007": Meaning("block", "address", "the address is banned"),
    "1008": Meaning("block", "address", "the address is banned"),
    "1009": Meaning("block", "region", "the country of the address is banned"),
    "1010": Meaning("block", "client", "the client's signature is banned"),
    "1011": Meaning("block", "client", "the page that links here is banned"),
    "1012": Meaning("block", says="access was denied by the owner"),
    "1014": Meaning("origin", says="the zone's DNS names another customer's host"),
    "1015": Meaning("limit", says="requests come too fast"),
    "1016": Meaning("origin", says="the origin's name does not resolve"),
    "1018": Meaning("origin", says="the name is not set up there"),
    "1020": Meaning("block", says="a firewall rule of the owner refuses the request"),
    "1023": Meaning("origin", says="the name is not set up there"),
    "1033": Meaning("origin", says="the tunnel to the origin is down"),
    "1106": Meaning("block", "address", "the address is banned"),
    "1200": Meaning("origin", says="too many requests wait for the origin, over all clients"),
}

_NUMBER = re.compile(r"1\d{3}")
_PLAIN = re.compile(r"error code: (1\d{3})")
_MARKUP = re.compile(r"cf-error-code[^>]{0,40}>\s{0,4}(1\d{3})\b|\berror(?: code:?)? (1\d{3})\b")
_STRUCTURED = re.compile(r"\berror_code\"? ?: ?(1\d{3})\b")


def number_of(headers: Mapping[str, str], text: str) -> str | None:
    """The number of an error that Cloudflare made. An application behind it may write ``error code: 1005`` as well: so
    the short form must be the whole page, and the long one must name Cloudflare."""
    if "cf-ray" not in headers and "cloudflare" not in headers.get("server", "").lower():
        return None
    if _NUMBER.fullmatch(headers.get("cf-error-type", "").strip()):
        return headers["cf-error-type"].strip()
    found = _PLAIN.fullmatch(text.strip())
    if found is None and "cloudflare_error" in text:
        found = _STRUCTURED.search(text)
    if found is None and "<" in text and "used cloudflare to restrict access" in text:
        found = _MARKUP.search(text)
    if found is None and "cf-error-code" in text:
        found = _MARKUP.search(text)
    return None if found is None else next(group for group in found.groups() if group)
