"""Who asks for the names of which routers, and that a name is asked back for its address."""

from typing import Any

import msgspec
import pytest

from netdiag.evidence.bundle import Options, Step, Target
from netdiag.evidence.machine import Interface, InterfaceAddress, ResolverConfig
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, ObsId, StepId
from netdiag.evidence.transport import Connect, HopReply
from netdiag.probes import reverse
from netdiag.probes.plan import Inputs, Seen
from netdiag.probes.plan.owners import MOST_ROUTERS, ask_whose_hops
from netdiag.probes.plan.seen import make_step
from tests.fakes.internet import Internet, Reply
from tests.fakes.world import FakeWorld

SERVER, VENDOR, ROUTER = "84.46.53.53", "203.0.114.7", "84.46.1.1"
PTR = "1.1.46.84.in-addr.arpa"


def asked(internet: Internet) -> list[tuple[str, str]]:
    step = Step(id=StepId("r"), probe="reverse", role="resolver", subject=SERVER, address=ROUTER)
    seen = list(reverse.PROBE.run(step, FakeWorld(query=internet.query)))
    assert all(isinstance(one, Lookup) and one.server == SERVER for one in seen)
    return [(one.name, one.rrtype) for one in seen if isinstance(one, Lookup)]


def test_a_name_is_asked_back() -> None:
    name = "core1.isp.test"
    internet = Internet(
        {SERVER: {PTR: Reply(answers=[f"{PTR} PTR {name}"]), name: Reply(answers=[f"{name} A {ROUTER}"])}}
    )
    assert asked(internet) == [(PTR, "PTR"), (name, "A")]


def test_without_a_name_nothing_more_is_asked() -> None:
    assert asked(Internet({SERVER: {PTR: Reply(rcode=3)}})) == [(PTR, "PTR")]


class Line:
    """A walk to the vendor that ended in silence."""

    def __init__(self, *routers: tuple[int, str]) -> None:
        self.walk = make_step("walk", "target", address=VENDOR, port=443)
        self.reach = make_step("reach", "target", address=VENDOR, port=443)
        self.machine = make_step("machine", "machine")
        self.dns = make_step("dns", "resolver", subject=SERVER)
        self.finished = {self.walk.id, self.reach.id}
        self.records: list[Observation] = []
        self.add(ResolverConfig, self.machine, source="/etc/resolv.conf", servers=("84.46.53.54", SERVER))
        self.add(
            Interface,
            self.machine,
            name="eth0",
            link="ethernet",
            is_up=True,
            addresses=(InterfaceAddress(address="91.10.20.30", prefix_length=24),),
        )
        self.resolver_answers(0)
        for ttl, router in routers:
            self.hop(ttl, router)
        self.add(
            Connect,
            self.reach,
            address=VENDOR,
            port=443,
            limit_ms=1,
            failure=Failure(op="connect", code=FailureCode.TIMED_OUT),
        )

    def add(self, kind: Any, step: Step, **fields: Any) -> None:
        self.records.append(kind(id=ObsId(f"o{len(self.records)}"), step=step.id, began_ns=0, ended_ns=1, **fields))

    def hop(self, ttl: int, router: str) -> None:
        icmp = Icmp(type=11, code=0, sender=router)
        self.add(
            HopReply, self.walk, address=VENDOR, port=443, flow=1, ttl=ttl, answer="icmp", replier=router, icmp=icmp
        )

    def resolver_answers(self, rcode: int | None) -> None:
        self.add(
            Lookup, self.dns, name="a.test", rrtype="A", server=SERVER, server_class="configured", transport="udp",
            rcode=rcode,
        )  # fmt: skip

    def routers_asked(self, *, deep: bool = False) -> list[str | None]:
        steps = {step.id: step for step in (self.walk, self.reach, self.machine, self.dns)}
        target = Target(scheme="https", host="api.vendor.test", port=443)
        inputs = Inputs(target=target, url=target.url, options=Options(deep=deep), controls=(), public_resolvers=())
        wanted = list(ask_whose_hops(inputs, Seen(steps, frozenset(self.finished), self.records)))
        assert all((step.probe, step.role, step.subject) == ("reverse", "resolver", SERVER) for step in wanted)
        return [step.address for step in wanted]


def test_public_routers_beyond_the_first_hop_once_each() -> None:
    line = Line((1, "84.46.9.9"), (2, "10.0.0.1"), (3, ROUTER), (4, "100.64.0.1"), (5, "62.1.2.3"), (6, ROUTER))
    assert line.routers_asked() == [ROUTER, "62.1.2.3"]


def test_never_the_target_nor_what_may_be_the_customers_own_line() -> None:
    assert Line((2, "91.10.20.1"), (3, VENDOR)).routers_asked() == []


def test_not_while_the_walk_goes_on() -> None:
    line = Line((3, ROUTER))
    line.finished.discard(line.walk.id)
    assert line.routers_asked() == []


@pytest.mark.parametrize("rcode", [None, 2, 3, 5])
def test_without_a_resolver_that_answered_well_nobody_is_asked(rcode: int | None) -> None:
    line = Line((3, ROUTER))
    line.records = [one for one in line.records if not isinstance(one, Lookup)]
    line.resolver_answers(rcode)
    assert line.routers_asked() == []


def test_a_healthy_run_asks_nobody_unless_it_goes_deep() -> None:
    line = Line((3, ROUTER))
    line.records = [
        msgspec.structs.replace(one, failure=None) if isinstance(one, Connect) else one for one in line.records
    ]
    line.add(HopReply, line.walk, address=VENDOR, port=443, flow=1, ttl=4, answer="syn_ack", replier=VENDOR)
    assert line.routers_asked() == []
    assert line.routers_asked(deep=True) == [ROUTER]


def test_not_more_than_the_limit() -> None:
    line = Line(*((ttl, f"84.46.1.{ttl}") for ttl in range(2, 40)))
    assert len(line.routers_asked()) == MOST_ROUTERS
