"""Ids by which the vendor finds the request: in headers, in pages, and cut to what may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.headers import is_kept
from netdiag.facts.search_keys import LONGEST, SEARCH_HEADERS, point_of_presence, search_keys


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        (
            "Reference&#32;&#35;18&#46;e3c1202&#46;1744611336&#46;e02832",
            "akamai-reference",
            "18.e3c1202.1744611336.e02832",
        ),
        (
            "<p>\nReference #18.eb5e8c4f.1620973349.187d926b\n</p>",
            "akamai-reference",
            "18.eb5e8c4f.1620973349.187d926b",
        ),
        ("An error occurred. Reference #30.2f3c.1700.ab.", "akamai-reference", "30.2f3c.1700.ab"),
        ("Incapsula incident ID: 443000270041371822-113", "incapsula-incident", "443000270041371822-113"),
        ("Your support ID is: 11243555349794389926<br>", "f5-support-id", "11243555349794389926"),
        ("Your support ID is: <14171762189802438057>", "f5-support-id", "14171762189802438057"),
        ("Cloudflare Ray ID: <strong>8f3b2a1c0d9e4f56</strong>", "cloudflare-ray", "8f3b2a1c0d9e4f56"),
        (
            "Request ID: d79vqXdnHNU3QoUJZ3wd5Mvff_nF0JXuPUD667a-7otka3pgY0uPvQ==",
            "cloudfront-request",
            "d79vqXdnHNU3QoUJZ3wd5Mvff_nF0JXuPUD667a-7otka3pgY0uPvQ==",
        ),
        (
            '{"message":"x","request_id":"8f0c2a61b7d94e3f5a1c7e9b04d26f38"}',
            "kong-request",
            "8f0c2a61b7d94e3f5a1c7e9b04d26f38",
        ),
        ("Guru Meditation: XID: 1507532", "varnish-xid", "1507532"),
        ("IP address not allowed: 203.0.113.9", "seen-as", "203.0.113.9"),
        ("Client IP: 2001:db8::77 Attack ID: 20000051", "seen-as", "2001:db8::77"),
        ("Your IP: <span>203.0.113.9</span>", "seen-as", "203.0.113.9"),
    ],
)
def test_ids_in_pages(body: str, name: str, value: str) -> None:
    assert (name, value) in search_keys({}, body)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "see reference #7 of the manual",
        "the request id is missing",
        "your support id is unknown",
        "incident id",
        "IP address not allowed: see 10.1",
    ],
)
def test_words_alone_are_no_ids(body: str | None) -> None:
    assert search_keys({}, body) == ()


def test_every_header_that_is_a_key_is_recorded() -> None:
    assert all(is_kept(name) for name in SEARCH_HEADERS)


def test_ids_of_a_browser_or_person_are_no_keys() -> None:
    for name in ("x-datadome-cid", "x-kpsdk-ct", "set-cookie", "x-px-authorization", "x-vercel-challenge-token"):
        assert name not in SEARCH_HEADERS
        assert search_keys({name: "a-person"}, None) == ()


def test_a_key_is_bounded_and_plain() -> None:
    keys = dict(
        search_keys({"cf-ray": "8a\x1b[31m12\u202e-FRA<script>", "x-request-id": "r" * 400, "x-varnish": "\x00"}, None)
    )
    assert keys == {"cf-ray": "8a31m12-FRAscript", "x-request-id": "r" * LONGEST}


@given(st.dictionaries(st.sampled_from(SEARCH_HEADERS), st.text(max_size=300)), st.text(max_size=600))
def test_whatever_is_said_is_shown_safely(headers: dict[str, str], body: str) -> None:
    for _, value in search_keys(headers, body):
        assert 0 < len(value) <= LONGEST
        assert value.isascii()
        assert value.isprintable()
        assert not set(value) & set("<>`\"'\\|[]{}!$&")


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({"cf-ray": "8a12-FRA"}, "cloudflare:FRA"),
        ({"cf-ray": "none"}, None),
        ({"x-amz-cf-pop": "FRA56-P4"}, "cloudfront:FRA56"),
        ({"x-served-by": "cache-lcy-1, cache-fra-2-FRA"}, "fastly:FRA"),
        ({}, None),
    ],
)
def test_points_of_presence(headers: dict[str, str], place: str | None) -> None:
    assert point_of_presence(headers) == place
