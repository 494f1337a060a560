"""What was seen, in sentences: no verdict, no false zero, 80 columns, and every kind of record has its words."""

import re
import typing
from typing import Literal

import msgspec
import pytest

from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId
from netdiag.facts import (
    AddressState,
    AuthorityState,
    ConnectState,
    Facts,
    MachineFacts,
    NameFacts,
    ResolverState,
    TargetFacts,
    seen,
)
from netdiag.facts.machine import LocalRefusal
from netdiag.facts.names import Outcome
from netdiag.reports.collected import Sealed, collected_json, collected_text
from netdiag.reports.inside import KINDS, inside, inside_json, inside_text
from netdiag.reports.live import doing, found
from netdiag.reports.observed import in_brief, observed
from netdiag.reports.origin import origin_json, origin_text
from netdiag.reports.summary import PASTE_LINES, paste_block, summary
from netdiag.reports.words import count, listing, span
from tests.fakes.bundles import sample_bundle
from tests.unit.reports.samples import FACTS, TRICKS, source, tricky

VERDICT_WORDS = ("fault", "blame", "blocked", "guilty", "established", "likely")


def said(facts: Facts) -> str:
    return " ".join(one.says for section in observed(facts) for one in section.sights)


def test_nothing_seen_says_nothing() -> None:
    assert observed(Facts()) == ()
    assert in_brief(Facts()) == ()


def test_there_is_no_verdict_in_it() -> None:
    words = summary(sample_bundle(), FACTS).lower()
    assert "not a verdict" in words
    for word in VERDICT_WORDS:
        assert not re.search(rf"\b{word}\b", words)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (LocalRefusal(how="no_route", errno=101), "no route to the target"),
        (LocalRefusal(how="policy", errno=1), "does not permit sending"),
        (LocalRefusal(how="own_icmp"), "ICMP error of this machine itself"),
    ],
)
def test_local_refusals(refusal: LocalRefusal, words: str) -> None:
    assert words in said(Facts(machine=MachineFacts(local_refusal=seen(refusal, ()))))


def test_unknown_is_not_told_as_no() -> None:
    state = AddressState(address="198.51.100.7", family=4, source=("configured",), works=None)
    words = said(Facts(host="api.vendor.test", target=TargetFacts(addresses=seen((state,) * 3, ()))))
    assert "not measured" in words
    silent = ConnectState(how="silent", attempts=1, worked=0)
    reset = ConnectState(how="reset", attempts=1, worked=0)
    states = (
        state,
        msgspec.structs.replace(state, connect=silent),
        msgspec.structs.replace(state, connect=reset),
    )
    assert "0 worked and 0 failed" in in_brief(Facts(target=TargetFacts(addresses=seen(states, ()))))[-1]


def test_no_answer_after_one_attempt_has_no_count() -> None:
    state = AddressState(
        address="198.51.100.7",
        family=4,
        source=("configured",),
        connect=ConnectState(how="silent", attempts=1, worked=0),
    )
    assert (
        said(Facts(target=TargetFacts(addresses=seen((state,), ()))))
        == "198.51.100.7: no answer to the connection attempt."
    )


@pytest.mark.parametrize("trick", ["", *TRICKS])
def test_screens_have_80_columns_and_show_everything(trick: str) -> None:
    _, facts, (one,) = tricky(trick)
    sealed = Sealed(path="b.zip", raw=b"abc", bundle=one.bundle, facts=facts, fingerprint=one.provenance.key)
    found_inside = inside(one.bundle, {"README.txt": 1})
    for screen in (
        summary(one.bundle, facts),
        collected_text(sealed),
        collected_json(sealed),
        inside_text(found_inside),
        inside_json(found_inside),
        origin_text(one, "b.zip"),
        origin_json(one, "b.zip"),
    ):
        for line in screen.splitlines():
            assert line.isprintable()
            assert len(line) <= 80 or screen.startswith("{")


