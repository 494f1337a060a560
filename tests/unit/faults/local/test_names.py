"""The customer's own resolver and hosts file."""

import pytest

from netdiag.facts import Facts, MachineFacts, Proxy, ResolverState, TargetFacts
from netdiag.faults.local import hosts_override, resolver_dead, resolver_lying, resolver_refusing
from tests.unit.faults.local.stage import (
    DEAD,
    GATEWAY,
    HEALTHY,
    VENDOR,
    controls,
    facts,
    failing,
    judged,
    known,
    machine,
    names,
    opened,
    resolver,
    target,
    word,
)

PIHOLE, PROVIDERS = "192.168.1.2", "203.0.113.53"
PUBLIC = resolver("192.0.2.53", "outside", "answers", server_class="public")
LIE = "203.0.113.99"
OWN = "192.168.1.20"


def shut(server: str, place: str, *, by: str | None = None, accepts: bool = False) -> ResolverState:
    """It, or ``by``, refuses every question."""
    return resolver(server, place, "unreachable", refused_by=(by or server,), accepts=accepts)


def asking(*resolvers: object, **more: object) -> Facts:
    """Names fail on this machine; the line works."""
    values = {"needed": True, "configured_resolve": False, "system_resolves": False, "resolvers": resolvers} | more
    return facts(names=names(**values), controls=controls(**HEALTHY), target=target(works=None))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(asking(shut(PIHOLE, "lan")), "settles", id="port-closed-in-the-lan"),
        pytest.param(asking(shut("127.0.0.53", "own", by="127.0.0.1")), "settles", id="own-stub-stopped"),
        pytest.param(asking(shut(GATEWAY, "lan")), "capped", id="a-gateway-may-pass-a-refusal-on"),
        pytest.param(asking(shut(PIHOLE, "lan", by="10.0.0.1")), "possible", id="somebody-else-refuses"),
        pytest.param(asking(shut(PIHOLE, "lan", by=OWN)), "supports", id="its-machine-is-off"),
        pytest.param(asking(shut(GATEWAY, "lan", accepts=True)), "possible", id="it-takes-questions-over-tcp"),
        pytest.param(
            facts(
                machine=machine(gateway_answers=True, beyond_gateway_answers=False),
                names=names(resolvers=(resolver(PIHOLE, "lan", "silent"),), needed=True, configured_resolve=False),
            ),
            "silent",
            id="nothing-outside-answers",
        ),
        pytest.param(asking(resolver(PIHOLE, "lan", "silent")), "supports", id="silent-in-the-lan"),
        pytest.param(asking(resolver(GATEWAY, "lan", "silent")), "possible", id="home-router-may-wait-for-provider"),
        pytest.param(
            facts(
                machine=MachineFacts(),
                names=names(
                    resolvers=(resolver(PIHOLE, "lan", "refused"),), configured_resolve=False, system_resolves=False
                ),
            ),
            "opposes",
            id="refusing-is-another-fault",
        ),
        pytest.param(asking(resolver("fd00::1", "lan", "silent")), "possible", id="ipv6-server-may-be-the-gateway"),
        pytest.param(asking(resolver("127.0.0.53", "own", "silent")), "possible", id="stub-may-wait-for-provider"),
        pytest.param(asking(resolver("10.9.9.9", "private", "silent")), "possible", id="whose-private-space"),
        pytest.param(asking(resolver("100.64.0.53", "private", "silent")), "opposes", id="provider-cgnat"),
        pytest.param(asking(resolver(PROVIDERS, "outside", "silent")), "opposes", id="provider"),
        pytest.param(
            asking(resolver(PIHOLE, "lan", "silent"), resolver(PROVIDERS, "outside", "silent")), "possible", id="both"
        ),
        pytest.param(
            asking(resolver(PIHOLE, "lan", "answers", "silent")), "opposes", id="only-the-target-zone-is-silent"
        ),
        pytest.param(
            asking(resolver(PIHOLE, "lan", "silent"), resolver(GATEWAY, "lan", "answers", "servfail")),
            "opposes",
            id="second-resolver-lives",
        ),
        pytest.param(asking(resolver(PIHOLE, "lan", None, "silent")), "silent", id="control-name-not-asked"),
        pytest.param(asking(resolver(PIHOLE, "lan", "silent"), needed=False), "opposes", id="no-name-needed"),
        pytest.param(asking(resolver(PIHOLE, "lan", "silent"), configured_resolve=True), "opposes", id="resolves"),
        pytest.param(asking(resolver(PIHOLE, "lan", "silent"), system_resolves=True), "opposes", id="system-resolves"),
        pytest.param(asking(), "silent", id="none-asked"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_resolver_dead(given: Facts, expected: str) -> None:
    assert word(judged(resolver_dead.FAULT, given)) == expected


def test_silence_in_the_lan_is_never_more_than_likely() -> None:
    assert judged(resolver_dead.FAULT, asking(resolver(PIHOLE, "lan", "silent"))).at_most_likely


def test_a_dead_line_does_not_make_a_dead_resolver() -> None:
    given = facts(
        names=names(resolvers=(resolver(PIHOLE, "lan", "silent"),), configured_resolve=False, system_resolves=False),
        controls=controls(**DEAD),
        machine=machine(beyond_gateway_answers=False),
    )
    assert word(judged(resolver_dead.FAULT, given)) == "silent"


def test_a_working_proxy_resolves_names_itself() -> None:
    proxy = Proxy(where="10.0.0.8:3128", connects=True, control_ok=True, target_ok=True)
    given = facts(
        names=names(resolvers=(resolver(PIHOLE, "lan", "refused"),), configured_resolve=False, system_resolves=False),
        machine=machine(proxy=proxy),
    )
    for fault in (resolver_dead.FAULT, resolver_refusing.FAULT, resolver_lying.FAULT):
        assert word(judged(fault, given)) == "opposes"


def test_that_the_target_works_excuses_the_resolver_unless_this_machine_cannot_resolve() -> None:
    dead = (shut(PIHOLE, "lan"),)
    works = target(opened(source=("public",)), works=True)
    fine = facts(names=names(resolvers=dead, configured_resolve=False), target=works)
    assert word(judged(resolver_dead.FAULT, fine)) == "opposes"
    cut_off = facts(names=names(resolvers=dead, configured_resolve=False, system_resolves=False), target=works)
    assert word(judged(resolver_dead.FAULT, cut_off)) == "settles"
    by_name = TargetFacts(works=known(True), works_by_name=known(False))
    unmet = facts(names=names(resolvers=dead, configured_resolve=False), target=by_name)
    assert word(judged(resolver_dead.FAULT, unmet)) == "settles"
    met = TargetFacts(works=known(True), works_by_name=known(True))
    mine = facts(names=names(resolvers=dead, configured_resolve=False, system_resolves=False), target=met)
    assert word(judged(resolver_dead.FAULT, mine)) == "opposes"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(asking(resolver(PIHOLE, "lan", "refused", extended_errors=(18,))), "settles", id="fires"),
        pytest.param(asking(resolver(PIHOLE, "lan", "servfail")), "possible", id="servfail-may-come-from-behind"),
        pytest.param(asking(resolver(GATEWAY, "lan", "refused")), "possible", id="home-router-hands-it-on"),
        pytest.param(asking(resolver("127.0.0.53", "own", "servfail")), "possible", id="stub-hands-it-on"),
        pytest.param(asking(resolver(PROVIDERS, "outside", "refused")), "opposes", id="provider"),
        pytest.param(asking(resolver(PIHOLE, "lan", "answers", "refused")), "opposes", id="only-the-target"),
        pytest.param(asking(resolver(PIHOLE, "lan", "silent")), "opposes", id="silent-is-another-fault"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_resolver_refusing(given: Facts, expected: str) -> None:
    assert word(judged(resolver_refusing.FAULT, given)) == expected


def lying(*resolvers: object, lies: tuple[str, ...] = (LIE,), **more: object) -> Facts:
    given = names(configured_lies=lies, resolvers=resolvers, configured_resolve=True, true_addresses=(VENDOR,))
    return facts(**({"names": given, "target": target(opened(source=("authority",)), works=None)} | more))


def denying(*resolvers: object, independent_resolve: bool = True) -> Facts:
    given = names(resolvers=resolvers, configured_resolve=False, independent_resolve=independent_resolve)
    return facts(names=given, target=target(works=None))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            lying(resolver(PIHOLE, "lan", "answers", addresses=("192.168.1.9",)), lies=("192.168.1.9",)),
            "settles",
            id="address-of-the-lan",
        ),
        pytest.param(
            lying(resolver(GATEWAY, "lan", "answers", addresses=("192.168.1.9",)), lies=("192.168.1.9",)),
            "settles",
            id="home-router-and-address-of-the-lan",
        ),
        pytest.param(lying(resolver(PIHOLE, "lan", "answers", addresses=(LIE,))), "supports", id="lan-resolver"),
        pytest.param(lying(resolver(GATEWAY, "lan", "answers", addresses=(LIE,))), "possible", id="home-router"),
        pytest.param(lying(resolver(PROVIDERS, "outside", "answers", addresses=(LIE,))), "opposes", id="provider"),
        pytest.param(
            lying(resolver(PIHOLE, "lan", "answers", addresses=(LIE,)), target=target(failing(), works=False)),
            "stray",
            id="the-true-address-fails-as-well",
        ),
        pytest.param(
            lying(resolver(PIHOLE, "lan", "answers", addresses=(LIE,)), target=target(opened(LIE), works=None)),
            "opposes",
            id="the-address-works",
        ),
        pytest.param(
            lying(resolver(PIHOLE, "lan", "answers", addresses=(LIE,)), machine=machine(hosts_override=("192.0.2.1",))),
            "silent",
            id="the-hosts-file-comes-first",
        ),
        pytest.param(lying(resolver(PIHOLE, "lan", "answers", addresses=(VENDOR,)), lies=()), "opposes", id="no-lies"),
        pytest.param(denying(resolver(PIHOLE, "lan", "answers", "nxdomain")), "supports", id="denies-the-name"),
        pytest.param(denying(resolver(GATEWAY, "lan", "answers", "nxdomain")), "possible", id="home-router-denies-it"),
        pytest.param(denying(resolver(PROVIDERS, "outside", "answers", "nxdomain")), "opposes", id="provider-denies"),
        pytest.param(
            denying(resolver(PIHOLE, "lan", "answers", "nxdomain"), independent_resolve=False),
            "opposes",
            id="everybody-denies-it",
        ),
        pytest.param(denying(resolver(PIHOLE, "lan", "answers", "servfail")), "silent", id="an-error-is-no-lie"),
        pytest.param(denying(resolver(PIHOLE, "lan", None, "nxdomain")), "silent", id="control-name-not-asked"),
        pytest.param(lying(PUBLIC), "silent", id="who-lied-is-not-known"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_resolver_lying(given: Facts, expected: str) -> None:
    assert word(judged(resolver_lying.FAULT, given)) == expected


OVERRIDE = machine(hosts_override=(LIE,), hosts_override_wrong=True)
DEAD_LIE = failing(address=LIE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            facts(machine=OVERRIDE, target=target(DEAD_LIE, opened(source=("public",)))), "settles", id="fires"
        ),
        pytest.param(facts(machine=OVERRIDE), "possible", id="its-address-was-not-measured"),
        pytest.param(facts(machine=OVERRIDE, target=target(DEAD_LIE)), "supports", id="true-address-not-measured"),
        pytest.param(
            facts(machine=OVERRIDE, target=target(DEAD_LIE, failing())), "stray", id="the-true-address-fails-as-well"
        ),
        pytest.param(facts(machine=OVERRIDE, target=target(opened(LIE), works=True)), "opposes", id="target-works"),
        pytest.param(
            facts(machine=machine(hosts_override=(VENDOR,), hosts_override_wrong=False), target=target(failing())),
            "opposes",
            id="agrees-with-dns",
        ),
        pytest.param(
            facts(machine=machine(hosts_override=(LIE,)), target=target(DEAD_LIE)), "silent", id="nothing-to-compare"
        ),
        pytest.param(facts(machine=machine(hosts_override=()), target=target(failing())), "opposes", id="no-line"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_hosts_override(given: Facts, expected: str) -> None:
    assert word(judged(hosts_override.FAULT, given)) == expected
