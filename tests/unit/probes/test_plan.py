"""The plan as a table: what was seen -> what is asked next."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from netdiag.evidence.bundle import Options, Step, Target
from netdiag.evidence.machine import DefaultRoute, HostsEntry, ProxySetting, ResolverConfig
from netdiag.evidence.names import Lookup, ResourceRecord
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, NotRun, ObsId, StepId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.controls import DEFAULT_CONTROLS, PUBLIC_RESOLVERS
from netdiag.probes.plan import Inputs, Seen, next_steps
from tests.fakes.records import LEAF

SILENT = Failure(op="connect", code=FailureCode.TIMED_OUT)
VENDOR, VENDOR6, RESOLVER = "203.0.114.7", "2a00:77::7", "192.168.1.53"


class Line:
    """What the simulated network answers to each step; each attribute is one thing that may be changed."""

    def __init__(self) -> None:
        self.resolvers: tuple[str, ...] = (RESOLVER,)
        self.families: tuple[int, ...] = (4, 6)
        self.names: dict[str, tuple[str, ...]] = {"configured": (VENDOR, VENDOR6), "public": (VENDOR, VENDOR6)}
        self.hosts: tuple[str, ...] = ()
        self.proxy: tuple[str, int] | None = None
        self.dead: set[str] = set()
        self.resets: set[str] = set()
        self.untrusted: set[str] = set()
        self.status = 200
        self.statuses: dict[str, int] = {}
        self.takes_ms = 0
        self.may_ping, self.loses = True, False
        self.count = 0

    def record(self, kind: Callable[..., Observation], step: Step, **fields: Any) -> Observation:
        self.count += 1
        return kind(id=ObsId(f"o{self.count}"), step=step.id, began_ns=0, ended_ns=1, **fields)

    def answer(self, step: Step) -> Sequence[Observation]:
        made = getattr(self, f"_{step.probe}", None)
        return [] if made is None else made(step)

    def _machine(self, step: Step) -> list[Observation]:
        if step.round == 2:
            return []
        found = [
            self.record(
                DefaultRoute, step, family=family, exists=family in self.families, gateway=gateway, device="eth0"
            )
            for family, gateway in ((4, "192.168.1.1"), (6, "fe80::1"))
        ]
        found.append(self.record(ResolverConfig, step, source="/etc/resolv.conf", servers=self.resolvers))
        found.append(self.record(HostsEntry, step, name=step.subject, addresses=self.hosts))
        if self.proxy:
            host, port = self.proxy
            found.append(self.record(ProxySetting, step, scheme="https", source="environment", host=host, port=port))
        return found

    def _dns(self, step: Step) -> list[Observation]:
        server_class, name = step.params["class"], step.params["name"]
        addresses = self.names.get(server_class, ()) if step.params["use"] == "target" else ("192.0.78.1",)
        if step.subject in self.dead:
            failure = Failure(op="resolve", code=FailureCode.TIMED_OUT)
            return [self._lookup(step, name, "A", (), failure=failure)]
        return [
            self._lookup(step, name, "A", [one for one in addresses if ":" not in one]),
            self._lookup(step, name, "AAAA", [one for one in addresses if ":" in one]),
        ]

    def _lookup(self, step: Step, name: str, rrtype: str, found: Sequence[str], **fields: Any) -> Observation:
        answers = tuple(ResourceRecord(name=name, rrtype=rrtype, data=one, ttl=60) for one in found)
        server_class = step.params["class"]
        return self.record(
            Lookup, step, name=name, rrtype=rrtype, server=step.subject, server_class=server_class, transport="udp",
            answers=answers, rcode=None if "failure" in fields else 0, **fields,
        )  # fmt: skip

    def _reach(self, step: Step) -> list[Observation]:
        dead = step.address in self.dead
        fields: dict[str, Any] = {"address": step.address, "port": step.port, "limit_ms": 3000}
        found = [self.record(Connect, step, failure=SILENT if dead else None, **fields)]
        if not dead and step.params["tls"] == "yes":
            rejected = Failure(op="handshake", code=FailureCode.CERT_REJECTED)
            failure = rejected if step.address in self.untrusted else None
            found.append(self.record(Handshake, step, failure=failure, chain=(LEAF,)))
        return found

    def _http(self, step: Step) -> list[Observation]:
        status = self.statuses.get(step.address or "", self.status) if step.role == "target" else 204
        made = self.record(Exchange, step, method="GET", url=step.params["url"], status=status)
        return [msgspec.structs.replace(made, ended_ns=self.takes_ms * 1_000_000)]

    def _echo(self, step: Step) -> list[Observation]:
        if not self.may_ping:
            return [self.record(NotRun, step, why="no_privilege", what="ICMP echo")]
        lost = [True, False] if self.loses else [False]
        return [
            self.record(
                Echo, step, address=step.address, sequence=1, mode="ping_socket", rtt_us=None if is_lost else 900
            )
            for is_lost in lost
        ]

    def _walk(self, step: Step) -> list[Observation]:
        answer = "none" if step.address in self.dead else "rst" if step.address in self.resets else "syn_ack"
        fields = {"address": step.address, "port": step.port, "protocol": step.params["protocol"]}
        router = Icmp(type=11, code=0, sender="62.115.140.2")
        common: dict[str, Any] = {"mode": "unprivileged", "flow": 1, **fields}
        return [
            self.record(HopReply, step, ttl=2, answer="icmp", replier=router.sender, icmp=router, **common),
            self.record(HopReply, step, ttl=3, answer=answer, **common),
        ]


def inputs(host: str = "api.vendor.com", **changes: Any) -> Inputs:
    fields: dict[str, Any] = {"scheme": "https", "host": host, "port": 443} | {
        key: changes.pop(key) for key in ("private", "is_literal", "scheme", "port") if key in changes
    }
    target = Target(**fields)
    controls = () if target.private else DEFAULT_CONTROLS
    defaults: dict[str, Any] = {
        "options": Options(), "controls": controls, "public_resolvers": PUBLIC_RESOLVERS,
        "url": f"{target.scheme}://{host}/",
    }  # fmt: skip
    return Inputs(target=target, **(defaults | changes))


def plan(asked: Inputs, line: Line) -> list[Step]:
    """All steps in the order in which they were started, each answered at once."""
    started: dict[StepId, Step] = {}
    finished: set[StepId] = set()
    observations: list[Observation] = []
    while fresh := next_steps(asked, Seen(started, frozenset(finished), observations)):
        for step in fresh:
            assert step.id not in started
            started[step.id] = step
        for step in fresh:
            observations += line.answer(step)
            finished.add(step.id)
    return list(started.values())


def some(steps: Sequence[Step], probe: str, role: str | None = None, **params: str) -> list[Step]:
    return [
        step
        for step in steps
        if step.probe == probe
        and role in (None, step.role)
        and all(step.params.get(key) == value for key, value in params.items())
    ]


def test_a_healthy_line_is_measured_once() -> None:
    steps = plan(inputs(), Line())
    assert {step.address for step in some(steps, "reach", "target")} == {VENDOR, VENDOR6}
    assert {step.port for step in some(steps, "reach", "target")} == {443}
    assert len(some(steps, "http", "target")) == 2
    assert len(some(steps, "walk", "target")) == 2
    assert len(some(steps, "walk", "control")) == 2
    assert {step.params["protocol"] for step in some(steps, "walk")} == {"tcp"}
    assert not some(steps, "egress")
    assert [step.id for step in steps if step.round == 2] == ["machine|machine|api.vendor.com|again"]


def test_public_resolvers_and_the_zones_own_servers_are_asked() -> None:
    steps = plan(inputs(), Line())
    assert {step.subject for step in some(steps, "dns", **{"class": "public"})} == {"1.1.1.1", "8.8.8.8", "9.9.9.9"}
    assert len(some(steps, "delegation")) == 1


@pytest.mark.parametrize(
    "change",
    [{"private": True, "host": "erp.corp.internal"}, {"private": True, "is_literal": True, "host": "10.4.4.4"}],
)
def test_a_private_target_is_told_to_nobody_outside(change: dict[str, Any]) -> None:
    steps = plan(inputs(**change), Line())
    assert not some(steps, "delegation")
    assert not [step for step in steps if step.role == "control"]
    assert {step.subject for step in some(steps, "dns")} <= {RESOLVER}
    assert some(steps, "reach", "target")


def test_a_private_answer_keeps_controls_on_and_outside_resolvers_off() -> None:
    line = Line()
    line.names["configured"] = ("10.9.9.9",)
    steps = plan(inputs(), line)
    assert not some(steps, "dns", **{"class": "public"})
    assert not some(steps, "delegation")
    assert some(steps, "reach", "control")
    consented = plan(inputs(consented=True), line)
    assert some(consented, "dns", **{"class": "public"})


def test_a_dead_resolver_is_asked_again_and_the_outside_answers_are_measured() -> None:
    line = Line()
    line.dead.add(RESOLVER)
    steps = plan(inputs(), line)
    assert {step.address for step in some(steps, "reach", "target")} == {VENDOR, VENDOR6}
    assert some(steps, "dns", use="control", **{"class": "public"})
    again = [step for step in some(steps, "dns") if step.round == 2]
    assert [step.subject for step in again] == [RESOLVER]


def test_a_silent_address_is_followed_up_on_other_axes_and_checked_once_more() -> None:
    line = Line()
    line.dead.add(VENDOR)
    steps = plan(inputs(), line)
    to_vendor = [step for step in steps if step.address == VENDOR]
    assert len(some(to_vendor, "walk")) == 1
    assert {(step.port, step.round) for step in some(to_vendor, "reach")} == {(443, 1), (80, 1), (443, 2)}
    assert len(some(to_vendor, "egress")) == 1
    assert not some(to_vendor, "http")
    healthy = [step for step in steps if step.address == VENDOR6]
    assert {step.params.get("protocol") for step in some(healthy, "walk")} == {"tcp"}


def test_a_rejected_certificate_stops_before_http_and_is_not_checked_again() -> None:
    line = Line()
    line.untrusted |= {VENDOR, VENDOR6}
    steps = plan(inputs(), line)
    assert not some(steps, "http", "target")
    assert not [step for step in some(steps, "reach") if step.round == 2]


def test_addresses_that_only_others_give_are_measured_when_the_own_ones_fail() -> None:
    line = Line()
    line.names = {"configured": (VENDOR,), "public": ("203.0.114.99",)}
    assert {step.address for step in some(plan(inputs(), line), "reach", "target")} == {VENDOR}
    line.untrusted.add(VENDOR)
    assert {step.address for step in some(plan(inputs(), line), "reach", "target")} == {VENDOR, "203.0.114.99"}


def test_no_walk_where_there_is_no_route() -> None:
    line = Line()
    line.families = (4,)
    line.dead.add(VENDOR6)
    steps = plan(inputs(), line)
    assert [step.address for step in some(steps, "walk", "target")] == [VENDOR]
    assert {step.address for step in some(steps, "reach", "target")} == {VENDOR, VENDOR6}


@pytest.mark.parametrize(("status", "clients"), [(403, ["netdiag", "browser"]), (429, ["netdiag"]), (200, ["netdiag"])])
def test_a_refused_client_asks_once_in_other_clothes(status: int, clients: list[str]) -> None:
    line = Line()
    line.status, line.names = status, {"configured": (VENDOR,), "public": (VENDOR,)}
    steps = plan(inputs(), line)
    assert [step.params["user_agent"] for step in some(steps, "http", "target")] == clients


def test_addresses_that_refuse_alike_are_asked_in_other_clothes_at_one_alone() -> None:
    line = Line()
    line.status = 403
    asked = [(step.address, step.params["user_agent"]) for step in some(plan(inputs(), line), "http", "target")]
    assert set(asked) == {(VENDOR6, "netdiag"), (VENDOR, "browser"), (VENDOR, "netdiag")}
    line.statuses = {VENDOR6: 406}
    steps = some(plan(inputs(), line), "http", "target")
    assert {step.address for step in steps if step.params["user_agent"] == "browser"} == {VENDOR, VENDOR6}


def test_requests_that_failed_alike_are_repeated_at_one_address_alone() -> None:
    line = Line()
    line.status = 500
    again = [step.address for step in some(plan(inputs(), line), "http", "target") if step.round == 2]
    assert again == [VENDOR]
    line.statuses = {VENDOR6: 502}
    again = [step.address for step in some(plan(inputs(), line), "http", "target") if step.round == 2]
    assert set(again) == {VENDOR6, VENDOR}


def test_an_error_that_was_held_back_longer_than_the_check_waits_is_not_asked_for_again() -> None:
    line = Line()
    line.status, line.takes_ms = 500, 5100
    assert [step.round for step in some(plan(inputs(), line), "http", "target")] == [1, 1]


@pytest.mark.parametrize(("status", "rounds"), [(500, [1, 2]), (502, [1, 2]), (503, [1]), (429, [1])])
def test_server_errors_are_checked_again_and_limits_never(status: int, rounds: list[int]) -> None:
    line = Line()
    line.status, line.names = status, {"configured": (VENDOR,), "public": (VENDOR,)}
    steps = plan(inputs(), line)
    assert [step.round for step in some(steps, "http", "target")] == rounds


def test_a_proxy_carries_target_and_controls_too() -> None:
    line = Line()
    line.proxy = ("10.0.0.9", 3128)
    steps = plan(inputs(), line)
    proxied = [step for step in steps if step.proxy == "10.0.0.9:3128"]
    assert {step.role for step in proxied} == {"target", "control"}
    assert some(steps, "reach", "proxy")[0].address == "10.0.0.9"


def test_where_no_control_answers_one_of_them_is_walked_for_each_family() -> None:
    line = Line()
    controls = {address for one in DEFAULT_CONTROLS for address in one.addresses}
    line.dead |= controls
    walked = some(plan(inputs(), line), "walk", "control")
    assert {":" in (step.address or "") for step in walked} == {True, False}
    assert len(walked) == 2
    assert {step.address for step in walked} <= controls
    line.dead -= {address for address in controls if ":" in address}
    assert len(some(plan(inputs(), line), "walk", "control")) == 2


def test_the_control_is_walked_over_ipv4_before_the_targets_name_is_known() -> None:
    line = Line()
    line.names = {}
    assert [":" in (step.address or "") for step in some(plan(inputs(), line), "walk", "control")] == [False]
    literal = plan(inputs(VENDOR6, is_literal=True), line)
    assert [":" in (step.address or "") for step in some(literal, "walk", "control")] == [True]


def test_the_hosts_file_comes_first() -> None:
    line = Line()
    line.hosts = ("192.0.78.200",)
    addresses = [step.address for step in some(plan(inputs(), line), "reach", "target")]
    assert "192.0.78.200" in addresses


def test_a_name_with_hundreds_of_addresses_is_bounded() -> None:
    line = Line()
    line.names = {"configured": tuple(f"203.0.114.{n}" for n in range(1, 200))}
    assert len(some(plan(inputs(), line), "reach", "target")) == 4


def test_who_says_nothing_is_not_asked_for_a_name_that_nobody_has() -> None:
    line = Line()
    line.resolvers, line.dead = (RESOLVER, "192.168.1.54"), {RESOLVER}
    assert [step.subject for step in some(plan(inputs(), line), "dns", use="random")] == ["192.168.1.54"]


def _while_own_names_are_asked(line: Line, finished: set[str]) -> list[Step]:
    """What is started next, once the machine is known and of the own resolvers those in ``finished`` have ended."""
    asked = inputs()
    (machine,) = next_steps(asked, Seen({}, frozenset(), []))
    started, observations = {machine.id: machine}, list(line.answer(machine))
    ended: set[StepId] = set()
    for step in next_steps(asked, Seen(started, frozenset(), observations)):
        started[step.id] = step
        if step.probe == "dns" and step.subject in finished:
            observations += line.answer(step)
            ended.add(step.id)
    return list(next_steps(asked, Seen(started, frozenset(ended), observations)))


def test_outside_resolvers_wait_for_every_own_one_that_may_still_give_a_private_address() -> None:
    line = Line()
    line.resolvers, line.dead = (RESOLVER, "192.168.1.54"), {RESOLVER}
    assert not some(_while_own_names_are_asked(line, {RESOLVER}), "dns", **{"class": "public"})
    assert some(_while_own_names_are_asked(line, {RESOLVER, "192.168.1.54"}), "dns", **{"class": "public"})
    assert some(_while_own_names_are_asked(line, {"192.168.1.54"}), "dns", **{"class": "public"})


@pytest.mark.parametrize("endless", ["machine", "reverse", "walk beside"])
def test_the_check_once_more_does_not_wait_for_what_tells_it_nothing(endless: str) -> None:
    line = Line()
    line.dead.add(VENDOR)
    line.resets.add(VENDOR6)
    asked = inputs()
    started: dict[StepId, Step] = {}
    observations: list[Observation] = []
    finished: set[StepId] = set()
    while fresh := next_steps(asked, Seen(started, frozenset(finished), observations)):
        started |= {step.id: step for step in fresh}
        for step in fresh:
            observations += line.answer(step)
            beside = step.probe == "walk" and step.params.get("protocol") == "udp"
            if endless not in {step.probe, "walk beside" if beside else ""}:
                finished.add(step.id)
    assert any(step.probe == endless.split(maxsplit=1)[0] for step in started.values() if step.id not in finished)
    again = {step.probe for step in started.values() if step.round == 2}
    assert again == {"reach"}, "the machine is looked at again last, and only when all has ended"


def test_of_many_dead_addresses_few_paths_are_walked_and_the_gateway_is_asked_about_one() -> None:
    line = Line()
    many = tuple(f"203.0.114.{n}" for n in range(1, 9))
    line.names, line.dead = {"configured": many}, set(many)
    steps = plan(inputs(), line)
    assert len(some(steps, "walk", "target")) == 2
    assert len(some(steps, "egress")) == 1
    assert (
        len(some(steps, "reach", "target", use="other_port"))
        == len({step.address for step in some(steps, "reach", "target")})
        == 4
    )


def test_a_gateway_that_may_not_be_pinged_is_knocked_at() -> None:
    line = Line()
    line.may_ping = False
    knocks = some(plan(inputs(), line), "knock", "gateway")
    assert [(step.address, step.params) for step in knocks] == [
        ("192.168.1.1", {"count": "5"}), ("fe80::1%eth0", {"count": "5"}),
    ]  # fmt: skip
    line.may_ping = True
    assert not some(plan(inputs(), line), "knock")


def test_more_is_counted_once_somebody_was_silent_and_answered() -> None:
    line = Line()
    line.loses = True
    steps = plan(inputs(), line)
    assert {(step.address, step.params["count"]) for step in some(steps, "knock", "gateway")} == {
        ("192.168.1.1", "20"), ("fe80::1%eth0", "20"),
    }  # fmt: skip
    assert len(some(steps, "echo", "control", count="10", pace_ms="300")) == 1


def test_nothing_more_is_counted_where_someone_is_dead_all_the_time() -> None:
    line = Line()
    line.dead |= {VENDOR, RESOLVER}
    steps = plan(inputs(), line)
    assert not some(steps, "knock")
    assert not some(steps, "echo", "control", count="10")
