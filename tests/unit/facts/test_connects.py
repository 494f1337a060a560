"""How a connect went, who said so, and whether it was this machine itself."""

import pytest

from netdiag.evidence.record import Failure, FailureCode
from tests.fakes.records import (
    CARRIER,
    EACCES,
    EDGE,
    EHOSTUNREACH,
    EINVAL,
    ENETUNREACH,
    EPERM,
    EXCHANGE,
    GATEWAY,
    ISP,
    NO_ROUTE,
    OWN,
    REFUSED,
    RESET,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    failed,
    icmp,
    port_unreachable,
    prohibited,
)
from tests.unit.facts import Prefixes, facts_of, state_of


def story_with(failure: Failure | None, address: str = TARGET, *, ms: float | None = None) -> Story:
    story = Story()
    story.surroundings(ipv6=":" in address)
    story.connect(address, failure, ms=ms)
    return story


@pytest.mark.parametrize(
    ("failure", "address", "how", "place"),
    [
        (None, TARGET, "open", None),
        (SILENT, TARGET, "silent", None),
        (REFUSED, TARGET, "refused", None),
        (RESET, TARGET, "reset", None),
        (prohibited(TARGET), TARGET, "icmp", "target"),
        (port_unreachable(TARGET), TARGET, "icmp", "target"),
        (prohibited(GATEWAY), TARGET, "icmp", "gateway"),
        (prohibited("10.9.9.9"), TARGET, "icmp", "private"),
        (prohibited("100.64.3.1"), TARGET, "icmp", "shared"),
        (prohibited(CARRIER), TARGET, "icmp", "path"),
        (prohibited(EDGE), TARGET, "icmp", "vendor"),  # the target's own /24
        (prohibited(OWN), TARGET, "local", "self"),
        (prohibited("2001:db8:99::1"), TARGET6, "icmp", "path"),  # EACCES, and yet remote
        (NO_ROUTE, TARGET, "local", None),
        (failed(FailureCode.UNREACHABLE, EACCES), TARGET, "local", None),
        (failed(FailureCode.UNREACHABLE, EHOSTUNREACH), TARGET, "local", None),
        (failed(FailureCode.UNCLASSIFIED, EINVAL), TARGET, "local", None),
        (failed(FailureCode.DENIED_LOCALLY, EPERM), TARGET, "local", None),
    ],
)
def test_how(failure: Failure | None, address: str, how: str, place: str | None) -> None:
    state = state_of(facts_of(story_with(failure, address)), address)
    assert state.connect is not None
    assert (state.connect.how, state.connect.sender_place) == (how, place)
    assert state.works is (None if how == "open" else False)
    assert state.failed_at == (None if how == "open" else "connect")


def test_an_error_without_an_error_queue_is_not_called_local() -> None:
    story = Story()
    story.machine(error_queue=None)
    story.connect(TARGET, NO_ROUTE)
    state = state_of(facts_of(story), TARGET)
    assert state.connect is not None
    assert (state.connect.how, state.connect.icmp) == ("icmp", None)


def test_silence_needs_its_time() -> None:
    short = state_of(facts_of(story_with(SILENT, ms=400)), TARGET)
    assert short.connect is None
    assert short.works is None


def test_an_errno_that_comes_late_is_no_refusal() -> None:
    story = Story()
    story.machine()
    story.connect(TARGET, NO_ROUTE, ms=3060, attempts=1)
    story.connect(TARGET, SILENT, attempts=1)
    facts = facts_of(story)
    state = state_of(facts, TARGET)
    assert state.connect is not None
    assert (state.connect.how, state.connect.attempts) == ("silent", 1)
    assert not facts.machine.local_refusal.known


def test_packets_to_a_control_are_not_packets_to_the_target() -> None:
    story = Story()
    story.machine()
    story.healthy_controls()
    story.connect(TARGET, prohibited(OWN))
    story.walk("192.0.2.80", (GATEWAY, ISP), role="control")
    assert facts_of(story).machine.target_leaves.value is False


