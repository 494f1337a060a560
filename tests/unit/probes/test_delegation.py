"""The walk from the root, over internets told as data."""

from typing import cast

import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, StepId
from netdiag.probes import delegation
from netdiag.probes.base import Machine
from tests.fakes.internet import REFUSED, ROOT, SILENT, Internet, Reply, ResolvingMachine
from tests.fakes.world import FakeWorld

STEP = Step(id=StepId("d"), probe="delegation", role="resolver", subject="www.vendor.test")
TLD = "192.5.0.1"
NS1, NS2 = "192.6.0.1", "192.6.0.2"
TO_TLD = Reply(authority=["test NS a.nic.test"], glue=[f"a.nic.test A {TLD}"])
TO_VENDOR = Reply(
    authority=["vendor.test NS ns1.vendor.test", "vendor.test NS ns2.vendor.test"],
    glue=[f"ns1.vendor.test A {NS1}", f"ns2.vendor.test A {NS2}", "ns1.vendor.test AAAA 2001:db8::1"],
)
GOOD = Reply(answers=["www.vendor.test A 203.0.113.7", "www.vendor.test AAAA 2001:db8::7"], flags=["AA"])
HEALTHY = {
    ROOT: {"test": TO_TLD},
    TLD: {"vendor.test": TO_VENDOR},
    NS1: {"vendor.test": GOOD},
    NS2: {"vendor.test": GOOD},
}


def walk(internet: Internet, *resolvers: str, families: frozenset[int] = frozenset({4})) -> list[Observation]:
    machine = cast("Machine", ResolvingMachine(*resolvers, families=families))
    return list(delegation.PROBE.run(STEP, FakeWorld(query=internet.query, machine=machine)))


def told(seen: list[Observation]) -> list[tuple[str, str, str, str | None, int | None]]:
    return [
        (one.server_class, one.server, f"{one.rrtype} {one.transport} {one.attempt}", one.zone, one.rcode)
        for one in seen
        if isinstance(one, Lookup)
    ]


def test_a_healthy_name_is_walked_once_and_every_server_is_asked_both_types() -> None:
    internet = Internet(HEALTHY)
    assert told(walk(internet)) == [
        ("parent", ROOT, "A udp 1", ".", 0),
        ("parent", TLD, "A udp 1", "test", 0),
        ("authority", NS1, "A udp 1", "vendor.test", 0),
        ("authority", NS1, "AAAA udp 1", "vendor.test", 0),
        ("authority", NS2, "A udp 1", "vendor.test", 0),
        ("authority", NS2, "AAAA udp 1", "vendor.test", 0),
    ]
    assert not any(question.recursion_desired for question in internet.asked)


def test_a_lame_server_stands_beside_a_good_one() -> None:
    seen = told(walk(Internet({**HEALTHY, NS1: {"vendor.test": REFUSED}})))
    rcodes = {(server, kind): rcode for server_class, server, kind, _, rcode in seen if server_class == "authority"}
    assert rcodes == {(NS1, "A udp 1"): 5, (NS1, "AAAA udp 1"): 5, (NS2, "A udp 1"): 0, (NS2, "AAAA udp 1"): 0}


def test_a_silent_server_is_asked_again_and_over_tcp() -> None:
    seen = told(walk(Internet({**HEALTHY, NS1: {"vendor.test": SILENT}}, over_tcp={NS1: GOOD})))
    of_first = [(kind, rcode) for _, server, kind, _, rcode in seen if server == NS1]
    assert of_first == [
        ("A udp 1", None),
        ("A udp 2", None),
        ("A tcp 1", 0),
        ("AAAA udp 1", None),
        ("AAAA udp 2", None),
        ("AAAA tcp 1", 0),
    ]


def test_a_zone_whose_servers_are_all_dead_is_asked_whole() -> None:
    seen = told(walk(Internet({ROOT: HEALTHY[ROOT], TLD: HEALTHY[TLD]})))
    authority = [kind for server_class, _, kind, _, _ in seen if server_class == "authority"]
    assert sorted(set(authority)) == ["A tcp 1", "A udp 1", "A udp 2", "AAAA tcp 1", "AAAA udp 1", "AAAA udp 2"]
    assert len(authority) == 12


