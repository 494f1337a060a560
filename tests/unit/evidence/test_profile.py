"""The vendor profile: what is read, and every way of refusing it."""

import hashlib
import ipaddress

import pytest

from netdiag.evidence.profile import CEILING_RATE, CEILING_REQUESTS, ProfileError, parse_profile

WHOLE = b"""
schema = "netdiag/profile/1"
[vendor]
name = "Acme"
support = "support@acme.example"
internal = true
[[endpoint]]
url = "https://api.acme.example"
[[endpoint]]
url = "http://old.acme.example:8080/v1"
[[control]]
url = "https://status.acme.example/"
[network]
prefixes = ["198.51.100.0/24", "2001:db8::/32"]
[rate_limit]
max_requests = 40
max_rate = 2
"""
SCHEMA = b'schema = "netdiag/profile/1"\n'


def test_a_whole_profile_is_read() -> None:
    profile = parse_profile(WHOLE)
    assert profile.sha256 == hashlib.sha256(WHOLE).hexdigest()
    assert (profile.name, profile.support, profile.internal) == ("Acme", "support@acme.example", True)
    assert profile.endpoints == ("https://api.acme.example", "http://old.acme.example:8080/v1")
    assert profile.controls == ("https://status.acme.example/",)
    assert profile.prefixes == (ipaddress.ip_network("198.51.100.0/24"), ipaddress.ip_network("2001:db8::/32"))
    assert profile.rate_limit is not None
    assert (profile.rate_limit.max_requests, profile.rate_limit.max_rate) == (40, 2.0)


def test_the_schema_alone_is_a_profile() -> None:
    profile = parse_profile(SCHEMA)
    assert (profile.name, profile.endpoints, profile.rate_limit) == (None, (), None)


@pytest.mark.parametrize(
    ("url", "consents"),
    [
        ("https://api.acme.example/v2/x?y", True),
        ("https://API.acme.example.:443/", True),
        ("http://old.acme.example:8080/", True),
        ("http://api.acme.example/", False),
        ("https://api.acme.example:8443/", False),
        ("https://api.acme.example.evil.test/", False),
        ("https://status.acme.example/", False),
    ],
)
def test_consent_is_for_the_own_endpoints(url: str, *, consents: bool) -> None:
    assert parse_profile(WHOLE).consents_to(url) is consents


def test_the_own_network_is_known() -> None:
    profile = parse_profile(WHOLE)
    assert [profile.owns(one) for one in ("198.51.100.9", "2001:db8::1", "203.0.113.1")] == [True, True, False]


def test_consent_ends_at_the_ceilings() -> None:
    profile = parse_profile(SCHEMA + b"[rate_limit]\nmax_requests = 100000\nmax_rate = 5000.5")
    assert profile.rate_limit is not None
    assert (profile.rate_limit.max_requests, profile.rate_limit.max_rate) == (CEILING_REQUESTS, CEILING_RATE)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "does not begin"),
        (b"x = [", "not TOML"),
        (b"\xff", "not TOML"),
        (b"# " + b"x" * 70_000, "larger"),
        (b'schema = "netdiag/profile/2"', "newer"),
        (b"schema = 1", "does not begin"),
        (SCHEMA + b"extra = 1", "extra"),
        (SCHEMA + b"[vendor]\nemail = 'x'", "email"),
        (SCHEMA + b"[vendor]\nname = 3", "name"),
        (SCHEMA + b'[vendor]\nname = "a\\u001b[31m"', "control characters"),
        (SCHEMA + b"[[endpoint]]\nurl = 'ftp://x'", "ftp://x"),
        (SCHEMA + b"[[endpoint]]\nurl = 'https://'", "https://"),
        (SCHEMA + b"[[endpoint]]\nurl = 'https://x:99999/'", "99999"),
        (SCHEMA + b"[[endpoint]]\nurl = 'https://u:p@x/'", "user info"),
        (SCHEMA + b"[[endpoint]]\nurl = 'https://x/?a=b'", "query"),
        (SCHEMA + b"[[endpoint]]", "url"),
        (SCHEMA + b"[network]\nprefixes = ['198.51.100.1/24']", "198.51.100.1/24"),
        (SCHEMA + b"[network]\nprefixes = ['0.0.0.0/0']", "too wide"),
        (SCHEMA + b"[network]\nprefixes = ['::/0']", "too wide"),
        (SCHEMA + b"[rate_limit]\nmax_requests = 0\nmax_rate = 1", "max_requests"),
        (SCHEMA + b"[rate_limit]\nmax_requests = 1", "max_rate"),
        (SCHEMA + b"[rate_limit]\nmax_requests = 1\nmax_rate = -1", "max_rate"),
        (SCHEMA + b"[rate_limit]\nmax_requests = 1\nmax_rate = nan", "max_rate"),
        (SCHEMA + b"x = " + b"[" * 5000 + b"]" * 5000, "profile"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(raw: bytes, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(raw)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
