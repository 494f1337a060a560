"""Which questions follow which answers, at one resolver."""

import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import Nat64
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import StepId
from netdiag.probes import dns, nat64
from netdiag.probes.base import OutOfTimeError, Question, Stamp
from netdiag.probes.nat64 import prefix_in
from tests.fakes.internet import REFUSED, SILENT, Internet, Reply
from tests.fakes.world import FakeWorld

SERVER = "192.0.2.53"
PARAMS = {"class": "configured", "name": "a.test", "use": "target"}
STEP = Step(id=StepId("q"), probe="dns", role="resolver", subject=SERVER, params=PARAMS)


def ask(internet: Internet) -> list[tuple[str, str, int, bool, int | None]]:
    seen = dns.PROBE.run(STEP, FakeWorld(query=internet.query))
    return [
        (one.rrtype, one.transport, one.attempt, one.checking_disabled, one.rcode)
        for one in seen
        if isinstance(one, Lookup)
    ]


def both(*tails: tuple[str, int, bool, int | None]) -> list[tuple[str, str, int, bool, int | None]]:
    return [(rrtype, *tail) for rrtype in ("A", "AAAA") for tail in tails]


@pytest.mark.parametrize("reply", [Reply(answers=["a.test A 192.0.2.1"]), REFUSED, Reply(rcode=3), Reply(rcode=1)])
def test_one_answer_is_enough(reply: Reply) -> None:
    assert ask(Internet({SERVER: {"a.test": reply}})) == both(("udp", 1, False, reply.rcode))


def test_silence_is_asked_again_and_over_tcp() -> None:
    internet = Internet({}, over_tcp={SERVER: Reply()})
    assert ask(internet) == both(("udp", 1, False, None), ("udp", 2, False, None), ("tcp", 1, False, 0))


def test_the_check_at_the_end_asks_once() -> None:
    again = Step(id=StepId("q"), probe="dns", role="resolver", subject=SERVER, params=PARAMS, round=2)
    assert len(list(dns.PROBE.run(again, FakeWorld(query=Internet({}).query)))) == 2  # A and AAAA


def test_truncation_goes_to_tcp_at_once() -> None:
    internet = Internet({SERVER: {"a.test": Reply(flags=["TC"])}})
    assert ask(internet) == both(("udp", 1, False, 0), ("tcp", 1, False, 0))


def test_servfail_is_asked_again_without_checking() -> None:
    assert ask(Internet({SERVER: {"a.test": Reply(rcode=2)}})) == both(("udp", 1, False, 2), ("udp", 1, True, 2))


def test_what_was_seen_before_the_deadline_is_kept() -> None:
    internet = Internet({SERVER: {"a.test": Reply()}})

    def query(stamp: Stamp, question: Question) -> Lookup:
        if question.rrtype == "AAAA":
            raise OutOfTimeError
        return internet.query(stamp, question)

    seen: list[Observation] = []
    with pytest.raises(OutOfTimeError):
        seen.extend(dns.PROBE.run(STEP, FakeWorld(query=query)))
    assert [one.id for one in seen] == ["o1"]


def find(internet: Internet) -> Nat64:
    last = list(nat64.PROBE.run(STEP, FakeWorld(query=internet.query)))[-1]
    assert isinstance(last, Nat64)
    return last


def test_nat64_is_found_missing_or_unknown() -> None:
    there = Reply(answers=["ipv4only.arpa AAAA 64:ff9b::c000:aa"])
    assert find(Internet({SERVER: {"arpa": there}})).prefix == "64:ff9b::/96"
    missing = find(Internet({SERVER: {"arpa": Reply()}}))
    assert (missing.prefix, missing.failure) == (None, None)
    unknown = find(Internet({SERVER: {"arpa": SILENT}}))
    assert unknown.prefix is None
    assert unknown.failure is not None


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        # The examples of RFC 6052 section 2.4, with 192.0.0.170 in place of 192.0.2.33.
        ("2001:db8:c000:aa::", "2001:db8::/32"),
        ("2001:db8:1c0:0:aa::", "2001:db8:100::/40"),
        ("2001:db8:122:c000:0:aa00::", "2001:db8:122::/48"),
        ("2001:db8:122:3c0:0:aa::", "2001:db8:122:300::/56"),
        ("2001:db8:122:344:c0:0:aa00:0", "2001:db8:122:344::/64"),
        ("2001:db8:122:344::192.0.0.171", "2001:db8:122:344::/96"),
        ("2001:db8::1", None),
        ("192.0.0.170", None),
    ],
)
def test_each_length_of_prefix_is_read(address: str, prefix: str | None) -> None:
    assert prefix_in(address) == prefix