@pytest.mark.parametrize("rcode", [0, 3])
def test_an_answer_of_the_top_level_domain_ends_the_walk_as_a_parents(rcode: int) -> None:
    denial = Reply(rcode=rcode, authority=["test SOA x"], flags=["AA"])
    seen = told(walk(Internet({ROOT: HEALTHY[ROOT], TLD: {"test": denial}})))
    assert {server_class for server_class, *_ in seen} == {"parent"}
    assert seen[-1][-1] == rcode


@pytest.mark.parametrize(
    "lost", [Reply(authority=[". NS a.root-servers.net"]), Reply(authority=["vendor.test NS ns1.vendor.test"])]
)
def test_a_referral_that_leads_nowhere_is_no_referral(lost: Reply) -> None:
    seen = told(walk(Internet({**HEALTHY, NS1: {"vendor.test": lost}, NS2: {"vendor.test": lost}})))
    assert {zone for _, _, _, zone, _ in seen} == {".", "test", "vendor.test"}
    assert len(seen) == 6


def test_silent_roots_end_it_soon() -> None:
    seen = told(walk(Internet({})))
    assert [(server_class, zone) for server_class, _, _, zone, _ in seen] == [("parent", ".")] * 3


OUTSIDE = Reply(authority=["vendor.test NS ns.dns.example"], glue=["ns.dns.example A 192.9.9.9"])
RESOLVED = Reply(answers=[f"ns.dns.example A {NS1}"], flags=["RA"])


@pytest.mark.parametrize(
    ("own", "chain"),
    [(RESOLVED, [("configured", "192.0.2.53")]), (SILENT, [("configured", "192.0.2.53"), ("public", "1.1.1.1")])],
)
def test_a_server_from_another_zone_is_resolved(own: Reply, chain: list[tuple[str, str]]) -> None:
    internet = Internet(
        {
            **HEALTHY,
            TLD: {"vendor.test": Reply(authority=OUTSIDE.authority)},
            "192.0.2.53": {"ns.dns.example": own},
            "1.1.1.1": {"ns.dns.example": RESOLVED},
        }
    )
    seen = told(walk(internet, "192.0.2.53"))
    assert [(kind, server) for kind, server, _, _, _ in seen if kind in {"configured", "public"}] == chain
    assert [server for kind, server, _, _, _ in seen if kind == "authority"] == [NS1, NS1]


def test_foreign_glue_is_not_taken() -> None:
    nic = Reply(authority=["vendor.test NS ns.dns.example"], glue=["ns.dns.example A 192.9.9.9"])
    internet = Internet({**HEALTHY, TLD: {"vendor.test": nic}, "192.0.2.53": {"ns.dns.example": RESOLVED}})
    walk(internet, "192.0.2.53")
    assert "192.9.9.9" not in [question.server for question in internet.asked]


def test_a_zone_without_an_address_for_this_line_says_so() -> None:
    only_v6 = Reply(authority=["vendor.test NS ns1.vendor.test"], glue=["ns1.vendor.test AAAA 2001:db8::1"])
    seen = walk(Internet({**HEALTHY, TLD: {"vendor.test": only_v6}}))
    assert isinstance(seen[-1], NotRun)
    assert (seen[-1].why, "vendor.test" in seen[-1].detail) == ("prerequisite_failed", True)


def test_an_alias_into_another_zone_is_walked_too_but_no_further() -> None:
    cdn, edge = "192.7.0.1", "192.8.0.1"
    internet = Internet(
        {
            ROOT: {"test": TO_TLD, "cdn": Reply(authority=["cdn NS a.cdn"], glue=[f"a.cdn A {cdn}"])},
            TLD: {"vendor.test": TO_VENDOR},
            NS1: {"vendor.test": Reply(answers=["www.vendor.test CNAME x.edge.cdn"], flags=["AA"])},
            NS2: {"vendor.test": Reply(answers=["www.vendor.test CNAME x.edge.cdn"], flags=["AA"])},
            cdn: {"edge.cdn": Reply(authority=["edge.cdn NS n.edge.cdn"], glue=[f"n.edge.cdn A {edge}"])},
            edge: {"edge.cdn": Reply(answers=["x.edge.cdn CNAME y.elsewhere"], flags=["AA"])},
        }
    )
    seen = [one for one in walk(internet) if isinstance(one, Lookup)]
    assert [(one.name, one.server) for one in seen if one.server_class == "authority"][-2:] == [
        ("x.edge.cdn", edge)
    ] * 2
    assert {one.name for one in seen} == {"www.vendor.test", "x.edge.cdn"}
