"""The governor as tables, and the property that no sequence of calls ever exceeds a limit."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Role
from netdiag.evidence.record import Icmp, ObsId, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Stamp
from netdiag.probes.manners import (
    OPEN_CONNECTIONS,
    REQUEST_GAP_NS,
    REQUESTS,
    ROUTER_BURST,
    ROUTER_FOLLOW_UPS,
    ROUTER_GAP_NS,
    ROUTER_PROBES,
    ROUTER_SAMPLES,
    SYN_WINDOW_NS,
    SYNS,
    SYNS_IF_NONE_ACCEPTED,
    WALK_SYNS,
    Governor,
    Place,
    Purpose,
)
from netdiag.probes.walk_manners import WalkManners

S = 1_000_000_000
VENDOR = ("203.0.113.7", 443)
FOR_EVER = 3600 * S


def governor_of(*, accepts: bool) -> Governor:
    """One whose vendor has accepted a connection, or not yet."""
    governor = Governor()
    if accepts:
        governor.accepted(VENDOR)
    return governor


@pytest.mark.parametrize(("accepts", "most"), [(True, SYNS), (False, SYNS_IF_NONE_ACCEPTED)])
def test_so_many_syns_leave_at_once_and_the_next_waits_for_the_window(accepts: bool, most: int) -> None:
    governor = governor_of(accepts=accepts)
    assert [governor.syns(VENDOR, 1, now_ns=0, wait_ns=0) for _ in range(most)] == [Place(0)] * most
    assert governor.syns(VENDOR, 1, now_ns=S, wait_ns=10 * S) is None
    late = governor.syns(VENDOR, 1, now_ns=S, wait_ns=FOR_EVER)
    assert late is not None
    assert late.at_ns >= SYN_WINDOW_NS


def test_an_accepted_syn_leaves_less_for_those_that_follow() -> None:
    governor = Governor()
    assert governor.syns(VENDOR, SYNS, now_ns=0, wait_ns=0) is not None
    governor.accepted(VENDOR)
    assert governor.syns(VENDOR, 1, now_ns=S, wait_ns=10 * S) is None
    assert governor.syns((VENDOR[0], 80), SYNS_IF_NONE_ACCEPTED, now_ns=S, wait_ns=0) is not None


def test_a_walk_that_is_accepted_says_so() -> None:
    governor = Governor()
    walk = WalkManners(governor).walk()
    asked = probe(2, 2)
    assert walk.admit(asked, 0, 0) is not None
    walk.learn(msgspec.structs.replace(met(asked, None), answer="syn_ack", replier=VENDOR[0]))
    assert governor.syns(VENDOR, SYNS, now_ns=0, wait_ns=0) is None
    assert governor.syns(VENDOR, SYNS - 1, now_ns=0, wait_ns=0) is not None


@pytest.mark.parametrize(("first", "second", "fits"), [(2, 2, True), (2, 3, False), (4, 1, False), (1, 6, False)])
def test_planned_retransmissions_count(first: int, second: int, fits: bool) -> None:
    governor = governor_of(accepts=True)
    assert governor.syns(VENDOR, first, now_ns=0, wait_ns=0) is not None
    assert (governor.syns(VENDOR, second, now_ns=0, wait_ns=0) is not None) is fits


def test_what_was_not_sent_is_given_back() -> None:
    governor = governor_of(accepts=True)
    place = governor.syns(VENDOR, SYNS, now_ns=0, wait_ns=0)
    assert place is not None
    governor.unsent(VENDOR, SYNS - 1, place)
    assert governor.syns(VENDOR, SYNS - 1, now_ns=0, wait_ns=0) == Place(0)
    assert governor.syns(VENDOR, 1, now_ns=0, wait_ns=0) is None


def test_addresses_and_ports_are_counted_apart() -> None:
    governor = Governor()
    for endpoint in (VENDOR, (VENDOR[0], 80), ("203.0.113.8", 443)):
        assert governor.syns(endpoint, SYNS, now_ns=0, wait_ns=0) is not None


def test_a_walk_gets_two_syns_however_long_it_waits() -> None:
    governor = Governor()
    for _ in range(WALK_SYNS):
        assert governor.syns(VENDOR, 1, now_ns=0, wait_ns=0, walk="w") is not None
    assert governor.syns(VENDOR, 1, now_ns=40 * S, wait_ns=FOR_EVER, walk="w") is None
    assert governor.syns(VENDOR, 1, now_ns=40 * S, wait_ns=FOR_EVER, walk="other") is not None


def test_two_connections_may_be_open() -> None:
    governor = Governor()
    assert [governor.open(VENDOR) for _ in range(3)] == [True] * OPEN_CONNECTIONS + [False]
    governor.closed(VENDOR)
    assert governor.open(VENDOR)


def test_requests_are_a_second_apart_and_end_at_twenty() -> None:
    governor = Governor()
    places = [governor.request(now_ns=0, wait_ns=FOR_EVER) for _ in range(REQUESTS)]
    assert places == [Place(number * REQUEST_GAP_NS) for number in range(REQUESTS)]
    assert governor.request(now_ns=100 * S, wait_ns=FOR_EVER) is None


def test_a_router_gets_three_at_once_then_one_a_second_and_twelve_in_all() -> None:
    governor = Governor()
    places = [governor.router(4, 5, now_ns=0, wait_ns=FOR_EVER) for _ in range(ROUTER_PROBES + 1)]
    burst = [Place(0)] * ROUTER_BURST
    paced = [Place(number * S) for number in range(1, ROUTER_PROBES - ROUTER_BURST + 1)]
    assert places == [*burst, *paced, None]
    assert governor.router(6, 5, now_ns=0, wait_ns=0) == Place(0)


def test_what_looks_closer_and_what_counts_losses_leave_each_other_their_places() -> None:
    governor = Governor()
    budgets: dict[Purpose, int] = {"walk": ROUTER_PROBES, "follow_up": ROUTER_FOLLOW_UPS, "sample": ROUTER_SAMPLES}
    asked = [(purpose, number) for purpose, most in budgets.items() for number in range(most + 1)]
    places = {
        one: governor.router(4, 5, now_ns=at * S, wait_ns=FOR_EVER, purpose=one[0]) for at, one in enumerate(asked)
    }
    assert [one for one, place in places.items() if place is None] == list(budgets.items())


def test_what_counts_losses_keeps_the_pace_of_all_others() -> None:
    governor = Governor()
    for _ in range(ROUTER_BURST):
        assert governor.router(4, 5, now_ns=0, wait_ns=0, purpose="follow_up") == Place(0)
    assert governor.router(4, 5, now_ns=0, wait_ns=0, purpose="sample") is None


def test_the_own_gateway_is_exempt() -> None:
    governor = Governor()
    assert {governor.router(4, 1, now_ns=7, wait_ns=0) for _ in range(100)} == {Place(7)}


Call = tuple[Literal["syns", "open", "closed", "request", "router"], int, int, int]
calls = st.lists(
    st.tuples(
        st.sampled_from(["syns", "open", "closed", "request", "router"]),
        st.integers(0, 4 * S),  # time that passes before the call
        st.integers(1, 4),  # SYNs or TTL
        st.integers(0, 40) | st.just(3600),  # seconds that the caller would wait
    ),
    max_size=120,
)


@given(calls, st.booleans())
def test_no_sequence_of_calls_exceeds_a_limit(sequence: list[Call], accepts: bool) -> None:
    governor = governor_of(accepts=accepts)
    now = 0
    syns: list[int] = []
    requests: list[int] = []
    routers: dict[int, list[int]] = defaultdict(list)
    opened = 0
    for kind, passes, number, wait_s in sequence:
        now += passes
        wait = wait_s * S
        place: Place | None = None
        if kind == "syns":
            place = governor.syns(VENDOR, number, now, wait)
            syns += [] if place is None else [place.at_ns] * number
        elif kind == "request":
            place = governor.request(now, wait)
            requests += [] if place is None else [place.at_ns]
        elif kind == "router":
            place = governor.router(4, number, now, wait)
            routers[number] += [] if place is None else [place.at_ns]
        elif kind == "open":
            opened += governor.open(VENDOR)
        elif opened:
            governor.closed(VENDOR)
            opened -= 1
        assert opened <= OPEN_CONNECTIONS
        assert place is None or now <= place.at_ns <= now + wait

    for at in syns:
        most = SYNS if accepts else SYNS_IF_NONE_ACCEPTED
        assert sum(at - SYN_WINDOW_NS < other <= at for other in syns) <= most
    assert len(requests) <= REQUESTS
    ordered = sorted(requests)
    assert all(later - earlier >= REQUEST_GAP_NS for earlier, later in pairwise(ordered))
    for ttl, sent in routers.items():
        if ttl == 1:
            continue
        assert len(sent) <= ROUTER_PROBES
        for at in sent:
            for gaps in range(ROUTER_PROBES):
                inside = sum(at <= other <= at + gaps * ROUTER_GAP_NS for other in sent)
                assert inside <= ROUTER_BURST + gaps


def probe(number: int, ttl: int, *, role: Role = "target", address: str = VENDOR[0], step: str = "walk") -> HopProbe:
    stamp = Stamp(id=ObsId(f"o{number}"), step=StepId(step), role=role)
    return HopProbe(stamp=stamp, address=address, port=443, protocol="tcp", ttl=ttl, flow=ttl)


def met(asked: HopProbe, icmp: tuple[int, int] | None, sender: str = "198.51.100.1") -> HopReply:
    return HopReply(
        id=asked.stamp.id,
        step=asked.stamp.step,
        began_ns=0,
        ended_ns=1,
        address=asked.address,
        port=asked.port,
        protocol="tcp",
        mode="unprivileged",
        flow=asked.flow,
        ttl=asked.ttl,
        answer="none" if icmp is None else "icmp",
        replier=None if icmp is None else sender,
        icmp=None if icmp is None else Icmp(type=icmp[0], code=icmp[1], sender=sender),
    )


def test_a_walk_over_an_answering_path_spends_no_syn_at_the_vendor() -> None:
    governor = Governor()
    walk = WalkManners(governor).walk()
    for number in range(2, 12):
        asked = probe(number, ttl=number)
        assert walk.admit(asked, 0, 0) is not None
        walk.learn(met(asked, (11, 0)))
    assert governor.syns(VENDOR, SYNS_IF_NONE_ACCEPTED, now_ns=0, wait_ns=0) is not None


def test_silent_syns_of_a_walk_are_spent_and_the_third_is_refused() -> None:
    governor = Governor()
    manners = WalkManners(governor)
    walk = manners.walk()
    for ttl in (2, 3):
        asked = probe(ttl, ttl)
        assert walk.admit(asked, 0, 0) is not None
        walk.learn(met(asked, None))
    assert walk.admit(probe(4, 4), 0, FOR_EVER) is None
    assert manners.walk().admit(probe(5, 4), 0, FOR_EVER) is None  # a second call of the same walk
    assert governor.syns(VENDOR, SYNS_IF_NONE_ACCEPTED - WALK_SYNS, now_ns=0, wait_ns=0) is not None
    assert governor.syns(VENDOR, 1, now_ns=0, wait_ns=0) is None


def test_a_router_behind_a_silent_one_proves_that_the_syn_did_not_reach_the_vendor() -> None:
    governor = Governor()
    walk = WalkManners(governor).walk()
    star, beyond = probe(2, 2), probe(3, 3)
    assert walk.admit(star, 0, 0) is not None
    assert walk.admit(beyond, 0, 0) is not None
    walk.learn(met(beyond, (11, 0)))
    walk.learn(met(star, None))
    assert governor.syns(VENDOR, SYNS_IF_NONE_ACCEPTED, now_ns=0, wait_ns=0) is not None


@pytest.mark.parametrize(("sender", "spent"), [("198.51.100.9", 0), (VENDOR[0], 1)])
def test_a_refusal_spends_a_syn_only_when_the_vendor_sent_it(sender: str, spent: int) -> None:
    governor = Governor()
    walk = WalkManners(governor).walk()
    asked = probe(2, 2)
    assert walk.admit(asked, 0, 0) is not None
    walk.learn(met(asked, (3, 13), sender))
    assert governor.syns(VENDOR, SYNS_IF_NONE_ACCEPTED - spent, now_ns=0, wait_ns=0) is not None
    assert governor.syns(VENDOR, 1, now_ns=0, wait_ns=0) is None


def test_a_probe_is_counted_by_what_it_is_for() -> None:
    walk = WalkManners(Governor()).walk()
    blank = msgspec.structs.replace(probe(0, 9, role="control"), protocol="udp", follow_up=True)
    for sample, most in ((False, ROUTER_FOLLOW_UPS), (True, ROUTER_SAMPLES)):
        asked = msgspec.structs.replace(blank, sample=sample)
        admitted = Counter(walk.admit(asked, number * S, FOR_EVER) is not None for number in range(most + 1))
        assert admitted == {True: most, False: 1}


def test_controls_and_packets_that_end_at_the_gateway_spend_nothing_of_the_vendors() -> None:
    walk = WalkManners(Governor()).walk()
    admitted = Counter(walk.admit(probe(n, 9, role="control"), 0, FOR_EVER) is not None for n in range(ROUTER_PROBES))
    assert admitted == {True: ROUTER_PROBES}
    assert all(walk.admit(probe(100 + n, 1), 0, 0) is not None for n in range(50))


def test_on_loopback_the_first_hop_is_the_vendor() -> None:
    walk = WalkManners(Governor()).walk()
    asked = [walk.admit(probe(n, 1, address="127.0.0.1"), 0, FOR_EVER) is not None for n in range(WALK_SYNS + 1)]
    assert asked == [True] * WALK_SYNS + [False]


def test_the_pause_counts_from_when_a_request_really_left() -> None:
    governor = Governor()
    late = 300_000_000
    assert governor.request_leaves(late) == 0
    assert governor.request_leaves(REQUEST_GAP_NS) == late
    assert governor.request_leaves(REQUEST_GAP_NS + late) == 0
    assert governor.request_leaves(2 * REQUEST_GAP_NS + late) == 0
