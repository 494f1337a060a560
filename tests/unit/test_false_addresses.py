"""Addresses that may not be the vendor's: sinkholes, intercepted DNS, lies with independent servers out of reach."""

from collections.abc import Callable

import pytest

from netdiag.facts import Fact, Facts, NameFacts, ResolverState, seen
from netdiag.verdict import Verdict, decide
from netdiag.verdict_words import denied
from tests.fakes.records import CONTROL, HOST, NO_ROUTE, REFUSED, RESOLVER, SILENT, TARGET, Story, certificate
from tests.unit.facts import facts_of, state_of

LIE = "203.0.113.99"
PARKED = certificate(subject="CN=parked.example", names=("parked.example",))


def line(*given: str, public: tuple[str, ...] | None = (), scheme: str = "https") -> Story:
    """A healthy line, whose resolver gives ``given``, and public ones ``public`` (None: they are blocked)."""
    story = Story(f"{scheme}://{HOST}/")
    story.surroundings(names=False)
    story.system_lookup(*given)
    story.lookup(RESOLVER, *given)
    story.lookup(RESOLVER, CONTROL, use="control")
    if public is None:
        story.lookup("192.0.2.53", server_class="public", failure=SILENT)
    elif public:
        story.lookup("192.0.2.53", *public, server_class="public")
    return story


def forged_root(story: Story, *addresses: str) -> None:
    """The answer of a resolver that port 53 was redirected to, in a root server's place."""
    step = story.step("delegation", "resolver", story.host)
    story._lookups(
        step, story.host, addresses, server="198.41.0.4", server_class="parent", zone=".", flags=("AA", "RA"),
        recursion_desired=False,
    )  # fmt: skip


def wrong_name(story: Story) -> Story:
    story.connect(LIE)
    story.handshake(LIE, verify=62, chain=[PARKED])
    return story


def agent() -> Story:
    story = Story()
    story.surroundings()
    story.reach()
    story.http()
    return story


def verdict(story: Story, *agents: Story) -> Verdict:
    return decide(facts_of(story, *agents))


def standing(found: Verdict, code: str) -> str:
    return next(one.standing for one in found.hypotheses if one.fault == code)


@pytest.mark.parametrize("sinkhole", ["0.0.0.0", "127.0.0.1", "240.0.0.1"])
@pytest.mark.parametrize("failure", [REFUSED, NO_ROUTE])
def test_a_sinkhole_is_no_firewall(sinkhole: str, failure: object) -> None:
    story = line(sinkhole)
    story.connect(sinkhole, failure)  # type: ignore[arg-type]
    facts = facts_of(story)
    assert not facts.machine.local_refusal.known
    assert state_of(facts, sinkhole).genuine is False
    found = decide(facts)
    assert found.side == "inconclusive"
    assert [one.fault for one in found.hypotheses if one.suspect and "firewall" in one.fault] == []


def test_a_literal_loopback_is_meant() -> None:
    story = Story("https://127.0.0.10/", literal=True)
    story.surroundings(names=False)
    story.connect("127.0.0.10", REFUSED)
    assert state_of(facts_of(story), "127.0.0.10").genuine is True


def test_a_forged_root_discards_what_is_called_independent() -> None:
    story = wrong_name(line(LIE, public=(LIE,)))
    forged_root(story, LIE)
    facts = facts_of(story)
    assert facts.names.intercepted.value is True
    assert not facts.names.true_addresses.known
    assert state_of(facts, LIE).genuine is None
    assert standing(decide(facts), "host.tls.wrong_name") == "possible"


def test_a_root_that_refers_intercepts_nothing() -> None:
    story = wrong_name(line(LIE, public=(LIE,)))
    story.parent()
    facts = facts_of(story)
    assert facts.names.intercepted.value is False
    assert state_of(facts, LIE).genuine is True
    assert decide(facts).side == "host"


def test_an_agent_that_knows_other_addresses_takes_the_proof_away() -> None:
    facts = facts_of(wrong_name(line(LIE, public=(LIE,))), agent())
    assert state_of(facts, LIE).genuine is None
    assert decide(facts).side == "inconclusive"


@pytest.mark.parametrize("tell", [wrong_name, lambda story: (story.connect(LIE, REFUSED), story)[1]])
def test_nobody_vouches_where_public_dns_is_blocked(tell: Callable[[Story], Story]) -> None:
    found = verdict(tell(line(LIE, public=None)))
    assert found.side == "inconclusive"
    assert "--control" in found.next_evidence[0]


def test_an_agent_knows_the_truth_where_public_dns_is_blocked() -> None:
    facts = facts_of(wrong_name(line(LIE, public=None)), agent())
    assert facts.names.configured_lies.value == (LIE,)
    assert decide(facts).side in ("transit", "inconclusive")
    assert decide(facts).fault != "host.tls.wrong_name"


def test_an_agent_vouches_for_the_same_address() -> None:
    story = line(TARGET, public=None)
    story.connect(TARGET, REFUSED)
    assert state_of(facts_of(story, agent()), TARGET).genuine is True


@pytest.mark.parametrize(("forged", "side"), [(True, "inconclusive"), (False, "none")])
def test_plain_http_proves_nothing_where_dns_is_answered_for(forged: bool, side: str) -> None:
    story = line(LIE, public=(LIE,), scheme="http")
    if forged:
        forged_root(story, LIE)
    story.connect(LIE)
    story.http(LIE)
    assert verdict(story).side == side


def test_a_false_address_that_accepts_and_fails_at_tls_keeps_programs() -> None:
    story = wrong_name(line(TARGET, LIE, public=(TARGET,)))
    story.reach()
    story.http()
    facts = facts_of(story)
    assert facts.target.works_by_name.value is False
    assert decide(facts).side != "none"


def test_a_literal_asks_for_the_host_name() -> None:
    story = Story(f"https://{TARGET}/", literal=True)
    story.surroundings(names=False)
    story.connect()
    story.handshake(verify=64, chain=[certificate()])
    found = verdict(story)
    assert found.side == "inconclusive"
    assert any("host name" in text for text in found.next_evidence)


def test_a_name_that_everybody_denies_is_told() -> None:
    one = ResolverState(server=RESOLVER, server_class="configured", place="outside", target="nxdomain")
    facts = Facts(host="api.vendor.test", port=443, names=NameFacts(resolvers=seen((one,), ())))
    assert "does not exist" in (denied(facts) or "")
    assert "Too little" not in decide(facts).summary
    assert denied(Facts(host="api.vendor.test", names=NameFacts(resolvers=Fact()))) is None
