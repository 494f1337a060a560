"""Link, routes and gateway: the first metres."""

import pytest

from netdiag.facts import Facts, LocalRefusal, Proxy
from netdiag.faults.local import gateway_dead, link_down, route_missing, route_rejected
from tests.unit.faults.local.stage import (
    DEAD,
    HEALTHY,
    VENDOR6,
    controls,
    facts,
    failing,
    judged,
    machine,
    target,
    word,
)

NO_ROUTES = {"default_route4": False, "default_route6": False}
ONLY_6 = {"default_route4": False, "default_route6": True, "local_refusal": LocalRefusal(how="no_route", errno=101)}
WORKING = Proxy(where="proxy.corp.example:3128", connects=True, control_ok=True, target_ok=False, refusal=504)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(facts(machine=machine(link_up=False)), "settles", id="fires"),
        pytest.param(facts(machine=machine(link_up=False), target=target(works=True)), "opposes", id="target-works"),
        pytest.param(
            facts(machine=machine(link_up=False), controls=controls(**HEALTHY)), "opposes", id="others-answer"
        ),
        pytest.param(facts(machine=machine(link_up=True), controls=controls(**DEAD)), "opposes", id="link-is-up"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_link_down(given: Facts, expected: str) -> None:
    assert word(judged(link_down.FAULT, given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(facts(machine=machine(**NO_ROUTES), controls=controls(**DEAD)), "settles", id="fires"),
        pytest.param(
            facts(machine=machine(**NO_ROUTES, local_refusal=LocalRefusal(how="no_route"))), "settles", id="refused"
        ),
        pytest.param(facts(machine=machine(**NO_ROUTES)), "supports", id="route-tables-alone"),
        pytest.param(facts(machine=machine(**NO_ROUTES), target=target(works=True)), "opposes", id="target-works"),
        pytest.param(facts(machine=machine(**NO_ROUTES, target_leaves=True)), "opposes", id="on-link-private-target"),
        pytest.param(
            facts(machine=machine(**NO_ROUTES), controls=controls(**HEALTHY)), "opposes", id="vpn-with-two-half-routes"
        ),
        pytest.param(
            facts(machine=machine(default_route4=True, default_route6=False), controls=controls(**DEAD)),
            "opposes",
            id="no-ipv6-is-no-fault",
        ),
        pytest.param(
            facts(machine=machine(**ONLY_6, nat64_prefix="64:ff9b::/96"), target=target(failing("local"))),
            "opposes",
            id="nat64",
        ),
        pytest.param(
            facts(machine=machine(**ONLY_6, nat64_prefix=None), target=target(failing(address=VENDOR6))),
            "opposes",
            id="ipv6-only-line-and-target-has-ipv6",
        ),
        pytest.param(
            facts(machine=machine(**ONLY_6, nat64_prefix=None), target=target(failing("local"))),
            "supports",
            id="ipv6-only-line-without-nat64",
        ),
        pytest.param(
            facts(machine=machine(**ONLY_6), target=target(failing("local"))), "silent", id="nat64-not-looked-for"
        ),
        pytest.param(facts(machine=machine(default_route4=False)), "silent", id="ipv6-unknown"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_route_missing(given: Facts, expected: str) -> None:
    assert word(judged(route_missing.FAULT, given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(machine=machine(local_refusal=LocalRefusal(how="reject_route", errno=22))), "settles", id="fires"
        ),
        pytest.param(facts(machine=machine(local_refusal=LocalRefusal(how="policy"))), "opposes", id="local-firewall"),
        pytest.param(
            facts(machine=machine(local_refusal=LocalRefusal(how="reject_route")), target=target(works=True)),
            "opposes",
            id="target-works",
        ),
        pytest.param(
            facts(machine=machine(local_refusal=LocalRefusal(how="reject_route"), proxy=WORKING)),
            "opposes",
            id="proxy-carries-the-traffic",
        ),
        pytest.param(facts(machine=machine(target_leaves=True)), "opposes", id="packets-leave"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_route_rejected(given: Facts, expected: str) -> None:
    assert word(judged(route_rejected.FAULT, given)) == expected


ARP_FAILS = {"gateway_neighbour_alive": False, "gateway_answers": False}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(machine=machine(**ARP_FAILS, beyond_gateway_answers=False), controls=controls(**DEAD)),
            "settles",
            id="fires",
        ),
        pytest.param(facts(machine=machine(**ARP_FAILS), controls=controls(**DEAD)), "settles", id="controls-all-dead"),
        pytest.param(facts(machine=machine(**ARP_FAILS)), "supports", id="nothing-beyond-was-tried"),
        pytest.param(
            facts(machine=machine(gateway_answers=False, beyond_gateway_answers=False), controls=controls(**DEAD)),
            "supports",
            id="arp-unknown-so-only-a-suspect-beside-its-rival",
        ),
        pytest.param(
            facts(machine=machine(gateway_answers=False), controls=controls(**HEALTHY)),
            "opposes",
            id="gateway-filters-icmp-and-forwards",
        ),
        pytest.param(
            facts(machine=machine(gateway_answers=True, beyond_gateway_answers=False), controls=controls(**DEAD)),
            "opposes",
            id="outage-behind-a-living-gateway",
        ),
        pytest.param(facts(machine=machine(**ARP_FAILS), target=target(works=True)), "opposes", id="target-works"),
        pytest.param(
            facts(machine=machine(**ARP_FAILS, proxy=WORKING), controls=controls(**DEAD)), "opposes", id="proxy-works"
        ),
        pytest.param(facts(controls=controls(**DEAD)), "silent", id="gateway-unknown"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_gateway_dead(given: Facts, expected: str) -> None:
    assert word(judged(gateway_dead.FAULT, given)) == expected