@pytest.mark.parametrize("brief", [(), ("short",), ("a long sentence " * 10,) * 7])
def test_the_paste_block_fits(brief: tuple[str, ...]) -> None:
    one = source(ticket="T-1")
    host = ".".join(["a" * 60] * 4)
    bundle = msgspec.structs.replace(one.bundle, target=msgspec.structs.replace(one.bundle.target, host=host))
    block = paste_block(bundle, brief, sha256="ab" * 32, fingerprint=one.provenance.key)
    assert len(block.splitlines()) <= PASTE_LINES
    assert max(len(line) for line in block.splitlines()) <= 80
    for must in ("ab" * 32, one.provenance.key, bundle.run_id, "2026-03-14 09:26:53 UTC", "T-1"):
        assert must in block


def test_every_kind_of_record_has_its_words() -> None:
    kinds = {kind.__struct_config__.tag for kind in typing.get_args(Observation)}
    assert set(KINDS) == kinds


def test_live_lines_of_every_kind() -> None:
    bundle = sample_bundle()
    steps = {step.id: step for step in bundle.plan}
    news = [found(steps[one.step], one) for one in bundle.observations]
    lines = [one.line for one in news if one is not None]
    assert "198.51.100.7:443: no answer" in lines
    assert "198.51.100.8:443: communication administratively prohibited (ICMP 3/13) from 192.0.2.1" in lines
    assert all(line.isprintable() for line in lines)
    assert all(all(doing(step)) for step in bundle.plan)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "250 ms"), (3.14, "3.1 s"), (3.0, "3 s"), (75, "1 min 15 s"), (3600, "1 h"), (266_400, "3 days 2 h")],
)
def test_span(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_counts_and_lists() -> None:
    assert (count(1, "probe"), count(1200, "probe")) == ("1 probe", "1,200 probes")
    assert listing("ab") == "a and b"
    assert listing("abcdefgh", most=4) == "a, b, c and 5 more"


def test_what_netdiag_left_out_is_its_own_restraint() -> None:
    bundle = sample_bundle()
    step = bundle.plan[0].id
    record = NotRun(id=ObsId("o999"), step=step, began_ns=0, ended_ns=1, why="declined", what="manners", detail="spent")
    with_it = msgspec.structs.replace(bundle, observations=(*bundle.observations, record))
    words = " ".join(summary(with_it, FACTS).split())
    assert "some packets of a path walk: left out, so as not to burden the vendor" in words
    assert "customer declined" not in words


def test_name_servers_that_agree_share_a_sentence() -> None:
    def resolver(server: str, server_class: Literal["configured", "public"], target: Outcome) -> ResolverState:
        given = ("198.51.100.7",) if target == "answers" else ()
        return ResolverState(
            server=server,
            server_class=server_class,
            place="outside",
            target=target,
            addresses=given,
            witnesses=(server,),
        )

    agreeing = (resolver("192.0.2.1", "configured", "answers"), resolver("192.0.2.2", "public", "answers"))
    own = AuthorityState(server="192.0.2.9", server_name=None, outcome="answers", addresses=("198.51.100.7",))
    names = NameFacts(resolvers=seen(agreeing, ()), authorities=seen((own,), ()))
    assert said(Facts(names=names)) == (
        "The configured resolver 192.0.2.1, the public resolver 192.0.2.2 and the zone's own server 192.0.2.9"
        " give 198.51.100.7."
    )
    differing = (
        resolver("192.0.2.1", "configured", "nxdomain"),
        *agreeing[1:],
        resolver("192.0.2.3", "public", "silent"),
    )
    assert said(Facts(names=NameFacts(resolvers=seen(differing, ())))) == (
        "The configured resolver 192.0.2.1 says that the name does not exist (NXDOMAIN)."
        " The public resolver 192.0.2.2 gives 198.51.100.7. The public resolver 192.0.2.3 gives no answer."
    )
