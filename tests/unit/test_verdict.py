"""Standings, masks and the verdict: hand-made catalogues for the rules, the whole catalogue for what must never be."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netdiag.facts import (
    AddressState,
    ConnectState,
    Fact,
    Facts,
    HttpState,
    MachineFacts,
    NameFacts,
    TargetFacts,
    TlsState,
    seen,
)
from netdiag.facts.agent import AgentFacts, AgentRun
from netdiag.faults import CATALOGUE
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean
from netdiag.verdict import Hypothesis, Verdict, clean, decide
from netdiag.verdict_standing import known, rivals
from tests.test_catalogue import FACT_NAMES
from tests.unit.faults.host.arbitrary import FACTS, TROUBLED

FAILING = Facts(
    host="api.vendor.test",
    target=TargetFacts(
        works=seen(False, ("main:o1",)),
        addresses=seen(
            (AddressState(address="198.51.100.7", family=4, source=("system",), works=False),), ("main:o1",)
        ),
    ),
)


def fault(
    code: str,
    lean: Lean = Lean.SUPPORTS,
    *,
    rivals: tuple[str, ...] = (),
    masked_by: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    likely: bool = False,
    possible: bool = False,
    explains: bool = True,
    settle_next: str | None = None,
) -> Fault:
    """A fault that always finds the same."""
    finding = Finding(
        lean=lean,
        because=f"{code} was seen.",
        facts=(),
        witnesses=(f"main:{code}",),
        at_most_likely=likely,
        at_most_possible=possible,
        explains=explains,
        settle_next=settle_next,
    )
    return Fault(
        code=code,
        title=f"Title of {code}",
        needs=needs,
        assess=lambda _: finding,
        reply=f"Reply of {code}.",
        rivals=rivals,
        masked_by=masked_by,
    )


def judged(*faults: Fault, facts: Facts = FAILING) -> Verdict:
    return decide(facts, faults)


def standing(verdict: Verdict, code: str) -> str:
    return next(one.standing for one in verdict.hypotheses if one.fault == code)


def short(verdict: Verdict) -> tuple[str, str | None, str | None]:
    return verdict.side, verdict.certainty, verdict.fault


class TestStandings:
    def test_what_is_not_known_is_not_assessed_and_says_for_want_of_what(self) -> None:
        verdict = judged(fault("host.a.b", Lean.SETTLES, needs=("names.needed", "target.works")))
        (one,) = verdict.hypotheses
        assert (one.standing, one.missing) == ("not_assessed", ("names.needed",))
        assert one.because == "Not assessed: names.needed is not known."

    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            (fault("host.a.b", Lean.SETTLES), "settled"),
            (fault("host.a.b", Lean.SETTLES, likely=True), "likely"),
            (fault("host.a.b", Lean.SETTLES, possible=True), "possible"),
            (fault("host.a.b", Lean.SUPPORTS), "likely"),
            (fault("host.a.b", Lean.SUPPORTS, possible=True), "possible"),
            (fault("host.a.b", Lean.SILENT), "possible"),
            (fault("host.a.b", Lean.OPPOSES), "opposed"),
        ],
    )
    def test_a_lean_and_its_caps_make_a_standing(self, made: Fault, expected: str) -> None:
        assert standing(judged(made), "host.a.b") == expected

    @pytest.mark.parametrize(
        ("rival", "expected"),
        [
            (fault("local.c.d", Lean.OPPOSES), "likely"),
            (fault("local.c.d", Lean.SILENT), "possible"),
            (fault("local.c.d", Lean.SUPPORTS), "possible"),
            (fault("local.c.d", Lean.SILENT, needs=("names.needed",)), "possible"),
            (fault("host.c.d", Lean.SILENT), "likely"),
        ],
    )
    def test_support_is_likely_only_when_rivals_of_other_sides_are_eliminated(
        self, rival: Fault, expected: str
    ) -> None:
        assert standing(judged(fault("host.a.b", rivals=(rival.code,)), rival), "host.a.b") == expected

    def test_rivalry_is_mutual(self) -> None:
        pair = (fault("host.a.b"), fault("local.c.d", Lean.SILENT, rivals=("host.a.b",)))
        assert rivals(pair) == {"host.a.b": frozenset({"local.c.d"}), "local.c.d": frozenset({"host.a.b"})}
        assert standing(judged(*pair), "host.a.b") == "possible"

    def test_a_masked_rival_is_eliminated(self) -> None:
        verdict = judged(
            fault("host.a.b", rivals=("transit.c.d",)),
            fault("transit.c.d", masked_by=("host.e.f",)),
            fault("host.e.f", Lean.SETTLES),
        )
        assert standing(verdict, "transit.c.d") == "masked"
        assert standing(verdict, "host.a.b") == "likely"

    def test_what_is_masked_masks_nothing(self) -> None:
        verdict = judged(
            fault("host.a.b", Lean.SETTLES),
            fault("host.c.d", Lean.SETTLES, masked_by=("host.a.b",)),
            fault("host.e.f", Lean.SETTLES, masked_by=("host.c.d",)),
        )
        assert [one.standing for one in verdict.hypotheses] == ["settled", "masked", "settled"]
        assert verdict.hypotheses[1].masked_by == "host.a.b"

    def test_a_mere_possibility_masks_nothing(self) -> None:
        verdict = judged(fault("host.a.b", possible=True), fault("host.c.d", masked_by=("host.a.b",)))
        assert standing(verdict, "host.c.d") == "likely"


class TestSides:
    def test_an_artefact_establishes(self) -> None:
        verdict = judged(fault("host.a.b", Lean.SETTLES), fault("local.c.d", Lean.OPPOSES))
        assert short(verdict) == ("host", "established", "host.a.b")
        assert verdict.summary == "The fault is on the vendor's side: host.a.b was seen."
        assert verdict.reply == "Reply of host.a.b."
        assert verdict.next_evidence == ()

    def test_support_with_every_rival_excluded_establishes(self) -> None:
        pair = (fault("host.a.b", rivals=("local.c.d",)), fault("local.c.d", Lean.OPPOSES))
        assert short(judged(*pair)) == ("host", "established", "host.a.b")
        assert [one.says for one in judged(*pair).evidence] == ["host.a.b was seen.", "local.c.d was seen."]

    @pytest.mark.parametrize(
        "faults",
        [
            (fault("host.a.b"),),
            (fault("host.a.b", likely=True, rivals=("local.c.d",)), fault("local.c.d", Lean.OPPOSES)),
            (fault("host.a.b", rivals=("host.c.d",)), fault("host.c.d", Lean.SILENT)),
        ],
        ids=["no rival was ever excluded", "capped", "a rival of its own side is open"],
    )
    def test_support_is_likely_otherwise(self, faults: tuple[Fault, ...]) -> None:
        verdict = judged(*faults)
        assert short(verdict) == ("host", "likely", "host.a.b")
        assert verdict.reply.startswith("This is the most likely reading")
        assert verdict.summary.startswith("The fault is probably on the vendor's side")

    def test_a_suspect_that_stays_possible_decides_nothing(self) -> None:
        verdict = judged(fault("host.a.b", possible=True))
        assert short(verdict) == ("inconclusive", None, "host.a.b")

    def test_two_sides_decide_nothing(self) -> None:
        assert short(judged(fault("host.a.b"), fault("transit.c.d"))) == ("inconclusive", None, None)
        assert judged(fault("host.a.b", Lean.SETTLES), fault("local.c.d")).side == "inconclusive"

    def test_an_artefact_beside_a_mere_possibility_of_another_side_is_likely(self) -> None:
        verdict = judged(fault("host.a.b", Lean.SETTLES), fault("transit.c.d", possible=True))
        assert short(verdict) == ("host", "likely", "host.a.b")

    def test_support_beside_a_possibility_of_another_side_decides_nothing(self) -> None:
        assert judged(fault("host.a.b"), fault("transit.c.d", possible=True)).side == "inconclusive"

    def test_what_is_silent_is_no_suspect(self) -> None:
        assert short(judged(fault("host.a.b", Lean.SETTLES), fault("local.c.d", Lean.SILENT)))[:2] == (
            "host",
            "established",
        )
        assert short(judged(fault("local.c.d", Lean.SILENT))) == ("inconclusive", None, None)


class TestCodes:
    def test_several_in_one_group_give_the_group(self) -> None:
        verdict = judged(fault("host.block.everyone"), fault("host.block.source_address"))
        assert short(verdict) == ("host", "likely", "host.block")
        assert "“Title of host.block.everyone” or “Title of host.block.source_address”" in verdict.summary

    def test_a_bare_side_is_no_fault_and_both_are_named(self) -> None:
        verdict = judged(fault("host.block.everyone"), fault("host.machine.down"))
        assert short(verdict) == ("host", "likely", None)
        assert "Title of host.machine.down" in verdict.summary
        assert "Title of host.machine.down" in verdict.reply

    def test_rivals_that_lead_together_establish_the_group(self) -> None:
        verdict = judged(
            fault("host.block.a", rivals=("host.block.b", "local.c.d")),
            fault("host.block.b"),
            fault("local.c.d", Lean.OPPOSES),
        )
        assert short(verdict) == ("host", "established", "host.block")

    def test_the_strongest_name_the_fault(self) -> None:
        verdict = judged(fault("host.tls.expired", Lean.SETTLES), fault("host.service.closes"))
        assert short(verdict) == ("host", "established", "host.tls.expired")


class TestStrays:
    def test_a_real_fault_that_is_not_the_reason_is_said_and_does_not_lead(self) -> None:
        verdict = judged(
            fault("host.tls.expired", Lean.SETTLES), fault("local.ipv6.dead", Lean.SETTLES, explains=False)
        )
        assert short(verdict) == ("host", "established", "host.tls.expired")
        assert verdict.summary.endswith("Besides, and not the reason: local.ipv6.dead was seen.")
        assert standing(verdict, "local.ipv6.dead") == "settled"

    def test_it_is_said_of_a_healthy_run_too(self) -> None:
        verdict = judged(fault("local.ipv6.dead", Lean.SETTLES, explains=False), facts=healthy())
        assert short(verdict) == ("none", None, None)
        assert verdict.summary.endswith("It worked in spite of this: local.ipv6.dead was seen.")

    def test_a_limit_that_was_met_on_purpose_is_said_once_though_several_would_explain_it(self) -> None:
        several = [
            fault(f"host.limit.{name}", possible=True, explains=False) for name in ("connections", "concurrency")
        ]
        verdict = judged(*several, facts=healthy())
        assert verdict.summary.endswith("It worked in spite of this: host.limit.connections was seen.")
        assert "in spite" not in judged(fault("host.tls.expired", possible=True), facts=healthy()).summary


class TestNextEvidence:
    def test_the_control_run_comes_first_while_there_is_none(self) -> None:
        one = fault("host.a.b", likely=True, settle_next="Look here.")
        assert judged(one).next_evidence == (CONTROL_RUN, "Look here.")

    def test_what_most_suspects_ask_for_comes_first(self) -> None:
        run = AgentRun(name="control1", usable=True, minutes_apart=3, works=True)
        facts = msgspec.structs.replace(FAILING, agent=AgentFacts(runs=seen((run,), ("control1:o1",))))
        asking = (
            fault("host.a.b", possible=True, settle_next="Once."),
            fault("host.c.d", possible=True, settle_next="Twice."),
            fault("host.e.f", possible=True, settle_next="Twice."),
            fault("host.g.h", possible=True, settle_next=CONTROL_RUN),
        )
        assert judged(*asking, facts=facts).next_evidence == ("Twice.", "Once.")

    def test_the_customers_own_side_needs_no_other_line(self) -> None:
        one = fault("local.a.b", likely=True, settle_next="Look here.")
        assert judged(one).next_evidence == ("Look here.",)

    def test_the_inconclusive_always_names_one(self) -> None:
        assert judged().next_evidence == (CONTROL_RUN,)
        assert CONTROL_RUN[1:] in judged().summary


def healthy(**changes: object) -> Facts:
    """A run in which everything worked."""
    state = AddressState(
        address="198.51.100.7",
        family=4,
        source=("configured", "system"),
        genuine=True,
        connect=ConnectState(how="open", attempts=2, worked=2),
        tls=TlsState(how="ok", verify_code=0),
        http=HttpState(how="answered", status=200),
        works=True,
        witnesses=("main:o4",),
    )
    facts = Facts(
        host="api.vendor.test",
        names=NameFacts(needed=seen(True, ("main:o1",)), system_resolves=seen(True, ("main:o2",))),
        target=TargetFacts(
            works=seen(True, ("main:o3",)),
            works_by_name=seen(True, ("main:o3",)),
            addresses=seen((state,), ("main:o3",)),
        ),
        machine=MachineFacts(proxy_settings_read=seen(True, ("main:o1",))),
    )
    return msgspec.structs.replace(facts, **changes)


class TestNone:
    def test_a_healthy_run_says_what_it_does_not_say(self) -> None:
        verdict = decide(healthy())
        assert short(verdict) == ("none", None, None)
        assert [(one.says, one.observations) for one in verdict.evidence] == [
            ("198.51.100.7 answered HTTP 200.", ("main:o4",))
        ]
        assert "the service over IPv6" in verdict.not_tested
        assert "anything behind a login" in verdict.not_tested

    def test_an_interrupted_run_says_so(self) -> None:
        verdict = decide(healthy(interrupted=True))
        assert "cut short" in verdict.summary
        assert len(verdict.not_tested) == len(decide(healthy()).not_tested) + 1

    def test_a_suspicion_counts_for_nothing_when_all_is_well(self) -> None:
        assert judged(fault("local.a.b", Lean.SETTLES), facts=healthy()).side == "none"

    def test_the_address_of_another_resolver_working_is_not_enough(self) -> None:
        names = NameFacts(needed=seen(True, ("main:o1",)), system_resolves=seen(False, ("main:o2",)))
        verdict = judged(fault("local.resolver.dead", Lean.SETTLES), facts=healthy(names=names))
        assert short(verdict) == ("local", "established", "local.resolver.dead")

    def test_nothing_known_is_inconclusive(self) -> None:
        verdict = decide(Facts())
        assert verdict.side == "inconclusive"
        assert all(one.standing in ("not_assessed", "possible", "opposed") for one in verdict.hypotheses)


many = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def other_sides(verdict: Verdict) -> list[Hypothesis]:
    return [
        one
        for one in verdict.hypotheses
        if one.standing in ("settled", "likely")
        and one.finding is not None
        and one.finding.explains
        and not one.fault.startswith(f"{verdict.side}.")
    ]


@many
@given(FACTS | TROUBLED)
def test_no_side_is_named_against_a_strong_hypothesis_of_another(facts: Facts) -> None:
    verdict = decide(facts)
    if verdict.certainty is not None:
        assert not other_sides(verdict)
    if verdict.certainty == "established":
        assert all(one.fault.startswith(f"{verdict.side}.") for one in verdict.hypotheses if one.suspect)


@many
@given(FACTS | TROUBLED)
def test_every_verdict_is_whole(facts: Facts) -> None:
    verdict = decide(facts)
    assert [one.fault for one in verdict.hypotheses] == [one.code for one in CATALOGUE]
    assert (verdict.certainty is None) == (verdict.side in ("none", "inconclusive"))
    assert verdict.fault is None or verdict.side == "inconclusive" or verdict.fault.startswith(f"{verdict.side}.")
    assert verdict.fault not in ("local", "transit", "host")
    assert verdict.summary.endswith((".", "?"))
    assert verdict.reply
    assert bool(verdict.not_tested) == (verdict.side == "none")
    assert verdict.next_evidence or verdict.side == "none" or verdict.certainty == "established"
    for one in verdict.hypotheses:
        assert one.because.endswith("."), one
        assert bool(one.missing) == (one.standing == "not_assessed")
        assert bool(one.masked_by) == (one.standing == "masked")
        if one.finding is not None:
            assert set(one.finding.facts) <= FACT_NAMES, one.fault
    assert decide(facts) == verdict


@many
@given(FACTS | TROUBLED)
def test_works_is_never_a_side(facts: Facts) -> None:
    if clean(facts):
        assert decide(facts).side == "none"


def forget(facts: Facts, names: list[str]) -> Facts:
    """The same facts with these unknown."""
    for name in names:
        section, _, field = name.partition(".")
        part = getattr(facts, section)
        facts = msgspec.structs.replace(facts, **{section: msgspec.structs.replace(part, **{field: Fact()})})
    return facts


FORGETTABLE = sorted(
    name
    for name in FACT_NAMES
    if "." in name and isinstance(getattr(getattr(Facts(), name.split(".")[0]), name.split(".")[1]), Fact)
)


@many
@given(FACTS | TROUBLED, st.lists(st.sampled_from(FORGETTABLE), min_size=1, max_size=4))
def test_forgetting_never_moves_an_established_fault_to_another_side(facts: Facts, names: list[str]) -> None:
    """What is known less well is said less firmly, never of somebody else with the same certainty."""
    before, after = decide(facts), decide(forget(facts, names))
    if before.certainty == "established" and after.certainty == "established":
        assert before.side == after.side


@given(st.sampled_from(FORGETTABLE))
def test_a_forgotten_fact_is_not_known(name: str) -> None:
    assert not known(forget(Facts(), [name]), name)
