"""Firewalls on the customer's machine and in its network: the customer must never be blamed by mistake here."""

import pytest
from msgspec.structs import replace

from netdiag.facts import AddressState, Egress, Facts, LocalRefusal, Proxy
from netdiag.faults.local import firewall_machine, firewall_router
from tests.unit.faults.local.stage import (
    DEAD,
    GATEWAY,
    HEALTHY,
    ROUTERS,
    VENDOR,
    VENDOR6,
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
WORKING = Proxy(where="10.0.0.8:3128", connects=True, control_ok=True)
UNTRIED = Proxy(where="10.0.0.8:3128")


def egress(to_target: str, to_control: str, *, denied: bool | None = None) -> Egress:
    return Egress(target=to_target, control=to_control, udp_denied=denied)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *(
            pytest.param(
                facts(machine=machine(local_refusal=LocalRefusal(how=how)), target=SILENT_TARGET),
                "settles",
                id=how,
            )
            for how in ("policy", "own_icmp", "own_reset")
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("silent", "gateway", denied=True)), target=SILENT_TARGET),
            "settles",
            id="ttl-1-and-udp-denied",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("silent", "gateway")), target=SILENT_TARGET),
            "capped",
            id="ttl-1-alone-may-be-the-gateway-filtering-early",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("silent", "gateway"), target_by_tunnel=True), target=SILENT_TARGET),
            "silent",
            id="a-vpn-need-not-answer-ttl-1",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("refused_locally", "gateway")), target=SILENT_TARGET),
            "settles",
            id="ttl-1-refused-here",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("silent", "silent", denied=None)), target=SILENT_TARGET),
            "silent",
            id="gateway-never-answers",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("reset", "gateway")), target=target(failing("refused"))),
            "silent",
            id="reset-at-ttl-1-is-the-first-hop",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("gateway", "gateway", denied=True)), target=SILENT_TARGET),
            "opposes",
            id="only-udp-is-denied",
        ),
        pytest.param(
            facts(machine=machine(egress6=egress("silent", "gateway")), target=SILENT_TARGET),
            "silent",
            id="the-test-was-of-the-other-family",
        ),
        pytest.param(
            facts(
                machine=machine(egress4=egress("gateway", "gateway"), egress6=egress("silent", "gateway")),
                target=target(failing(), failing(address=VENDOR6)),
            ),
            "opposes",
            id="ipv4-leaves-and-fails-all-the-same",
        ),
        pytest.param(
            facts(
                machine=machine(egress4=egress("silent", "gateway"), target_leaves=True),
                target=SILENT_TARGET,
            ),
            "opposes",
            id="packets-leave",
        ),
        pytest.param(facts(target=target(refused_by("203.0.113.9", "path", 3, 13))), "opposes", id="icmp-from-outside"),
        pytest.param(facts(target=target(failing("refused"))), "silent", id="a-reset-says-nothing"),
        pytest.param(
            facts(machine=machine(local_refusal=LocalRefusal(how="no_route")), target=SILENT_TARGET),
            "opposes",
            id="no-route",
        ),
        pytest.param(
            facts(machine=machine(local_refusal=LocalRefusal(how="policy"), proxy=WORKING), target=SILENT_TARGET),
            "opposes",
            id="direct-is-shut-beside-a-working-proxy",
        ),
        pytest.param(
            facts(machine=machine(local_refusal=LocalRefusal(how="policy"), proxy=UNTRIED), target=SILENT_TARGET),
            "silent",
            id="a-proxy-that-was-not-tried",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("silent", "gateway")), target=target(opened(), works=True)),
            "opposes",
            id="target-works",
        ),
        pytest.param(
            facts(machine=machine(egress4=egress("silent", "gateway")), target=target(opened(works=False))),
            "opposes",
            id="tcp-works-and-tls-fails",
        ),
        pytest.param(facts(machine=machine(egress4=egress("silent", "gateway"))), "silent", id="target-unknown"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_firewall_machine(given: Facts, expected: str) -> None:
    assert word(judged(firewall_machine.FAULT, given)) == expected


OFFICE = (GATEWAY, "192.168.0.1", "203.0.113.1", "203.0.113.9")
PROVIDER_10 = (GATEWAY, "10.120.0.1", "203.0.113.1")
CGNAT = (GATEWAY, "100.64.0.1", "203.0.113.1")


def ends(*routers: str, through: tuple[str, ...] = ROUTERS, health: dict[str, bool] = HEALTHY, **more: object) -> Facts:
    """The target is silent and its walk ends after ``routers``; a control's walk passes ``through``."""
    walks = path(walk(*routers), controls=(control_walk(*through),))
    return facts(**({"target": SILENT_TARGET, "controls": controls(**health), "path": walks} | more))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(target=target(refused_by(GATEWAY, "gateway", 3, 13)), controls=controls(**HEALTHY)),
            "settles",
            id="gateway-prohibits",
        ),
        pytest.param(
            facts(target=target(refused_by(GATEWAY, "gateway", 3, 3)), controls=controls(**DEAD)),
            "possible",
            id="gateway-rejects-everything-so-a-proxy-may-be-meant",
        ),
        pytest.param(
            facts(
                target=target(refused_by(GATEWAY, "gateway", 3, 13)),
                controls=controls(port_443_fails=True, any_healthy=True, all_failed=False),
            ),
            "settles",
            id="gateway-prohibits-the-port-everywhere",
        ),
        pytest.param(
            facts(target=target(refused_by("fe80::1", "gateway", 1, 1)), controls=controls(any_healthy6=True)),
            "settles",
            id="gateway-prohibits-ipv6",
        ),
        pytest.param(
            facts(target=target(refused_by(GATEWAY, "gateway", 3, 0)), controls=controls(**HEALTHY)),
            "capped",
            id="gateway-has-no-route-for-this-alone",
        ),
        pytest.param(
            facts(target=target(refused_by(GATEWAY, "gateway", 3, 0)), controls=controls(**DEAD)),
            "possible",
            id="gateway-has-no-uplink",
        ),
        pytest.param(
            facts(target=target(refused_by("203.0.113.1", "gateway", 3, 0)), controls=controls(**HEALTHY)),
            "possible",
            id="a-data-centre-gateway-may-rightly-have-no-route",
        ),
        pytest.param(
            facts(
                machine=machine(own_addresses=("203.0.113.200",), lan_prefixes=("203.0.113.192/26",)),
                target=target(refused_by("203.0.113.193", "gateway", 3, 13)),
                controls=controls(**HEALTHY),
            ),
            "possible",
            id="a-machine-without-a-private-address-may-have-the-providers-gateway",
        ),
        pytest.param(
            facts(target=target(refused_by("192.168.0.1", "private", 3, 13)), controls=controls(**HEALTHY)),
            "capped",
            id="second-private-hop-in-the-lan-block",
        ),
        pytest.param(
            facts(target=target(refused_by("10.120.0.1", "private", 3, 13)), controls=controls(**HEALTHY)),
            "possible",
            id="a-10-hop-that-nothing-ties-to-the-customer",
        ),
        pytest.param(
            facts(
                machine=machine(own_addresses=("10.0.0.5",), lan_prefixes=("10.0.0.0/24",), gateways=("10.0.0.1",)),
                target=target(refused_by("10.120.0.1", "private", 3, 13)),
                controls=controls(**HEALTHY),
            ),
            "possible",
            id="provider-and-lan-both-in-10",
        ),
        pytest.param(
            facts(target=target(refused_by("100.64.0.1", "shared", 3, 13)), controls=controls(**HEALTHY)),
            "opposes",
            id="cgnat-is-the-providers",
        ),
        pytest.param(
            facts(target=target(refused_by("203.0.113.9", "path", 3, 13)), controls=controls(**HEALTHY)),
            "opposes",
            id="mid-path-router",
        ),
        pytest.param(
            facts(target=target(refused_by(VENDOR, "target", 3, 3)), controls=controls(**HEALTHY)),
            "opposes",
            id="the-host-rejects",
        ),
        pytest.param(ends(GATEWAY, through=OFFICE), "capped", id="vanishes-before-the-office-s-second-router"),
        pytest.param(ends(GATEWAY), "possible", id="vanishes-between-gateway-and-provider"),
        pytest.param(ends(*OFFICE[:2], through=OFFICE), "possible", id="vanishes-between-office-and-provider"),
        pytest.param(ends(GATEWAY, through=PROVIDER_10), "possible", id="vanishes-before-a-foreign-10-hop"),
        pytest.param(ends(GATEWAY, through=CGNAT), "possible", id="vanishes-before-cgnat"),
        pytest.param(ends(*PROVIDER_10[:2], through=PROVIDER_10), "silent", id="last-seen-at-a-foreign-10-hop"),
        pytest.param(ends(*CGNAT[:2], through=CGNAT), "opposes", id="last-seen-at-cgnat"),
        pytest.param(ends(GATEWAY, through=(GATEWAY,)), "silent", id="controls-show-no-further-router-either"),
        pytest.param(
            ends(GATEWAY, through=("172.16.0.1", "192.168.0.1")), "silent", id="controls-take-another-first-hop"
        ),
        pytest.param(ends(GATEWAY, health=DEAD), "silent", id="controls-dead"),
        pytest.param(ends(*ROUTERS), "opposes", id="got-to-the-path"),
        pytest.param(ends(*ROUTERS, "198.51.100.1"), "opposes", id="got-to-the-vendor"),
        pytest.param(ends(), "silent", id="no-hop-at-all"),
        pytest.param(
            ends(GATEWAY, through=OFFICE, machine=machine(proxy=WORKING)), "opposes", id="a-proxy-carries-the-traffic"
        ),
        pytest.param(ends(GATEWAY, through=OFFICE, machine=machine(proxy=UNTRIED)), "silent", id="proxy-not-tried"),
        pytest.param(ends(GATEWAY, through=OFFICE, target=target(opened(), works=True)), "opposes", id="works"),
        pytest.param(ends(GATEWAY, through=OFFICE, target=target(opened(works=False))), "opposes", id="tcp-works"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_firewall_router(given: Facts, expected: str) -> None:
    assert word(judged(firewall_router.FAULT, given)) == expected


def reset(end_ttl: int, *routers: str, proxy: bool | None = False, through: tuple[str, ...] = ROUTERS) -> Facts:
    walks = {"controls": (control_walk(*through),)} | ({} if proxy is None else {"proxy_in_path": proxy})
    return facts(
        target=target(failing("refused")),
        controls=controls(**HEALTHY),
        path=path(walk(*routers, end="refused", end_ttl=end_ttl), **walks),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(reset(1), "settles", id="at-ttl-1"),
        pytest.param(reset(1, proxy=True), "silent", id="a-transparent-proxy-resets-for-the-host"),
        pytest.param(reset(1, proxy=None), "silent", id="a-transparent-proxy-is-not-excluded"),
        pytest.param(reset(1, through=()), "silent", id="no-control-shows-the-gateway"),
        pytest.param(reset(2, GATEWAY), "silent", id="at-ttl-2-by-whom"),
        pytest.param(reset(5, *ROUTERS), "opposes", id="from-beyond"),
        pytest.param(
            replace(reset(1), machine=machine(own_addresses=("100.64.3.7",), lan_prefixes=())),
            "possible",
            id="at-ttl-1-on-a-mobile-line",
        ),
    ],
)
def test_resets_near_the_customer(given: Facts, expected: str) -> None:
    assert word(judged(firewall_router.FAULT, given)) == expected


