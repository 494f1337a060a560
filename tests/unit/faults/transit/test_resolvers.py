"""The provider's resolver, and a line on which nothing answers."""

import pytest

from netdiag.facts import Facts, Proxy
from netdiag.faults.local import resolver_dead as own_dead
from netdiag.faults.local import resolver_lying as own_lying
from netdiag.faults.local import resolver_refusing as own_refusing
from netdiag.faults.transit import access_outage, resolver_dead, resolver_lying, resolver_refusing
from tests.unit.faults.local.stage import (
    DEAD,
    GATEWAY,
    HEALTHY,
    VENDOR,
    controls,
    facts,
    failing,
    judged,
    machine,
    names,
    opened,
    resolver,
    target,
    word,
)

PROVIDERS, LIE = "203.0.113.53", "203.0.113.99"
PUBLIC = resolver("192.0.2.53", "outside", "answers", server_class="public")
BLOCKED_PUBLIC = resolver("192.0.2.53", "outside", "silent", server_class="public")


def asking(*resolvers: object, **more: object) -> Facts:
    values = {"needed": True, "configured_resolve": False, "system_resolves": False, "resolvers": resolvers} | more
    return facts(names=names(**values), controls=controls(**HEALTHY), target=target(works=None))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(asking(resolver(PROVIDERS, "outside", "silent"), PUBLIC), "supports", id="fires"),
        pytest.param(
            asking(resolver(PROVIDERS, "outside", "unreachable"), parents_answer=True), "supports", id="port-closed"
        ),
        pytest.param(asking(resolver("100.64.0.53", "private", "silent"), PUBLIC), "supports", id="in-cgnat"),
        pytest.param(
            asking(resolver(PROVIDERS, "outside", "silent"), BLOCKED_PUBLIC), "possible", id="port-53-may-be-shut"
        ),
        pytest.param(asking(resolver(GATEWAY, "lan", "silent"), PUBLIC), "possible", id="behind-a-home-router"),
        pytest.param(asking(resolver("10.9.9.9", "private", "silent"), PUBLIC), "possible", id="whose-private-space"),
        pytest.param(asking(resolver("192.168.1.2", "lan", "silent"), PUBLIC), "opposes", id="in-the-lan"),
        pytest.param(
            asking(resolver(GATEWAY, "lan", "unreachable", refused_by=(GATEWAY,)), PUBLIC),
            "opposes",
            id="home-router-refuses",
        ),
        pytest.param(
            asking(resolver(GATEWAY, "lan", "unreachable", refused_by=("203.0.113.1",)), PUBLIC),
            "possible",
            id="somebody-behind-it-refuses",
        ),
        pytest.param(
            asking(resolver(PROVIDERS, "outside", "answers", "silent"), PUBLIC), "opposes", id="only-the-target"
        ),
        pytest.param(asking(resolver(PROVIDERS, "outside", None, "silent"), PUBLIC), "silent", id="control-not-asked"),
        pytest.param(
            asking(resolver(PROVIDERS, "outside", "silent"), PUBLIC, system_resolves=True), "opposes", id="resolves"
        ),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_resolver_dead(given: Facts, expected: str) -> None:
    assert word(judged(resolver_dead.FAULT, given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(asking(resolver(PROVIDERS, "outside", "refused"), PUBLIC), "supports", id="fires"),
        pytest.param(asking(resolver(PROVIDERS, "outside", "servfail"), PUBLIC), "supports", id="servfail"),
        pytest.param(asking(resolver(GATEWAY, "lan", "refused"), PUBLIC), "possible", id="behind-a-home-router"),
        pytest.param(asking(resolver("192.168.1.2", "lan", "refused"), PUBLIC), "opposes", id="in-the-lan"),
        pytest.param(asking(resolver(PROVIDERS, "outside", "answers", "servfail")), "opposes", id="only-the-target"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_resolver_refusing(given: Facts, expected: str) -> None:
    assert word(judged(resolver_refusing.FAULT, given)) == expected


def lying(*resolvers: object, lies: tuple[str, ...] = (LIE,), **more: object) -> Facts:
    given = names(configured_lies=lies, resolvers=resolvers, configured_resolve=True, true_addresses=(VENDOR,))
    return facts(**({"names": given, "target": target(opened(source=("authority",)), works=None)} | more))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(lying(resolver(PROVIDERS, "outside", "answers", addresses=(LIE,))), "supports", id="fires"),
        pytest.param(lying(resolver(GATEWAY, "lan", "answers", addresses=(LIE,))), "possible", id="home-router"),
        pytest.param(
            lying(resolver(PROVIDERS, "outside", "answers", addresses=("192.168.1.9",)), lies=("192.168.1.9",)),
            "possible",
            id="an-outside-resolver-does-not-know-the-lan",
        ),
        pytest.param(lying(resolver("192.168.1.2", "lan", "answers", addresses=(LIE,))), "opposes", id="in-the-lan"),
        pytest.param(
            lying(resolver(PROVIDERS, "outside", "answers", addresses=(LIE,)), target=target(failing())),
            "stray",
            id="the-true-address-fails-as-well",
        ),
        pytest.param(lying(resolver(PROVIDERS, "outside", "answers"), lies=()), "opposes", id="no-lies"),
        pytest.param(
            asking(resolver(PROVIDERS, "outside", "answers", "nxdomain"), PUBLIC, independent_resolve=True),
            "supports",
            id="denies-the-name",
        ),
        pytest.param(
            lying(resolver(PROVIDERS, "outside", "answers", addresses=(LIE,)), target=target(works=True)),
            "opposes",
            id="target-works",
        ),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_resolver_lying(given: Facts, expected: str) -> None:
    assert word(judged(resolver_lying.FAULT, given)) == expected


@pytest.mark.parametrize(
    ("given", "own", "providers"),
    [
        (asking(resolver(GATEWAY, "lan", "silent"), PUBLIC), own_dead.FAULT, resolver_dead.FAULT),
        (asking(resolver(GATEWAY, "lan", "servfail"), PUBLIC), own_refusing.FAULT, resolver_refusing.FAULT),
        (lying(resolver(GATEWAY, "lan", "answers", addresses=(LIE,))), own_lying.FAULT, resolver_lying.FAULT),
    ],
)
def test_a_home_router_that_cannot_resolve_is_undecided(given: Facts, own: object, providers: object) -> None:
    for fault in (own, providers):
        assert word(judged(fault, given)) == "possible"  # type: ignore[arg-type]


CUT = {"gateway_answers": True, "beyond_gateway_answers": False}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(machine=machine(**CUT), controls=controls(**DEAD)), "possible", id="never-more-than-possible"
        ),
        pytest.param(facts(machine=machine(**CUT)), "silent", id="controls-not-asked"),
        pytest.param(
            facts(machine=machine(gateway_answers=True, beyond_gateway_answers=True), controls=controls(**DEAD)),
            "possible",
            id="a-router-beyond-answers-and-no-host",
        ),
        pytest.param(facts(machine=machine(**CUT), controls=controls(**HEALTHY)), "opposes", id="controls-work"),
        pytest.param(
            facts(machine=machine(gateway_answers=False, gateway_neighbour_alive=False), controls=controls(**DEAD)),
            "opposes",
            id="the-gateway-is-dead",
        ),
        pytest.param(
            facts(machine=machine(gateway_answers=False), controls=controls(**DEAD)), "silent", id="gateway-is-silent"
        ),
        pytest.param(
            facts(machine=machine(**CUT, proxy=Proxy(where="10.0.0.8:3128")), controls=controls(**DEAD)),
            "silent",
            id="proxy-not-tried",
        ),
        pytest.param(
            facts(machine=machine(**CUT), controls=controls(**DEAD), target=target(works=True)),
            "opposes",
            id="target-works",
        ),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_access_outage(given: Facts, expected: str) -> None:
    assert word(judged(access_outage.FAULT, given)) == expected