def test_an_icmp_error_shows_that_the_error_queue_works() -> None:
    story = Story()
    story.machine(error_queue=None)
    story.walk(TARGET, (GATEWAY,), end="silent")
    story.connect(TARGET, NO_ROUTE)
    state = state_of(facts_of(story), TARGET)
    assert state.connect is not None
    assert state.connect.how == "local"


def test_attempts_add_up() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT, attempts=1)
    story.connect(TARGET, syns=3)
    state = state_of(facts_of(story), TARGET)
    assert state.connect is not None
    assert (state.connect.how, state.connect.attempts, state.connect.worked) == ("open", 2, 1)
    assert state.connect.syn_lost == 4  # two without an answer, and two sent again


def test_a_reject_that_falls_silent_is_still_a_reject() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT, attempts=1)
    story.connect(TARGET, port_unreachable(TARGET), attempts=1)
    state = state_of(facts_of(story), TARGET)
    assert state.connect is not None
    assert state.connect.how == "icmp"
    assert state.connect.span_ms == 3000


def test_what_follows_a_burst_does_not_count() -> None:
    story = Story()
    story.surroundings()
    story.well()
    story.connect(TARGET, REFUSED, after_burst=True)
    assert facts_of(story).target.works.value is True


def test_senders_by_the_walk() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, prohibited(EXCHANGE))
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), protocol="icmp")
    state = state_of(facts_of(story), TARGET)
    assert state.connect is not None
    assert state.connect.sender_place == "vendor"  # directly before the target


def test_a_router_on_the_way_to_controls_is_not_the_vendors() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, prohibited(EXCHANGE))
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), protocol="icmp")
    story.walk("192.0.2.80", (GATEWAY, ISP, CARRIER, EXCHANGE), role="control")
    state = state_of(facts_of(story), TARGET)
    assert state.connect is not None
    assert state.connect.sender_place == "path"


def test_senders_by_the_profile() -> None:
    state = state_of(facts_of(story_with(prohibited(CARRIER)), profile=Prefixes("203.0.113.64/26")), TARGET)
    assert state.connect is not None
    assert state.connect.sender_place == "vendor"


def test_private_routers_beyond_the_first_public_one_are_not_the_customers() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, prohibited("10.9.9.9"))
    story.walk(TARGET, (GATEWAY, "10.1.1.1", ISP, "10.9.9.9", CARRIER), end="silent")
    facts = facts_of(story)
    state = state_of(facts, TARGET)
    assert state.connect is not None
    assert state.connect.sender_place == "path"
    walk = facts.path.target4.value
    assert walk is not None
    assert [hop.place for hop in walk.hops[:5]] == ["gateway", "private", "public", "public", "public"]


@pytest.mark.parametrize(
    ("failure", "how"),
    [
        (NO_ROUTE, "no_route"),
        (failed(FailureCode.UNREACHABLE, EHOSTUNREACH), "reject_route"),
        (failed(FailureCode.UNCLASSIFIED, EINVAL), "reject_route"),
        (failed(FailureCode.UNREACHABLE, EACCES), "policy"),
        (failed(FailureCode.DENIED_LOCALLY, EPERM), "policy"),
        (prohibited(OWN), "own_icmp"),
        (SILENT, None),
        (REFUSED, None),
        (prohibited(GATEWAY), None),
    ],
)
def test_local_refusals(failure: Failure, how: str | None) -> None:
    story = Story()
    story.machine()
    story.connect(TARGET, failure)
    refusal = facts_of(story).machine.local_refusal
    assert (refusal.value.how if refusal.value else None) == how


def test_a_prohibit_route_is_told_from_a_policy_by_the_route() -> None:
    story = Story()
    story.machine()
    story.route(errno=EACCES)
    story.connect(TARGET, failed(FailureCode.UNREACHABLE, EACCES))
    refusal = facts_of(story).machine.local_refusal.value
    assert refusal is not None
    assert refusal.how == "reject_route"


def test_no_ipv6_is_no_refusal() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT)
    story.connect(TARGET6, NO_ROUTE)
    assert not facts_of(story).machine.local_refusal.known


def test_no_ipv4_behind_nat64_is_no_refusal() -> None:
    story = Story()
    story.machine(gateway=None, own="", ipv6=True)
    story.nat64()
    story.connect(TARGET, NO_ROUTE)
    story.connect("64:ff9b::c633:6407")
    assert not facts_of(story).machine.local_refusal.known


