"""Resolvers, hosts file and proxies, from text."""

from collections.abc import Mapping

import pytest

from netdiag.probes.library.settings import Proxy, Resolvers, is_bypassed, parse_hosts, parse_resolv_conf, proxies_of


def test_resolv_conf_is_read_as_glibc_reads_it() -> None:
    text = """# comment
; another
nameserver 192.0.2.53
nameserver fe80::1%eth0
nameserver not-an-address
nameserver
domain old.test
search a.test b.test
options ndots:2 edns0
options rotate
sortlist 10.0.0.0
"""
    wanted = Resolvers(("192.0.2.53", "fe80::1%eth0"), ("a.test", "b.test"), ("ndots:2", "edns0", "rotate"))
    assert parse_resolv_conf(text) == wanted
    assert parse_resolv_conf("") == Resolvers((), (), ())


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("api.test", ("192.0.2.1", "2001:db8::1")),
        ("API.test.", ("192.0.2.1", "2001:db8::1")),
        ("other.test", ("192.0.2.1",)),
        ("gone.test", ()),
        ("test", ()),
        ("bad.test", ()),
    ],
)
def test_only_the_asked_name_is_read_from_the_hosts_file(name: str, addresses: tuple[str, ...]) -> None:
    text = """
192.0.2.1 other.test api.test # api.test2
2001:db8::1\tApi.Test
192.0.2.1 api.test
#192.0.2.9 gone.test
nonsense bad.test
"""
    assert parse_hosts(text, name) == addresses


@pytest.mark.parametrize(
    ("settings", "http", "https"),
    [
        ({}, Proxy("http", "none set"), Proxy("https", "none set")),
        (
            {"http": "http://p.test:3128"},
            Proxy("http", "http_proxy", "p.test", 3128),
            Proxy("https", "none set"),
        ),
        (
            {"all": "p.test:8080"},
            Proxy("http", "all_proxy", "p.test", 8080),
            Proxy("https", "all_proxy", "p.test", 8080),
        ),
        (
            {"https": "http://us%40er:s3cret@[2001:db8::1]", "http": "socks5h://s.test"},
            Proxy("socks", "http_proxy (socks5h proxy)", "s.test", 1080),
            Proxy("https", "https_proxy (with credentials, removed)", "2001:db8::1", 80),
        ),
        (
            {"http": "http://p.test:99999", "https": "https://p.test"},
            Proxy("http", "http_proxy (cannot be read)"),
            Proxy("https", "https_proxy (https proxy)", "p.test", 443),
        ),
    ],
)
def test_proxies_lose_their_credentials(settings: Mapping[str, str], http: Proxy, https: Proxy) -> None:
    found = proxies_of(settings)
    assert found == [http, https]
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("host", "no_proxy", "bypassed"),
    [
        ("api.vendor.test", "vendor.test", True),
        ("api.vendor.test", ".vendor.test", True),
        ("api.vendor.test", "other.test, *", False),
        ("api.vendor.test", "*", True),
        ("api.vendor.test", "", False),
        ("10.1.2.3", "10.0.0.0/8,x", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("11.1.2.3", "10.0.0.0/8,bad/cidr", False),
    ],
)
def test_exceptions_take_names_and_networks(host: str, no_proxy: str, *, bypassed: bool) -> None:
    assert is_bypassed(host, {"no": no_proxy}) is bypassed
