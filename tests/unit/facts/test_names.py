"""Resolvers, authorities, lies."""

from collections.abc import Callable

import pytest

from netdiag.facts import Basis
from tests.fakes.records import (
    CONTROL,
    GATEWAY,
    PUBLIC_RESOLVER,
    REFUSED,
    RESOLVER,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    certificate,
    port_unreachable,
)
from tests.unit.facts import facts_of, state_of

LIE = "10.66.0.1"
ELSEWHERE = "192.0.2.200"


def asked(tell: Callable[[Story], object], *, machine: bool = True) -> Story:
    story = Story()
    if machine:
        story.machine()
    tell(story)
    return story


@pytest.mark.parametrize(
    ("tell", "outcome"),
    [
        (lambda s: s.lookup(RESOLVER, TARGET), "answers"),
        (lambda s: s.lookup(RESOLVER, TARGET6), "answers"),
        (lambda s: s.lookup(RESOLVER), "nodata"),
        (lambda s: s.lookup(RESOLVER, rcode=3), "nxdomain"),
        (lambda s: s.lookup(RESOLVER, rcode=2), "servfail"),
        (lambda s: s.lookup(RESOLVER, rcode=5), "refused"),
        (lambda s: s.lookup(RESOLVER, rcode=4), "other_rcode"),
        (lambda s: s.lookup(RESOLVER, failure=SILENT), "silent"),
        (lambda s: s.lookup(RESOLVER, failure=REFUSED), "unreachable"),
        (lambda s: s.lookup(RESOLVER, failure=port_unreachable(RESOLVER)), "unreachable"),
    ],
)
def test_outcomes(tell: Callable[[Story], object], outcome: str) -> None:
    names = facts_of(asked(tell)).names
    assert names.resolvers.value is not None
    assert names.resolvers.value[0].target == outcome
    assert names.configured_resolve.value is (outcome == "answers")
    assert not names.independent_resolve.known


@pytest.mark.parametrize(
    ("server", "place"),
    [
        ("127.0.0.53", "own"),
        (GATEWAY, "lan"),
        ("192.168.1.99", "lan"),
        ("10.0.0.53", "private"),
        ("100.64.0.53", "private"),
        (RESOLVER, "outside"),
    ],
)
def test_where_a_resolver_stands(server: str, place: str) -> None:
    names = facts_of(asked(lambda s: s.lookup(server, TARGET))).names
    assert names.resolvers.value is not None
    assert names.resolvers.value[0].place == place


def test_a_forwarder_that_resolves_only_controls() -> None:
    story = asked(lambda s: s.lookup(GATEWAY, rcode=2, ede=(22,)))
    story.lookup(GATEWAY, CONTROL, use="control")
    story.lookup(GATEWAY, use="random", rcode=3)
    names = facts_of(story).names
    assert names.resolvers.value is not None
    state = names.resolvers.value[0]
    assert (state.place, state.target, state.control, state.random_answers) == ("lan", "servfail", "answers", False)
    assert state.extended_errors == (22,)


def test_a_random_name_that_is_answered() -> None:
    story = asked(lambda s: s.lookup(RESOLVER, TARGET))
    story.lookup(RESOLVER, "203.0.113.99", use="random")
    names = facts_of(story).names
    assert names.resolvers.value is not None
    assert names.resolvers.value[0].random_answers is True


def test_only_tcp() -> None:
    story = asked(lambda s: s.lookup(RESOLVER, failure=SILENT))
    story.lookup(RESOLVER, TARGET, transport_="tcp")
    names = facts_of(story).names
    assert names.resolvers.value is not None
    assert (names.resolvers.value[0].tcp_only, names.resolvers.value[0].target) == (True, "answers")


@pytest.mark.parametrize(
    ("tell", "outcome"),
    [
        (lambda s: s.authority(TARGET), "answers"),
        (lambda s: s.authority(TARGET, aa=False), "lame"),
        (lambda s: s.authority(rcode=3), "nxdomain"),
        (lambda s: s.authority(), "nodata"),
        (lambda s: s.authority(rcode=5, aa=False), "refused"),
        (lambda s: s.authority(rcode=2, aa=False), "servfail"),
        (lambda s: s.authority(failure=SILENT), "silent"),
    ],
)
def test_authorities(tell: Callable[[Story], object], outcome: str) -> None:
    names = facts_of(asked(tell)).names
    assert names.authorities.value is not None
    assert names.authorities.value[0].outcome == outcome
    assert names.independent_resolve.value is (outcome == "answers")
    assert names.true_addresses.value == ((TARGET,) if outcome == "answers" else None)
    assert names.delegated.value is True