def test_a_reset_by_this_machine() -> None:
    story = Story()
    story.surroundings(names=False)
    story.egress(target="reset")
    story.connect(TARGET, REFUSED)
    facts = facts_of(story)
    refusal = facts.machine.local_refusal.value
    state = state_of(facts, TARGET)
    assert refusal is not None
    assert state.connect is not None
    assert (refusal.how, state.connect.how, state.connect.sender_place) == ("own_reset", "local", "self")


@pytest.mark.parametrize("target", ["gateway", "silent"])
def test_a_reset_from_afar_is_not_this_machine(target: str) -> None:
    story = Story()
    story.machine()
    story.egress(target=target)
    story.connect(TARGET, REFUSED)
    facts = facts_of(story)
    assert not facts.machine.local_refusal.known
    assert facts.machine.target_leaves.value is True


def test_a_dropped_output_is_seen_by_the_ttl_1_test() -> None:
    story = Story()
    story.machine()
    story.egress(target="silent", udp_denied=True)
    story.connect(TARGET, SILENT)
    facts = facts_of(story)
    refusal = facts.machine.local_refusal.value
    assert refusal is not None
    assert (refusal.how, refusal.errno) == ("policy", EPERM)
    assert facts.machine.target_leaves.value is False


def test_denied_udp_alone_is_no_refusal() -> None:
    story = Story()
    story.machine()
    story.egress(target="gateway", udp_denied=True)
    story.connect(TARGET, SILENT)
    facts = facts_of(story)
    assert not facts.machine.local_refusal.known
    assert facts.machine.target_leaves.value is True


def test_a_gateway_that_does_not_answer_arp() -> None:
    story = Story()
    story.machine(neighbour="stale")
    story.connect(TARGET, icmp(3, 1, OWN), ms=3070)
    facts = facts_of(story)
    state = state_of(facts, TARGET)
    assert state.connect is not None
    assert (state.connect.how, state.connect.sender_place) == ("icmp", "self")
    assert facts.machine.gateway_neighbour_alive.value is False
    assert not facts.machine.local_refusal.known
    assert not facts.machine.target_leaves.known


def test_enetunreach_without_a_default_route() -> None:
    story = Story()
    story.machine(gateway=None)
    story.connect(TARGET, failed(FailureCode.UNREACHABLE, ENETUNREACH))
    facts = facts_of(story)
    assert facts.machine.default_route4.value is False
    assert facts.machine.local_refusal.value is not None


def test_search_keys_of_a_failing_connect() -> None:
    story = story_with(SILENT)
    keys = dict(state_of(facts_of(story), TARGET).search_keys)
    assert keys["source_address"] == OWN
    assert keys["utc"].startswith("2026-03-14T09:26:5")
    assert "source_port" in keys


def test_a_rule_for_one_port() -> None:
    story = Story()
    story.machine()
    story.egress(target="silent", other_port="gateway", udp_denied=True)
    story.connect(TARGET, SILENT)
    facts = facts_of(story)
    egress = facts.machine.egress4.value
    assert egress is not None
    assert (egress.target, egress.other_port, egress.control) == ("silent", "gateway", "gateway")
    assert facts.machine.local_refusal.value is not None


def test_a_reset_at_ttl_1_that_may_be_our_own_shows_no_packet_leaving() -> None:
    story = Story()
    story.machine()
    story.egress(target="reset", control="silent")
    story.connect(TARGET, REFUSED)
    facts = facts_of(story)
    assert not facts.machine.local_refusal.known
    assert not facts.machine.target_leaves.known


@pytest.mark.parametrize(("queue", "how"), [(True, "local"), (False, "icmp")])
def test_eacces_is_local_only_where_a_remote_error_would_be_seen(queue: bool, how: str) -> None:
    story = Story()
    story.machine(ipv6=True, error_queue=queue)
    story.connect(TARGET6, failed(FailureCode.DENIED_LOCALLY, EACCES))
    state = state_of(facts_of(story), TARGET6)
    assert state.connect is not None
    assert state.connect.how == how
