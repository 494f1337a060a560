"""Faults of the path: a drop, a loop and a refusal must be shown not to be the vendor's before transit is named."""

from types import ModuleType
from typing import Any

import pytest

from netdiag.facts import AddressState, Facts, Proxy, TlsState, Walk
from netdiag.faults.transit import (
    path_black_hole,
    path_loop,
    path_prohibited,
    path_unreachable,
    tamper_reset_by_name,
)
from tests.unit.faults.local.stage import (
    DEAD,
    GATEWAY,
    HEALTHY,
    ROUTERS,
    VENDOR,
    VENDOR6,
    agent,
    control_walk,
    controls,
    facts,
    failing,
    judged,
    machine,
    opened,
    path,
    refused_by,
    target,
    walk,
    word,
)

SILENT_TARGET = target(failing())
BORDER = "198.51.100.1"


def ends(*routers: str, others: tuple[Walk, ...] = (), health: dict[str, bool] = HEALTHY, **more: object) -> Facts:
    """The walk to the target ends in silence after ``routers``; ``others`` are the walks to controls."""
    change: dict[str, Any] = {
        name: more.pop(name) for name in ("same_flow", "shared_until", "beyond_cleared") if name in more
    }
    extra = {"others": more.pop("siblings")} if "siblings" in more else {}
    walks = path(walk(*routers, **change), controls=others, **extra)
    return facts(**({"target": SILENT_TARGET, "controls": controls(**health), "path": walks} | more))


DIES_THERE = control_walk(*ROUTERS[:3], end="silent", address="192.0.2.81")
PASSES = control_walk(*ROUTERS)
ICMP_ON = walk(*ROUTERS, "203.0.113.33", end="open", protocol="icmp")


