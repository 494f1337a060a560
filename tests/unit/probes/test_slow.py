"""When speed is looked at, where, and what the probe sends."""

from typing import Any

import msgspec

from netdiag.evidence.bundle import Options, Step
from netdiag.evidence.record import Icmp, NotRun, ObsId, StepId
from netdiag.evidence.transport import HopReply, TcpInfo, Transfer
from netdiag.evidence.web import Exchange
from netdiag.probes.base import Request, Stamp
from netdiag.probes.plan.slow import MOST_PLACES, was_slow
from netdiag.probes.slow import CONTROL_BYTES, IDLE_SAMPLES, LIMIT_BYTES, PROBE
from tests.fakes.records import TCP
from tests.fakes.world import FakeWorld, Host, Path, Router
from tests.unit.probes.test_plan import VENDOR, Line, inputs, plan, some

ROUTERS = ("192.168.1.1", "100.64.0.1", "203.0.113.1", "198.51.100.9", "198.51.100.10", "198.51.100.11", "203.0.113.9")


class Timed(Line):
    """A line whose exchanges take so long, and on which some routers answer a walk."""

    def __init__(self, **times: Any) -> None:
        super().__init__()
        self.times = times
        self.routers = ROUTERS

    def _http(self, step: Step) -> list[Any]:
        made = [msgspec.structs.replace(one, tcp=TCP) for one in super()._http(step)]
        return [msgspec.structs.replace(one, address=step.address, **self.times) for one in made]

    def _walk(self, step: Step) -> list[Any]:
        found = [
            self.record(
                HopReply, step, address=step.address, port=443, flow=1, ttl=ttl, answer="icmp", replier=router,
                icmp=Icmp(type=11, code=0, sender=router, version=4),
            )
            for ttl, router in enumerate(self.routers, 1)
        ]  # fmt: skip
        return [*found, *super()._walk(step)]


def slow_steps(line: Line, *, asked: bool = False) -> list[Step]:
    return some(plan(inputs(options=Options(slow=asked)), line), "slow")


def test_a_quick_exchange_is_left_alone_unless_it_was_asked_for() -> None:
    quick = {"connected_us": 20_000, "secured_us": 60_000, "first_byte_us": 90_000, "finished_us": 95_000}
    assert not slow_steps(Timed(**quick))
    assert len([one for one in slow_steps(Timed(**quick), asked=True) if one.role == "target"]) == 1


def test_a_slow_exchange_is_looked_at_by_itself_once_and_beside_two_controls() -> None:
    steps = slow_steps(Timed(connected_us=20_000, secured_us=60_000, first_byte_us=4_000_000))
    assert [one.role for one in steps] == ["target", "control", "control"]
    assert steps[0].address == VENDOR
    assert len({one.subject for one in steps}) == 3


def test_few_routers_are_watched_the_nearest_and_the_last_among_them() -> None:
    (step, *_) = slow_steps(Timed(first_byte_us=4_000_000))
    ttls = [int(word) for word in step.params["ttls"].split()]
    assert len(ttls) == MOST_PLACES
    assert ttls[:4] == [1, 2, 3, 4]
    assert ttls[-1] == len(ROUTERS)


def test_limits_and_failures_are_not_downloaded() -> None:
    for status in (429, 503, 500, 504):
        line = Timed(first_byte_us=4_000_000)
        line.status = status
        assert not slow_steps(line, asked=True)


def exchange(tcp: TcpInfo | None = None, **times: Any) -> Exchange:
    return Exchange(
        id=ObsId("o1"), step=StepId("s"), began_ns=0, ended_ns=1, method="GET", url="https://a/", tcp=tcp, **times
    )


def test_each_phase_counts_and_a_long_line_is_given_time() -> None:
    assert was_slow(exchange(connected_us=3_000_000))
    assert was_slow(exchange(connected_us=10_000, secured_us=3_000_000))
    assert was_slow(exchange(connected_us=10_000, secured_us=20_000, first_byte_us=2_500_000))
    assert was_slow(exchange(connected_us=10_000, first_byte_us=20_000, finished_us=2_500_000))
    assert not was_slow(exchange(connected_us=900_000, secured_us=1_800_000, first_byte_us=2_700_000))
    far = msgspec.structs.replace(TCP, min_rtt_us=700_000)
    assert not was_slow(exchange(far, connected_us=700_000, first_byte_us=6_000_000))
    assert was_slow(exchange(far, connected_us=700_000, first_byte_us=9_000_000))


PATH = Path(routers=[Router(address) for address in ROUTERS[:3]], host=Host(address="203.0.113.7"))


def step_of(role: Any = "target", ttls: str = "1 2 3") -> Step:
    params = {"url": "https://api.vendor.com/", "ttls": ttls}
    return Step(id=StepId("s1"), probe="slow", role=role, address="203.0.113.7", port=443, params=params)


def downloads(asked: list[Request]) -> Any:
    def transfer(stamp: Stamp, request: Request) -> Transfer:
        asked.append(request)
        return Transfer(
            id=stamp.id, step=stamp.step, began_ns=0, ended_ns=1, address=request.address or "", port=443,
            url=request.url, limit_bytes=0, limit_ms=request.limit_ms,
        )  # fmt: skip

    return transfer


def test_a_place_is_asked_while_it_is_idle_on_one_flow_and_the_download_comes_once() -> None:
    asked: list[Request] = []
    world = FakeWorld(PATH, transfer=downloads(asked))
    seen = list(PROBE.run(step_of(ttls="2"), world))  # one place: the fake clock runs for all threads together
    assert len(asked) == 1
    made = next(n for n, one in enumerate(seen) if isinstance(one, Transfer))
    idle = [one for one in seen[:made] if isinstance(one, HopReply)]
    assert len(idle) == IDLE_SAMPLES
    assert {(one.ttl, one.replier) for one in idle} == {(2, ROUTERS[1])}
    assert len({one.source_port for one in idle}) == 1
    assert all(probe.follow_up for probe in world.sent)
    assert not world.reached


def test_a_control_is_only_downloaded_and_less_of_it() -> None:
    asked: list[Request] = []
    world = FakeWorld(PATH, transfer=downloads(asked))
    seen = list(PROBE.run(step_of("control", ""), world))
    assert [type(one) for one in seen] == [Transfer]
    assert not world.sent
    assert CONTROL_BYTES < LIMIT_BYTES < 1_000_000


def test_a_silent_router_does_not_hold_the_rest_up() -> None:
    quiet = Path(routers=[Router(ROUTERS[0]), Router(ROUTERS[1], answers=frozenset())], host=PATH.host)
    world = FakeWorld(quiet, transfer=downloads([]))
    seen = list(PROBE.run(step_of(ttls="2"), world))
    assert not [one for one in seen if isinstance(one, NotRun)]
    assert any(isinstance(one, Transfer) for one in seen)
    assert sum(isinstance(one, HopReply) and one.ttl == 2 for one in seen) < IDLE_SAMPLES