def test_the_parent_says_that_there_is_no_such_name() -> None:
    names = facts_of(asked(lambda s: s.parent(rcode=3))).names
    assert names.delegated.value is False
    assert names.parents_answer.value is True


def test_silent_parents() -> None:
    names = facts_of(asked(lambda s: s.parent(failure=SILENT))).names
    assert names.parents_answer.value is False
    assert not names.delegated.known


def test_a_literal_needs_no_names() -> None:
    story = Story(f"https://{TARGET}/", literal=True)
    story.machine()
    story.well()
    facts = facts_of(story)
    assert facts.names.needed.value is False
    assert state_of(facts, TARGET).genuine is True
    assert state_of(facts, TARGET).source == ("literal",)


def lied_to(address: str) -> Story:
    story = Story()
    story.machine()
    story.lookup(RESOLVER, address)
    story.lookup(PUBLIC_RESOLVER, TARGET, server_class="public")
    story.authority(TARGET)
    story.healthy_controls()
    story.well()
    return story


def test_a_private_answer_for_a_public_name_is_a_lie() -> None:
    facts = facts_of(lied_to(LIE))
    assert facts.names.configured_lies.value == (LIE,)
    assert facts.names.answer_is_private.value is True
    assert facts.target.works.value is True  # of the true address


def test_a_foreign_certificate_is_a_lie() -> None:
    story = lied_to(ELSEWHERE)
    story.connect(ELSEWHERE)
    story.handshake(
        ELSEWHERE, verify=62, chain=[certificate("CN=Portal", names=("portal.test",), key_sha256="99" * 32)]
    )
    facts = facts_of(story)
    assert facts.names.configured_lies.value == (ELSEWHERE,)
    assert state_of(facts, ELSEWHERE).genuine is False
    assert facts.names.answer_is_private.value is False


def test_another_address_with_a_good_certificate_is_the_cdns() -> None:
    story = lied_to(ELSEWHERE)
    story.reach(ELSEWHERE)
    story.http(ELSEWHERE)
    facts = facts_of(story)
    assert facts.names.configured_lies.value == ()
    assert state_of(facts, ELSEWHERE).genuine is True


@pytest.mark.parametrize("verify", [9, 10])
def test_an_expired_certificate_for_the_name_is_no_lie(verify: int) -> None:
    story = lied_to(ELSEWHERE)
    story.connect(ELSEWHERE)
    story.handshake(ELSEWHERE, verify=verify, chain=[certificate(key_sha256="99" * 32)])
    facts = facts_of(story)
    assert not facts.names.configured_lies.known
    assert state_of(facts, ELSEWHERE).genuine is None


def test_the_same_bad_certificate_at_a_true_address_is_no_lie() -> None:
    story = Story()
    story.surroundings()
    story.lookup(RESOLVER, ELSEWHERE)
    for address in (TARGET, ELSEWHERE):
        story.connect(address)
        story.handshake(address, verify=20)
    assert state_of(facts_of(story), ELSEWHERE).genuine is None


def test_a_good_certificate_proves_nothing_while_tls_is_intercepted() -> None:
    story = lied_to(ELSEWHERE)
    ours = certificate("CN=Office Inspection CA")
    story.connect(ELSEWHERE)
    story.handshake(ELSEWHERE, chain=[ours], mozilla=20)
    assert state_of(facts_of(story), ELSEWHERE).genuine is None


def test_an_unmeasured_answer_is_not_called_a_lie() -> None:
    assert not facts_of(lied_to(ELSEWHERE)).names.configured_lies.known


def test_an_answer_without_a_second_opinion_is_not_called_a_lie() -> None:
    story = asked(lambda s: s.lookup(RESOLVER, LIE))
    facts = facts_of(story)
    assert not facts.names.configured_lies.known
    assert facts.names.answer_is_private.value is True


def test_a_well_known_nat64_address_needs_no_look_up() -> None:
    story = lied_to("64:ff9b::c633:6407")
    story.connect("64:ff9b::c633:6407", SILENT)
    assert state_of(facts_of(story), "64:ff9b::c633:6407").genuine is True
    other = lied_to("64:ff9b::c000:201")
    other.connect("64:ff9b::c000:201", SILENT)
    assert state_of(facts_of(other), "64:ff9b::c000:201").genuine is None