def answering_otherwise() -> AddressState:
    state = failing()
    return AddressState(
        address=state.address,
        family=state.family,
        source=state.source,
        connect=state.connect,
        works=False,
        failed_at="connect",
        answers_otherwise=True,
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(ends(*ROUTERS[:3], others=(DIES_THERE,)), "capped", id="others-vanish-after-the-same-router"),
        pytest.param(
            ends(*ROUTERS[:3], others=(DIES_THERE,), health=DEAD), "capped", id="all-die-beyond-the-customers-nat"
        ),
        pytest.param(
            ends(
                *ROUTERS[:3],
                others=(DIES_THERE,),
                health=DEAD,
                machine=machine(own_addresses=("203.0.113.200",), lan_prefixes=("203.0.113.192/26",)),
            ),
            "possible",
            id="all-die-on-a-campus-with-public-addresses",
        ),
        pytest.param(ends(*ROUTERS[:3], others=(DIES_THERE, PASSES)), "possible", id="another-control-passes-it"),
        pytest.param(
            ends(*ROUTERS[:3], others=(PASSES,), siblings=(ICMP_ON,)), "capped", id="icmp-passes-where-tcp-vanishes"
        ),
        pytest.param(
            ends(*ROUTERS[:3], siblings=(ICMP_ON,), target=target(answering_otherwise())),
            "possible",
            id="icmp-passes-but-that-router-may-be-the-vendors",
        ),
        pytest.param(ends(*ROUTERS[:3], others=(PASSES,)), "possible", id="alone-it-is-a-suspect"),
        pytest.param(ends(GATEWAY, "100.64.0.1"), "possible", id="after-cgnat"),
        pytest.param(ends(*ROUTERS[:3], others=(DIES_THERE,), same_flow=False), "possible", id="not-on-one-flow"),
        pytest.param(ends(*ROUTERS[:3], shared_until=4), "opposes", id="inside-the-part-that-a-control-clears"),
        pytest.param(ends(*ROUTERS[:3], shared_until=3, others=(PASSES,)), "possible", id="after-the-shared-part"),
        pytest.param(ends(*ROUTERS[:3], beyond_cleared=6), "silent", id="answered-from-beyond"),
        pytest.param(ends(*ROUTERS[:3], target=target(answering_otherwise())), "silent", id="another-port-answers"),
        pytest.param(ends(*ROUTERS, BORDER), "silent", id="at-the-vendors-border"),
        pytest.param(ends(GATEWAY, others=(PASSES,)), "silent", id="after-the-gateway"),
        pytest.param(ends(GATEWAY, "10.120.0.1"), "possible", id="after-a-private-hop-of-whomever"),
        pytest.param(ends(), "silent", id="no-hop"),
        pytest.param(
            ends(*ROUTERS[:3], agent=agent(fails_elsewhere=True)), "possible", id="another-line-may-share-the-way"
        ),
        pytest.param(ends(*ROUTERS[:3], agent=agent(works_elsewhere=True)), "possible", id="works-elsewhere"),
        pytest.param(ends(*ROUTERS[:3], target=target(failing("refused"))), "opposes", id="refused"),
        pytest.param(ends(*ROUTERS[:3], target=target(refused_by("203.0.113.9", "path", 3, 13))), "opposes", id="icmp"),
        pytest.param(
            ends(*ROUTERS[:3], others=(DIES_THERE,), target=target(opened(), works=True)), "opposes", id="target-works"
        ),
        pytest.param(
            ends(*ROUTERS[:3], others=(DIES_THERE,), machine=machine(proxy=Proxy(where="10.0.0.8:3128"))),
            "silent",
            id="proxy-not-tried",
        ),
        pytest.param(facts(target=SILENT_TARGET), "silent", id="no-walk"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_black_hole(given: Facts, expected: str) -> None:
    assert word(judged(path_black_hole.FAULT, given)) == expected


def test_two_families_that_end_apart_point_to_what_they_share() -> None:
    """IPv4 ends in mid-path, IPv6 at the vendor's border: two breaks at once are less likely than the vendor's drop."""
    given = facts(
        target=target(failing(), failing(address=VENDOR6)),
        controls=controls(any_healthy=True, any_healthy4=True, any_healthy6=True),
        path=path(
            walk(*ROUTERS[:3]),
            target6=walk("fe80::1", "2001:db8:1::1", address=VENDOR6, last_seen_place="vendor"),
            controls=(DIES_THERE,),
        ),
    )
    assert word(judged(path_black_hole.FAULT, given)) == "silent"


def test_a_dead_family_is_left_out() -> None:
    given = facts(
        target=target(failing(), failing(address=VENDOR6)),
        controls=controls(any_healthy=True, any_healthy4=True, any_healthy6=False),
        path=path(
            walk(*ROUTERS[:3]),
            target6=walk("fe80::1", address=VENDOR6),
            controls=(DIES_THERE,),
        ),
    )
    assert word(judged(path_black_hole.FAULT, given)) == "capped"


def looping(*routers: str, controls_pass: tuple[str, ...] = (), **more: object) -> Facts:
    change: dict[str, Any] = {"same_flow": more.pop("same_flow", True)}
    walks = path(walk(*routers, end="loop", **change), controls=(control_walk(*controls_pass),))
    return facts(**({"target": SILENT_TARGET, "controls": controls(**HEALTHY), "path": walks} | more))


A, B = "203.0.113.9", "203.0.113.17"
CIRCLE = (GATEWAY, "203.0.113.1", A, B, A, B, A, B)
WITH_BORDER = (GATEWAY, "203.0.113.1", A, BORDER, A, BORDER, A, BORDER)
INSIDE = (*ROUTERS, "198.51.100.1", "198.51.100.2", "198.51.100.1", "198.51.100.2")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(looping(*CIRCLE, controls_pass=(*ROUTERS[:3], B)), "settles", id="at-routers-that-carry-others"),
        pytest.param(looping(*CIRCLE, controls_pass=ROUTERS[:3]), "capped", id="at-one-that-carries-others"),
        pytest.param(looping(*CIRCLE, profile_given=True), "possible", id="a-border-may-be-numbered-by-its-provider"),
        pytest.param(looping(*CIRCLE), "possible", id="whose-routers"),
        pytest.param(looping(*CIRCLE, controls_pass=ROUTERS[:3], same_flow=False), "possible", id="several-flows"),
        pytest.param(looping(*WITH_BORDER, controls_pass=ROUTERS[:3]), "possible", id="with-the-vendors-border"),
        pytest.param(looping(*INSIDE), "opposes", id="inside-the-vendor"),
        pytest.param(looping(GATEWAY, "192.168.0.1", GATEWAY, "192.168.0.1"), "silent", id="in-private-space"),
        pytest.param(looping(*CIRCLE, target=target(opened(), works=True)), "opposes", id="target-works"),
        pytest.param(ends(*ROUTERS[:3]), "opposes", id="no-loop"),
        pytest.param(facts(target=SILENT_TARGET), "silent", id="no-walk"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_loop(given: Facts, expected: str) -> None:
    assert word(judged(path_loop.FAULT, given)) == expected


def said(sender: str, place: str, code: int, *, passes: bool = False, type_: int = 3, **more: object) -> Facts:
    """A router refused the target; ``passes``: a healthy control's walk goes through it."""
    slow = {"elapsed_ms": more.pop("elapsed_ms")} if "elapsed_ms" in more else {}
    routers = (GATEWAY, sender) if passes else (GATEWAY,)
    values = {
        "target": target(refused_by(sender, place, type_, code, **slow)),
        "controls": controls(**HEALTHY),
        "path": path(controls=(control_walk(*routers),)),
    }
    return facts(**(values | more))


WORKS, FAILS = agent(works_elsewhere=True), agent(fails_elsewhere=True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(said(A, "path", 0, passes=True, agent=WORKS), "settles", id="carries-others-and-works-elsewhere"),
        pytest.param(said(A, "path", 0, passes=True), "capped", id="the-vendor-may-have-withdrawn-its-prefix"),
        pytest.param(said("100.64.0.1", "shared", 1), "capped", id="cgnat"),
        pytest.param(said("2001:db8:1::1", "path", 0, type_=1, passes=True), "capped", id="ipv6-no-route"),
        pytest.param(said(A, "path", 0, profile_given=True), "possible", id="a-border-may-be-numbered-by-its-provider"),
        pytest.param(said(A, "path", 0), "possible", id="whose-router"),
        pytest.param(said(A, "path", 0, passes=True, agent=FAILS), "possible", id="fails-elsewhere-too"),
        pytest.param(
            said(A, "path", 1, passes=True, elapsed_ms=3070), "possible", id="waited-for-a-neighbour-that-is-down"
        ),
        pytest.param(said(BORDER, "vendor", 1), "opposes", id="the-vendors-last-router"),
        pytest.param(said(GATEWAY, "gateway", 0), "opposes", id="the-gateway"),
        pytest.param(said("10.120.0.1", "private", 0), "silent", id="a-private-hop"),
        pytest.param(said(A, "path", 13, passes=True), "opposes", id="prohibited-is-another-fault"),
        pytest.param(said(A, "path", 0, target=target(opened(), works=True)), "opposes", id="target-works"),
        pytest.param(facts(target=SILENT_TARGET), "opposes", id="silence"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_unreachable(given: Facts, expected: str) -> None:
    assert word(judged(path_unreachable.FAULT, given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(said(A, "path", 13, passes=True), "settles", id="at-a-router-that-carries-others"),
        pytest.param(said(A, "path", 3, passes=True), "settles", id="port-unreachable-is-a-rule"),
        pytest.param(said("100.64.0.1", "shared", 13), "settles", id="cgnat"),
        pytest.param(said("2001:db8:1::1", "path", 1, type_=1, passes=True), "settles", id="ipv6"),
        pytest.param(
            said(A, "path", 13, profile_given=True), "possible", id="a-border-may-be-numbered-by-its-provider"
        ),
        pytest.param(said(A, "path", 13), "possible", id="whose-router"),
        pytest.param(said(A, "path", 13, passes=True, agent=FAILS), "possible", id="fails-elsewhere-too"),
        pytest.param(said(BORDER, "vendor", 13), "opposes", id="the-vendors-border"),
        pytest.param(said(VENDOR, "target", 3), "opposes", id="the-host"),
        pytest.param(said(GATEWAY, "gateway", 13), "opposes", id="the-gateway"),
        pytest.param(said("10.120.0.1", "private", 13), "possible", id="a-private-hop"),
        pytest.param(
            said(A, "path", 13, passes=True, machine=machine(proxy=Proxy(where="10.0.0.8:3128", control_ok=True))),
            "opposes",
            id="a-proxy-carries-the-traffic",
        ),
        pytest.param(facts(target=target(failing("refused"))), "opposes", id="a-reset"),
        pytest.param(facts(target=SILENT_TARGET), "opposes", id="silence"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_prohibited(given: Facts, expected: str) -> None:
    assert word(judged(path_prohibited.FAULT, given)) == expected


def test_a_refusal_at_the_vendors_end_outweighs_one_on_the_way() -> None:
    given = facts(
        target=target(refused_by(A, "path", 3, 13), refused_by("2001:db8:7::1", "vendor", 1, 1)),
        controls=controls(**HEALTHY),
        path=path(controls=(control_walk(GATEWAY, A),)),
    )
    assert word(judged(path_prohibited.FAULT, given)) == "opposes"


CUT = target(opened(works=False, tls=TlsState(how="reset", server_hello=False)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(facts(target=CUT, controls=controls(**HEALTHY)), "possible", id="by-whom-is-not-known"),
        pytest.param(facts(target=CUT, agent=FAILS), "possible", id="another-line-may-pass-a-filter-too"),
        pytest.param(facts(target=CUT, agent=WORKS), "possible", id="works-elsewhere-says-nothing-of-a-ban"),
        pytest.param(
            facts(target=target(opened(works=False, tls=TlsState(how="alert", alert=40)))), "opposes", id="an-alert"
        ),
        pytest.param(facts(target=target(opened(), works=True)), "opposes", id="target-works"),
        pytest.param(facts(target=SILENT_TARGET), "silent", id="no-tls"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_tamper(given: Facts, expected: str) -> None:
    assert word(judged(tamper_reset_by_name.FAULT, given)) == expected


@pytest.mark.parametrize("fault", [path_black_hole, path_loop], ids=["black-hole", "loop"])
def test_a_family_that_this_machine_does_not_have_says_nothing_of_the_way(fault: ModuleType) -> None:
    without = target(failing("local", VENDOR6), opened(works=False), works=False)
    assert word(judged(fault.FAULT, facts(target=without, controls=controls(**HEALTHY)))) == "opposes"
    nothing = target(failing("local", VENDOR6), works=False)
    assert word(judged(fault.FAULT, facts(target=nothing, controls=controls(**HEALTHY)))) == "silent"
