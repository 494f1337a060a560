"""What people type as a URL, and what is wrong with it in one line."""

import pytest

from netdiag.cli.problem import ExitCode, Problem
from netdiag.cli.url import is_private, parse_url


@pytest.mark.parametrize(
    ("typed", "scheme", "host", "port", "path"),
    [
        ("api.vendor.test", "https", "api.vendor.test", 443, "/"),
        ("  https://API.Vendor.test \n", "https", "api.vendor.test", 443, "/"),
        ("http://api.vendor.test", "http", "api.vendor.test", 80, "/"),
        ("HTTP://api.vendor.test:8080/a/b", "http", "api.vendor.test", 8080, "/a/b"),
        ("api.vendor.test:8443/x", "https", "api.vendor.test", 8443, "/x"),
        ("//api.vendor.test/x", "https", "api.vendor.test", 443, "/x"),
        ("https://api.vendor.test.", "https", "api.vendor.test", 443, "/"),
        ("https://api.vendor.test:/", "https", "api.vendor.test", 443, "/"),
        ("https://bücher.example/ü", "https", "xn--bcher-kva.example", 443, "/%C3%BC"),
        ("https://faß.example/", "https", "xn--fa-hia.example", 443, "/"),
        ("https://[2001:DB8::7]:8443/", "https", "2001:db8::7", 8443, "/"),
        ("2001:db8::7", "https", "2001:db8::7", 443, "/"),
        ("198.51.100.7", "https", "198.51.100.7", 443, "/"),
        ("my_host.example", "https", "my_host.example", 443, "/"),
    ],
)
def test_good(typed: str, scheme: str, host: str, port: int, path: str) -> None:
    target = parse_url(typed).target
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://:443/", "no host"),
        ("https://u:p@/", "no host"),
        ("https:/api.vendor.test", "two slashes"),
        ("https:api.vendor.test", "two slashes"),
        ("ftp://api.vendor.test", "http and https only"),
        ("javascript://x", "http and https only"),
        ("file:///etc/passwd", "http and https only"),
        ("https://api vendor.test", "space"),
        ("https://api.vendor.test/a\tb", "space"),
        ("https://api.vendor.test\\x", "backslash"),
        ("https://api.vendor\u200b.test", "cannot be seen"),
        ("https://api.vendor.test\x1b[31m", "cannot be seen"),
        ("https://api.vendor.test:0", "not a port"),
        ("https://api.vendor.test:65536", "not a port"),
        ("https://api.vendor.test:http", "not a port"),
        ("https://api.vendor.test:٤٤٣", "not a port"),
        ("https://api.vendor.test:-1", "not a port"),
        ("https://[2001:db8::7", "brackets"),
        ("https://[198.51.100.7]", "brackets"),
        ("https://[fe80::1%eth0]", "brackets"),
        ("https://2001:db8::7:x/", "written in brackets"),
        ("https://-a.example", "not a host name"),
        ("https://a..example", "not a host name"),
        ("https://" + "a" * 64 + ".example", "not a host name"),
        ("https://" + "a." * 130 + "example", "not a host name"),
        ("https://exa$mple.com", "not a host name"),
        ("https://300.1.1.1", "not an IPv4 address"),
        ("https://127.1", "not an IPv4 address"),
        ("https://0x7f000001", "not an IPv4 address"),
        ("https://2130706433", "not an IPv4 address"),
        ("https://\u2603\ufe0f--\u200d.example", "cannot be seen"),
        ("https://\u0378.example", "cannot be seen"),
        ("https://☃-.example", "IDNA"),
        ("https://api.vendor.test/" + "a" * 3000, "longer than"),
    ],
)
def test_bad(typed: str, words: str) -> None:
    with pytest.raises(Problem, match=words) as caught:
        parse_url(typed)
    assert caught.value.code is ExitCode.USAGE
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "typed",
    [
        "https://user:SECRET@api.vendor.test/x",
        "https://SECRET@api.vendor.test/x",
        "https://api.vendor.test/x?token=SECRET",
        "https://api.vendor.test/x?SECRET",
        "https://api.vendor.test/x#SECRET",
        "https://api.vendor.test/x;jsessionid=SECRET",
        "https://api.vendor.test?SECRET",
    ],
)
def test_secrets_are_left_out_and_it_is_said(typed: str) -> None:
    parsed = parse_url(typed)
    assert "SECRET" not in repr(parsed.target)
    assert "neither sent nor stored" in parsed.notes[0]
    assert parsed.typed == typed


@pytest.mark.parametrize("typed", ["ftp://u:SECRET@h/", "https://u:SECRET@h:99999/?SECRET", "https://a b/?SECRET"])
def test_error_lines_do_not_tell_secrets(typed: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_url(typed)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("192.168.1.7", True),
        ("10.1.2.3", True),
        ("127.0.0.1", True),
        ("169.254.1.1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("::1", True),
        ("intranet", True),
        ("printer.local", True),
        ("db.corp.internal", True),
        ("nas.home.arpa", True),
        ("api.vendor.com", False),
        ("local.vendor.com", False),
        ("198.51.100.7", False),
        ("100.64.0.1", False),
    ],
)
def test_private(host: str, private: bool) -> None:
    assert is_private(host) is private
