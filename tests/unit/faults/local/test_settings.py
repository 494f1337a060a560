"""Portal, interception, clock, loss, proxy and IPv6."""

import pytest

from netdiag.facts import ConnectState, Facts, Proxy, TlsState
from netdiag.faults.local import (
    clock_wrong,
    ipv6_dead,
    portal_captive,
    proxy_dead,
    proxy_refusing,
    tls_interception,
)
from tests.unit.faults.local.stage import (
    DEAD,
    HEALTHY,
    VENDOR6,
    control_state,
    control_walk,
    controls,
    facts,
    failing,
    judged,
    machine,
    opened,
    path,
    target,
    walk,
    word,
)

ISSUER = "CN=Corp Inspection CA"
GOOD = TlsState(how="ok", verify_code=0, mozilla_code=0, issuer="CN=Public CA")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(facts(controls=controls(portal="192.168.1.1", **DEAD)), "settles", id="fires"),
        pytest.param(facts(controls=controls(portal="page", **DEAD)), "possible", id="replaced-page"),
        pytest.param(facts(controls=controls(portal="203.0.113.5", **DEAD)), "possible", id="maybe-the-providers"),
        pytest.param(facts(controls=controls(portal="10.77.0.1", **DEAD)), "possible", id="somebodys-private-network"),
        pytest.param(facts(controls=controls(portal="login.hotel.example")), "possible", id="controls-unknown"),
        pytest.param(
            facts(controls=controls(portal="pay.example", **DEAD), path=path(walk(end="refused", end_ttl=3))),
            "possible",
            id="reset-beyond-this-network",
        ),
        pytest.param(
            facts(controls=controls(portal="login.example", **DEAD), path=path(walk(end="refused", end_ttl=1))),
            "settles",
            id="reset-at-the-first-hop",
        ),
        pytest.param(
            facts(controls=controls(portal="page", states=(control_state(tls=GOOD),), **HEALTHY)),
            "opposes",
            id="only-plain-http-is-rewritten",
        ),
        pytest.param(
            facts(controls=controls(portal="page", **DEAD), machine=machine(proxy=Proxy(where="10.0.0.8:3128"))),
            "possible",
            id="may-be-the-proxys-page",
        ),
        pytest.param(facts(controls=controls(portal="page", **HEALTHY)), "possible", id="yet-something-works"),
        pytest.param(
            facts(controls=controls(states=(control_state(page="expected"),), **HEALTHY)),
            "opposes",
            id="pages-are-as-they-should-be",
        ),
        pytest.param(facts(controls=controls(states=(control_state(tls=GOOD),))), "opposes", id="tls-passes"),
        pytest.param(
            facts(controls=controls(portal="login.example", **DEAD), path=path(walk(end="open", end_ttl=1))),
            "settles",
            id="answered-at-the-first-hop",
        ),
        pytest.param(facts(controls=controls(portal="page"), target=target(works=True)), "opposes", id="target-works"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_portal_captive(given: Facts, expected: str) -> None:
    assert word(judged(portal_captive.FAULT, given)) == expected


def shown(issuer: str, *, how: str = "untrusted", system: int = 19) -> TlsState:
    return TlsState(how=how, verify_code=system, mozilla_code=19, issuer=issuer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(controls=controls(intercepting_issuer=ISSUER), target=target(opened(works=False, tls=shown(ISSUER)))),
            "capped",
            id="fires",
        ),
        pytest.param(
            facts(
                controls=controls(
                    intercepting_issuer=ISSUER, states=(control_state(tls=shown(ISSUER, how="ok", system=0)),)
                ),
                target=target(opened(works=False, tls=shown(ISSUER))),
            ),
            "settles",
            id="the-machine-was-told-to-trust-it",
        ),
        pytest.param(
            facts(
                controls=controls(intercepting_issuer=ISSUER),
                target=target(opened(works=False, tls=shown(ISSUER))),
                path=path(walk(end="open", end_ttl=1)),
            ),
            "settles",
            id="answered-at-the-first-hop",
        ),
        pytest.param(
            facts(
                controls=controls(intercepting_issuer=ISSUER),
                target=target(opened(tls=shown(ISSUER, how="ok", system=0)), works=True),
            ),
            "stray",
            id="target-works-through-it",
        ),
        pytest.param(
            facts(
                controls=controls(intercepting_issuer=ISSUER),
                target=target(opened(works=False, tls=shown("CN=Vendor CA"))),
            ),
            "silent",
            id="the-target-shows-another-issuer",
        ),
        pytest.param(
            facts(
                controls=controls(states=(control_state(tls=GOOD),)),
                target=target(opened(works=False, tls=shown("CN=Vendor CA"))),
            ),
            "opposes",
            id="private-ca-of-the-vendor",
        ),
        pytest.param(
            facts(controls=controls(intercepting_issuer=ISSUER), target=target(failing())),
            "stray",
            id="target-fails-before-tls",
        ),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_tls_interception(given: Facts, expected: str) -> None:
    assert word(judged(tls_interception.FAULT, given)) == expected


EXPIRED = opened(works=False, tls=TlsState(how="untrusted", verify_code=10))
DAYS = 40 * 86400


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(
                machine=machine(clock_offset_s=DAYS), controls=controls(tls_time_errors=True), target=target(EXPIRED)
            ),
            "settles",
            id="fires",
        ),
        pytest.param(
            facts(machine=machine(clock_offset_s=-DAYS), controls=controls(tls_time_errors=True)),
            "stray",
            id="target-not-seen-to-fail-for-it",
        ),
        pytest.param(
            facts(
                machine=machine(clock_offset_s=DAYS),
                controls=controls(tls_time_errors=True),
                target=target(opened(), works=True),
            ),
            "stray",
            id="target-works",
        ),
        pytest.param(
            facts(
                machine=machine(clock_offset_s=DAYS), controls=controls(tls_time_errors=False), target=target(EXPIRED)
            ),
            "silent",
            id="controls-are-fine-yet-the-clock-is-off",
        ),
        pytest.param(
            facts(machine=machine(clock_offset_s=DAYS), target=target(EXPIRED)), "silent", id="controls-unknown"
        ),
        pytest.param(
            facts(machine=machine(clock_offset_s=2), controls=controls(tls_time_errors=False), target=target(EXPIRED)),
            "opposes",
            id="vendor-expired",
        ),
        pytest.param(
            facts(machine=machine(clock_offset_s=DAYS), target=target(failing())), "opposes", id="tcp-fails-not-tls"
        ),
        pytest.param(facts(controls=controls(tls_time_errors=True), target=target(EXPIRED)), "silent", id="no-dates"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_clock_wrong(given: Facts, expected: str) -> None:
    assert word(judged(clock_wrong.FAULT, given)) == expected


def behind(proxy: Proxy, health: dict[str, bool] | None = None) -> Facts:
    return facts(machine=machine(proxy=proxy), controls=controls(**(health or {})), target=target(failing()))


LAN_PROXY, NAMED_PROXY = "192.168.1.1:3128", "proxy.corp.example:3128"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(behind(Proxy(where=LAN_PROXY, connects=False), DEAD), "settles", id="in-the-lan"),
        pytest.param(behind(Proxy(where=NAMED_PROXY, connects=False), HEALTHY), "settles", id="while-the-line-works"),
        pytest.param(behind(Proxy(where="10.0.0.8:3128", connects=False), DEAD), "possible", id="at-another-site"),
        pytest.param(behind(Proxy(where="127.0.0.1:8080", connects=False), DEAD), "settles", id="on-the-machine"),
        pytest.param(behind(Proxy(where=NAMED_PROXY, connects=False), DEAD), "possible", id="the-line-may-be-dead"),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=False, control_refusal=503), HEALTHY),
            "supports",
            id="reaches-nothing",
        ),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=False, control_refusal=503), DEAD),
            "possible",
            id="reaches-nothing-and-nothing-works-directly",
        ),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=True, target_ok=False, refusal=504)),
            "opposes",
            id="fails-for-the-target-alone",
        ),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=False, control_refusal=407)),
            "opposes",
            id="wants-a-sign-in",
        ),
        pytest.param(behind(Proxy(where=LAN_PROXY), HEALTHY), "silent", id="not-tried"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_proxy_dead(given: Facts, expected: str) -> None:
    assert word(judged(proxy_dead.FAULT, given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=True, target_ok=False, refusal=403)),
            "settles",
            id="forbidden",
        ),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=False, refusal=407, control_refusal=407)),
            "settles",
            id="sign-in",
        ),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=True, target_ok=False, refusal=504)),
            "silent",
            id="tried-and-failed-beyond",
        ),
        pytest.param(
            behind(Proxy(where=LAN_PROXY, connects=True, control_ok=True, doubtful=403)),
            "silent",
            id="whose-403-it-is-does-not-show",
        ),
        pytest.param(behind(Proxy(where=LAN_PROXY, connects=True, target_ok=True, refusal=403)), "opposes", id="works"),
        pytest.param(behind(Proxy(where=LAN_PROXY, connects=False)), "opposes", id="dead"),
        pytest.param(behind(Proxy(where=LAN_PROXY, connects=True)), "silent", id="not-tried"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_proxy_refusing(given: Facts, expected: str) -> None:
    assert word(judged(proxy_refusing.FAULT, given)) == expected


def six(*, route: bool = True, connect: ConnectState | None = None, **parts: object) -> Facts:
    """IPv4 controls work, IPv6 ones fail; the target has only IPv6."""
    how = connect or ConnectState(how="silent", attempts=2, worked=0)
    failed = control_state(healthy=False, family=6, address="2001:db8::80", connect=how)
    values = {
        "machine": machine(global_ipv6=True, default_route6=route),
        "controls": controls(any_healthy=True, any_healthy4=True, any_healthy6=False, states=(failed,)),
        "target": target(failing(address=VENDOR6)),
    } | parts
    return facts(**values)


NDP_FAILS = ConnectState(how="icmp", attempts=2, worked=0, sender_place="self")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(six(connect=NDP_FAILS), "settles", id="first-hop-does-not-answer"),
        pytest.param(six(route=False), "settles", id="no-route"),
        pytest.param(six(), "possible", id="silent-somewhere"),
        pytest.param(
            six(connect=NDP_FAILS, target=target(failing(address=VENDOR6), failing())), "stray", id="target-has-ipv4"
        ),
        pytest.param(
            six(connect=NDP_FAILS, target=target(opened(), failing(address=VENDOR6), works=True)),
            "stray",
            id="target-works",
        ),
        pytest.param(
            six(path=path(controls=(control_walk("fe80::1", "2001:db8:1::1", address="2001:db8::80", end="silent"),))),
            "opposes",
            id="packets-get-beyond",
        ),
        pytest.param(
            six(path=path(target6=walk("fe80::1", address=VENDOR6))), "possible", id="ends-at-the-gateway-or-after-it"
        ),
        pytest.param(
            six(controls=controls(any_healthy4=True, any_healthy6=True)), "opposes", id="the-vendors-ipv6-alone"
        ),
        pytest.param(six(machine=machine(global_ipv6=False)), "opposes", id="no-ipv6-is-no-fault"),
        pytest.param(six(controls=controls(any_healthy4=False, any_healthy6=False)), "silent", id="all-dead"),
        pytest.param(
            six(machine=machine(global_ipv6=True, proxy=Proxy(where=LAN_PROXY))), "silent", id="policy-beside-a-proxy"
        ),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_ipv6_dead(given: Facts, expected: str) -> None:
    assert word(judged(ipv6_dead.FAULT, given)) == expected
