"""What never reaches a bundle or a screen: seeded secrets are looked for in every byte of every member."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence import container, machine, names, transport, web
from netdiag.evidence.bundle import Bundle, Step, Target
from netdiag.evidence.container import SUMMARY
from netdiag.evidence.headers import KEPT, KEPT_BY_PREFIX, MAX_VALUE, clean_header, is_kept
from netdiag.evidence.machine import InterfaceAddress
from netdiag.evidence.record import Failure, FailureCode, NotRun, ObsId, StepId
from netdiag.evidence.redact import MAX_BODY, Identity, Redactor
from netdiag.evidence.seal import seal
from netdiag.evidence.urls import clean_url, secrets_in
from netdiag.evidence.web import Header
from tests.fakes.bundles import NOW, one_of_each, repeated, sample_bundle, sample_key

URL = "https://carol:s3same%21Open@api.vendor.test/v1/items;jsessionid=J5E55ION?token=t0kenv4lue&page=7#fr4gment"
PROXY = "http://proxyman:pr0xypass@192.0.2.80:3128"
IDENTITY = Identity(
    user="carol-ann",
    home="/home/carol-ann",
    hosts=("carols-laptop", "carols-laptop.corp.invalid"),
    ssids=("Carol Home 5G",),
    search_domains=("corp.invalid",),
)
SEEDED = (
    "s3same",
    "J5E55ION",
    "t0kenv4lue",
    "fr4gment",
    "proxyman",
    "pr0xypass",
    "Y2Fyb2w6czNzYW1lIU9wZW4=",  # carol:s3same!Open
    "cHJveHltYW46cHIweHlwYXNz",  # proxyman:pr0xypass
    "carol-ann",
    "carols-laptop",
    "Carol Home",
    "corp.invalid",
    "001122334455",
    "00:11:22:33:44:55",
    "00-11-22-33-44-55",
    "22ff:fe33:4455",
    "c00kie",
    "expl1cit",
)


def redactor(salt: bytes = b"salt") -> Redactor:
    return Redactor(salt=salt, identity=IDENTITY, urls=(URL, PROXY), secrets=("expl1cit",))


def exchange(**fields: object) -> web.Exchange:
    plain = web.Exchange(id=ObsId("o1"), step=StepId("s1"), began_ns=0, ended_ns=1, method="GET", url="https://a.test/")
    return msgspec.structs.replace(plain, **fields)


EVERY_SECRET = (
    f"GET {URL} via {PROXY} with Authorization: Basic Y2Fyb2w6czNzYW1lIU9wZW4= and cHJveHltYW46cHIweHlwYXNz,"
    " token t0kenv4lue, expl1cit, on Carols-Laptop (carols-laptop.corp.invalid) by carol-ann in"
    " /home/carol-ann/.netrc, on 'Carol Home 5G', enx001122334455, 00:11:22:33:44:55, 00-11-22-33-44-55,"
    " fe80::211:22ff:fe33:4455%wlx001122334455; /v1/items?token=t0kenv4lue"
)


def full_of_secrets() -> Bundle:
    """A bundle with every seeded secret in every field where a probe could put one."""
    failure = Failure(op="receive", code=FailureCode.UNCLASSIFIED, text=EVERY_SECRET)
    step = Step(
        id=StepId("interface:enx001122334455"),
        probe="host",
        role="machine",
        subject="fe80::211:22ff:fe33:4455",
        address="fe80::211:22ff:fe33:4455%enx001122334455",
        params={"device": "enx001122334455"},
    )
    common: dict[str, Any] = {"step": step.id, "began_ns": 0, "ended_ns": 1}
    records = (
        NotRun(id=ObsId("o1"), why="crashed", what=EVERY_SECRET, detail=EVERY_SECRET, **common),
        machine.Interface(
            id=ObsId("o2"),
            name="enx001122334455",
            link="ethernet",
            is_up=True,
            addresses=(InterfaceAddress(address="fe80::211:22ff:fe33:4455", prefix_length=64),),
            **common,
        ),
        machine.Neighbour(
            id=ObsId("o3"), address="fe80::211:22ff:fe33:4455", device="enx001122334455", state="stale", **common
        ),
        machine.ResolverConfig(
            id=ObsId("o4"), source="/home/carol-ann/resolv.conf", servers=(), search=("corp.invalid",), **common
        ),
        web.Exchange(
            id=ObsId("o5"),
            caused_by=ObsId("o1"),
            method="GET",
            url=URL,
            reason=EVERY_SECRET,
            headers=(
                Header(name="Set-Cookie", value="sid=c00kie"),
                Header(name="authorization", value="Basic Y2Fyb2w6czNzYW1lIU9wZW4="),
                Header(name="Location", value=f"/login;jsessionid=J5E55ION?back={URL}"),
                Header(name="WWW-Authenticate", value='Bearer realm="t0kenv4lue"'),
                Header(name="server", value=EVERY_SECRET),
            ),
            location=f"https://login.test/?back={URL}",
            body_start=f"{EVERY_SECRET} {'x' * 4000}",
            failure=failure,
            **common,
        ),
        names.Lookup(
            id=ObsId("o6"),
            name="api.vendor.test",
            rrtype="A",
            server="192.0.2.53",
            server_class="public",
            transport="udp",
            extended_errors=(names.ExtendedError(code=17, text=EVERY_SECRET),),
            **common,
        ),
        transport.Transfer(
            id=ObsId("o7"), address="198.51.100.7", port=443, url=URL, limit_bytes=1, limit_ms=1, **common
        ),
    )
    bundle = sample_bundle(observations=records)
    target = Target(scheme="https", host="api.vendor.test", port=443, path="/v1/items;jsessionid=J5E55ION?t0kenv4lue")
    return msgspec.structs.replace(bundle, target=target, plan=(step,))


def test_no_seeded_secret_is_in_any_member_or_on_a_screen() -> None:
    cleaner = redactor()
    summary = cleaner.text(EVERY_SECRET).encode()
    raw = seal(cleaner.redact(full_of_secrets()), {SUMMARY: summary}, sample_key(), now=NOW)
    for name, data in container.unpack(raw).items():
        text = data.decode().lower()
        assert [secret for secret in SEEDED if secret.lower() in text] == [], name


def test_the_seeds_are_in_there_before() -> None:
    """Else the test above would prove nothing."""
    text = msgspec.json.encode(full_of_secrets()).decode()
    assert [secret for secret in SEEDED if secret not in text] == []


def test_what_was_removed_is_said() -> None:
    cleaner = redactor()
    assert not cleaner.removed
    cleaner.redact(full_of_secrets())
    assert cleaner.removed == (
        "MAC address",
        "SSID",
        "URL user info, query or fragment",
        "URLs in text",
        "body beyond 2 kB",
        "credentials in text",
        "header values outside the allow-list",
        "home directory",
        "host name",
        "search domain",
        "secrets in text",
        "user name",
    )


def test_redacting_twice_changes_nothing_more() -> None:
    once = redactor().redact(full_of_secrets())
    again = redactor()
    assert again.redact(once) == once
    assert again.removed == ()


def test_what_is_no_secret_stays() -> None:
    bundle = sample_bundle(observations=repeated(100))
    cleaner = redactor()
    assert cleaner.redact(bundle) == bundle
    assert cleaner.removed == ()


def test_pseudonyms_join_the_same_things_and_only_inside_one_run() -> None:
    bundle = redactor().redact(full_of_secrets())
    interface, neighbour = bundle.observations[1], bundle.observations[2]
    assert isinstance(interface, machine.Interface)
    assert isinstance(neighbour, machine.Neighbour)
    assert interface.name == neighbour.device
    assert interface.name.startswith("enx-")
    assert interface.addresses[0].address == neighbour.address
    assert neighbour.address.startswith("fe80::")
    assert {record.step for record in bundle.observations} == {step.id for step in bundle.plan}
    other = redactor(b"another run").redact(full_of_secrets()).observations[1]
    assert isinstance(other, machine.Interface)
    assert other.name != interface.name


def test_words_of_the_protocols_survive_a_user_of_the_same_name() -> None:
    cleaner = Redactor(salt=b"", identity=Identity(user="connect", hosts=("target",), home="/"))
    bundle = sample_bundle()
    assert cleaner.redact(bundle) == bundle


def test_names_that_are_the_same_everywhere_stay() -> None:
    cleaner = Redactor(salt=b"", identity=Identity(user="root", hosts=("localhost",), home="/root"))
    assert cleaner.text("root@localhost in /root/x, /rootfs") == "root@localhost in ~/x, /rootfs"


def test_a_name_is_replaced_as_a_whole_word_only() -> None:
    cleaner = Redactor(salt=b"", identity=Identity(user="ann"))
    assert cleaner.text("Ann, annex, jo-ann, ann-marie, /ann/").count("user-") == 2
    assert "annex, jo-ann, ann-marie" in cleaner.text("annex, jo-ann, ann-marie")


@pytest.mark.parametrize(
    "text",
    [
        "2001:db8:aa:bb:cc:dd:ee:ff",
        "aa:bb:cc:dd:ee:ff:aa:bb:cc:dd:ee:ff:aa:bb:cc:dd:ee:ff:aa:bb",
        "2001:db8::211:22ff:fe33:4455",
        "fe80::1",
        "10:20:30",
    ],
)
def test_what_only_looks_like_a_mac_address_stays(text: str) -> None:
    """The third is a router's or the customer's global address: the vendor has it in his logs."""
    assert redactor().text(text) == text


def test_a_short_query_value_is_not_hunted_through_the_text() -> None:
    assert redactor().text("7 of 77 packets") == "7 of 77 packets"


def test_what_the_cleaned_url_shows_is_no_secret() -> None:
    cleaner = Redactor(salt=b"", urls=("https://vendor:pw1234@api.vendor.test/items?kind=items",))
    assert cleaner.text("api.vendor.test/items") == "api.vendor.test/items"


def test_a_query_in_text_goes_with_or_without_names() -> None:
    assert redactor().text("GET /a?b=c HTTP/1.1, (see /d?e), why? Because") == "GET /a HTTP/1.1, (see /d), why? Because"


@pytest.mark.parametrize("unit", ["a", "?", "x?", "://", "a://", "f", "fe80:", "ff:fe", ":", "basic ", "@", ";", "/"])
def test_a_strangers_text_cannot_hold_up_the_run(unit: str) -> None:
    """Quadratic patterns would take minutes here; linear ones take milliseconds."""
    redactor().text(unit * (400_000 // len(unit)))


def test_a_body_is_cut_between_characters() -> None:
    body = redactor().redact(exchange(body_start="€" * 1000)).body_start
    assert body == "€" * (MAX_BODY // 3)


def test_lone_surrogates_become_text_that_can_be_sealed() -> None:
    record = NotRun(id=ObsId("o1"), step=StepId("s"), began_ns=0, ended_ns=0, why="crashed", what="x\udcff")
    assert redactor().redact(record).what == "x\\udcff"


@given(st.text())
def test_any_text_can_be_sealed_afterwards_and_is_stable(text: str) -> None:
    once = redactor().text(text)
    once.encode()
    assert redactor().redact(exchange(body_start=text)).body_start is not None


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (URL, "https://api.vendor.test/v1/items"),
        ("https://a.test", "https://a.test"),
        ("https://a.test:8443/x/y", "https://a.test:8443/x/y"),
        ("https://a.test?x=1", "https://a.test"),
        ("https://a.test#x", "https://a.test"),
        ("https://u@[2001:db8::1]:1/p", "https://[2001:db8::1]:1/p"),
        ("https://u:p@ss@a.test/", "https://a.test/"),
        ("https:\\\\u:p@a.test\\x?y", "https:\\\\a.test\\x"),
        ("//u:p@a.test/x?y", "//a.test/x"),
        ("u:p@a.test/x", "a.test/x"),
        ("/relative?x=1#y", "/relative"),
        ("/@scope/pkg", "/@scope/pkg"),
        ("@scope/pkg", "@scope/pkg"),
        ("?only=query", ""),
        ("", ""),
        ("https://a.test:port/[", "https://a.test:port/["),
    ],
)
def test_clean_url(url: str, clean: str) -> None:
    assert clean_url(url) == clean
    assert clean_url(clean) == clean


def test_secrets_are_found_in_each_spelling() -> None:
    found = secrets_in("https://me:p%40ss%26word@a.test/?q=two%20words&flag")
    assert {"p%40ss%26word", "p@ss&word", "two%20words", "two words", "flag"} <= found
    assert "p@ss&amp;word" in found


def test_every_kept_header_has_its_reason_and_its_form() -> None:
    for name, reason in (KEPT | KEPT_BY_PREFIX).items():
        assert name == name.lower()
        assert reason.strip()
        assert is_kept(name)


@pytest.mark.parametrize(
    "name",
    [
        "set-cookie",
        "cookie",
        "authorization",
        "proxy-authorization",
        "link",
        "refresh",
        "x-datadome-clientid",
        "x-datadome-cid",
    ],
)
def test_headers_that_carry_sessions_or_urls_are_dropped(name: str) -> None:
    assert clean_header(Header(name=name, value="x")) is None
    assert clean_header(Header(name=name.upper(), value="x")) is None


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Retry-After", "600", "600"),
        ("RateLimit-Remaining", "0", "0"),
        ("WWW-Authenticate", 'Digest realm="x", nonce="y"', "Digest"),
        ("Proxy-Authenticate", "", ""),
        ("Location", "https://u:p@a.test/x?y=z#f", "https://a.test/x"),
        ("Server", "n" * 600, "n" * MAX_VALUE),
        ("X-Kpsdk-Ct", "0a1b2c-token-of-a-browser", ""),
        ("X-Vercel-Mitigated", "challenge", "challenge"),
    ],
)
def test_kept_headers(name: str, value: str, kept: str) -> None:
    assert clean_header(Header(name=name, value=value)) == Header(name=name.lower(), value=kept)


def test_one_of_each_is_redacted_without_a_change_of_type() -> None:
    for record in one_of_each():
        assert type(redactor().redact(record)) is type(record)