def test_nat64_answers_are_genuine() -> None:
    synthesised = "64:ff9b::c633:6407"
    story = lied_to(synthesised)
    story.nat64()
    story.connect(synthesised, SILENT)
    facts = facts_of(story)
    assert state_of(facts, synthesised).genuine is True
    assert facts.names.configured_lies.value == ()
    assert facts.names.answer_is_private.value is False


def test_intercepted_port_53_leaves_nobody_independent() -> None:
    story = lied_to(LIE)
    story.canary(answered=True)
    names = facts_of(story).names
    assert names.canary_answered.value is True
    assert names.independent_resolve.basis is Basis.DISCARDED
    assert names.true_addresses.basis is Basis.DISCARDED
    assert not names.configured_lies.known


def test_public_resolvers_together_when_no_authority_answers() -> None:
    story = asked(lambda s: s.lookup(PUBLIC_RESOLVER, TARGET, server_class="public"))
    story.lookup("192.0.2.54", SECOND, server_class="public")
    story.authority(failure=SILENT)
    assert facts_of(story).names.true_addresses.value == (TARGET, SECOND)


def test_the_hosts_file_overrides() -> None:
    story = Story()
    story.machine(hosts=[ELSEWHERE])
    story.lookup(RESOLVER, TARGET)
    story.authority(TARGET)
    story.connect(ELSEWHERE, SILENT)
    facts = facts_of(story)
    assert facts.machine.hosts_override.value == (ELSEWHERE,)
    assert facts.machine.hosts_override_wrong.value is True
    assert state_of(facts, ELSEWHERE).genuine is False
    assert state_of(facts, ELSEWHERE).source == ("hosts",)


def test_a_hosts_file_that_agrees() -> None:
    story = Story()
    story.machine(hosts=[TARGET])
    story.lookup(RESOLVER, TARGET)
    story.connect(TARGET, SILENT)
    facts = facts_of(story)
    assert facts.machine.hosts_override_wrong.value is False
    assert state_of(facts, TARGET).genuine is None  # the configured resolver alone says so


def test_an_empty_hosts_file() -> None:
    facts = facts_of(asked(lambda s: s.lookup(RESOLVER, TARGET)))
    assert facts.machine.hosts_override.value == ()
    assert not facts.machine.hosts_override_wrong.known


@pytest.mark.parametrize(("gai", "resolves"), [(None, True), (2, False)])
def test_system_lookup(gai: int | None, resolves: bool) -> None:
    story = asked(lambda s: s.system_lookup(*(() if gai else (TARGET,)), gai_error=gai))
    assert facts_of(story).names.system_resolves.value is resolves


def test_what_an_application_meets() -> None:
    story = Story()
    story.surroundings()
    story.well()
    assert facts_of(story).target.works_by_name.value is True
    lied = lied_to(LIE)
    lied.system_lookup(LIE)
    lied.connect(LIE, SILENT)
    assert facts_of(lied).target.works_by_name.value is False
    unresolved = lied_to(TARGET)
    unresolved.system_lookup(gai_error=3)
    facts = facts_of(unresolved)
    assert facts.target.works_by_name.value is False
    assert facts.target.works.value is True


def test_an_aaaa_question_alone_claims_no_nodata() -> None:
    story = asked(lambda s: s.lookup(RESOLVER))
    story._records = [record for record in story._records if getattr(record, "rrtype", "AAAA") == "AAAA"]
    names = facts_of(story).names
    assert names.resolvers.value is not None
    assert names.resolvers.value[0].target is None
    assert not names.configured_resolve.known


def test_sources() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET)
    assert state_of(facts_of(story), TARGET).source == ("configured", "public", "authority", "system")


def test_an_answer_without_dnssec_checking_is_no_answer() -> None:
    story = asked(lambda s: s.lookup(RESOLVER, rcode=2, ede=(6,)))
    story.lookup(RESOLVER, TARGET, unchecked=True)
    names = facts_of(story).names
    assert names.resolvers.value is not None
    state = names.resolvers.value[0]
    assert (state.target, state.addresses, state.answers_unchecked) == ("servfail", (), True)
    assert names.configured_resolve.value is False
