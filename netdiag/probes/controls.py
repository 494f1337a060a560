"""The hosts that should work: what is measured beside the vendor, so that what works can be ruled out.

All are run for the purpose, by different operators in different networks: the connectivity-check pages that operating
systems and browsers ask anyway, and public resolvers, which answer HTTPS on literal addresses. A vendor profile may
name others (``[[control]] url``).
"""

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from netdiag.evidence.addresses import is_address


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One control. ``addresses`` are known beforehand where that is the operator's promise; empty: ask a resolver.

    ``expect_status`` and ``expect_body`` (exact text) are what the page answers when nobody is in between; None where
    that is not promised. ``operator`` names the network, ``source`` where the row is from.
    """

    url: str
    operator: str
    source: str
    addresses: tuple[str, ...] = ()
    expect_status: int | None = None
    expect_body: str | None = None

    @property
    def host(self) -> str:
        """The host name of ``url`` (an address literal without brackets)."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of ``url``, the scheme's own when it names none."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def is_page(self) -> bool:
        """A plain-HTTP page: what a portal rewrites, and what is asked over HTTP instead of TLS alone."""
        return urlsplit(self.url).scheme == "http"

    @property
    def expect_body_sha256(self) -> str | None:
        """Hex SHA-256 of ``expect_body``."""
        return None if self.expect_body is None else hashlib.sha256(self.expect_body.encode()).hexdigest()


DEFAULT_CONTROLS = (
    Control(
        url="http://connectivitycheck.gstatic.com/generate_204",
        operator="Google",
        source="Android and ChromeOS: the network portal check (AOSP NetworkStack, captive_portal_http_url)",
        expect_status=204,
        expect_body="",
    ),
    Control(
        url="http://detectportal.firefox.com/success.txt",
        operator="Mozilla",
        source="Firefox: the fallback of network.captive-portal-detector (success.txt)",
        expect_status=200,
        expect_body="success\n",
    ),
    Control(
        url="http://www.msftconnecttest.com/connecttest.txt",
        operator="Microsoft",
        source="Windows 10 and later: Network Connectivity Status Indicator, active web probe",
        expect_status=200,
        expect_body="Microsoft Connect Test",
    ),
    Control(
        url="http://captive.apple.com/hotspot-detect.html",
        operator="Apple",
        # The page says "Success" in HTML whose white space nobody promises.
        source="macOS and iOS: Captive Network Assistant",
        expect_status=200,
    ),
    Control(
        url="https://one.one.one.one/",
        operator="Cloudflare",
        source="developers.cloudflare.com/1.1.1.1: addresses; the certificate names one.one.one.one",
        addresses=("1.1.1.1", "2606:4700:4700::1111"),
    ),
    Control(
        url="https://dns.google/",
        operator="Google",
        source="developers.google.com/speed/public-dns: addresses and name",
        addresses=("8.8.8.8", "2001:4860:4860::8888"),
    ),
    Control(
        url="https://dns.quad9.net/",
        operator="Quad9",
        source="quad9.net, service addresses: addresses and name",
        addresses=("9.9.9.9", "2620:fe::fe"),
    ),
)

PUBLIC_RESOLVERS = (
    # Independent of each other and of the customer's line; sources as in the rows above.
    "1.1.1.1",
    "8.8.8.8",
    "9.9.9.9",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2620:fe::fe",
)


def controls_for(urls: Sequence[str]) -> tuple[Control, ...]:
    """The controls of a vendor profile, which replace the default ones; those, when it names none."""
    if not urls:
        return DEFAULT_CONTROLS
    return tuple(_from_profile(url) for url in urls)


def _from_profile(url: str) -> Control:
    host = urlsplit(url).hostname or ""
    known = (host,) if is_address(host) else ()
    return Control(url=url, operator="", source="the vendor's profile", addresses=known)
