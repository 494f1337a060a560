"""Addresses are classed by explicit prefixes."""

import pytest

from netdiag.facts import places


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("10.255.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.32.0.1", "public"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "shared"),
        ("100.128.0.1", "public"),
        ("169.254.1.1", "link_local"),
        ("127.0.0.53", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("198.18.0.9", "benchmark"),
        ("198.51.100.7", "public"),
        ("255.255.255.255", "reserved"),
        ("fd00::1", "private"),
        ("fe80::1%eth0", "link_local"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("64:ff9b::c633:6407", "public"),
        ("2001:db8::1", "public"),
        ("::ffff:10.0.0.1", "private"),
        ("not an address", None),
    ],
)
def test_classes(text: str, kind: str | None) -> None:
    assert places.classify(text) == kind


def test_one_spelling() -> None:
    assert places.plain("2001:DB8:0:0::1") == "2001:db8::1"
    assert places.plain("api.vendor.test") == "api.vendor.test"


def test_one_announcement() -> None:
    assert places.same_announcement("198.51.100.1", "198.51.100.7")
    assert not places.same_announcement("198.51.101.1", "198.51.100.7")
    assert places.same_announcement("2001:db8:7::1", "2001:db8:7:9::7")
    assert not places.same_announcement("2001:db8:8::1", "2001:db8:7::7")
    assert not places.same_announcement("198.51.100.1", "2001:db8:7::7")


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        # RFC 6052 section 2.4
        ("2001:db8:c000:221::", "2001:db8::/32"),
        ("2001:db8:1c0:2:21::", "2001:db8:100::/40"),
        ("2001:db8:122:c000:2:2100::", "2001:db8:122::/48"),
        ("2001:db8:122:3c0:0:221::", "2001:db8:122:300::/56"),
        ("2001:db8:122:344:c0:2:2100::", "2001:db8:122:344::/64"),
        ("2001:db8:122:344::192.0.2.33", "2001:db8:122:344::/96"),
        ("64:ff9b::192.0.2.33", "64:ff9b::/96"),
    ],
)
def test_nat64_addresses_hold_an_ipv4_one(text: str, prefix: str) -> None:
    assert places.embedded4(text, prefix) == "192.0.2.33"


def test_other_addresses_hold_none() -> None:
    assert places.embedded4("2001:db8::1", "64:ff9b::/96") is None
    assert places.embedded4("192.0.2.1", "64:ff9b::/96") is None
    assert places.embedded4("64:ff9b::1", "64:ff9b::/95") is None