def test_a_dead_family_does_not_hide_where_the_other_ends() -> None:
    """IPv6 ends at the gateway for everyone; IPv4 reaches the vendor's border. The gateway is not to blame."""
    given = facts(
        target=target(failing(), failing(address=VENDOR6)),
        controls=controls(any_healthy=True, any_healthy4=True, any_healthy6=False),
        path=path(
            walk(*ROUTERS, "198.51.100.1"),
            target6=walk("fe80::1", address=VENDOR6),
            controls=(control_walk(*ROUTERS), control_walk("fe80::1", "fd00::2", address="2001:db8::80", end="silent")),
        ),
    )
    assert word(judged(firewall_router.FAULT, given)) == "opposes"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param((failing("local", VENDOR6), opened(works=False)), "opposes", id="the-other-family-connects"),
        pytest.param((failing("local", VENDOR6),), "silent", id="nothing-was-sent-at-all"),
        pytest.param((failing("local", VENDOR6), failing()), "capped", id="the-other-family-ends-in-the-network"),
    ],
)
def test_a_family_that_this_machine_does_not_have_says_nothing_of_a_router(
    states: tuple[AddressState, ...], expected: str
) -> None:
    given = facts(
        target=target(*states, works=False),
        controls=controls(any_healthy=True, any_healthy4=True, all_failed=False),
        path=path(walk(GATEWAY), controls=(control_walk(*OFFICE),)),
    )
    assert word(judged(firewall_router.FAULT, given)) == expected
