"""Second ways out: what is typed, what the plan makes of it, and the one request by it."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from netdiag.evidence.bundle import Step, Via
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, NotRun, StepId
from netdiag.evidence.web import Exchange
from netdiag.probes import reach, way
from netdiag.probes.base import DeclinedError, Request, Stamp, Stream
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcp
from netdiag.probes.path_world import PathWorld
from netdiag.probes.ways import Way, WayError, way_of
from tests.fakes.world import FakeStream, FakeWorld, Host, Path, Router
from tests.unit.probes.test_plan import VENDOR, VENDOR6, Line, inputs, plan, some

PROXY = Way(via=Via(kind="proxy", name="198.51.100.9:3128"), proxy="198.51.100.9:3128")
LINE = Way(via=Via(kind="interface", name="wwan0"), device="wwan0")
SOURCE = Way(via=Via(kind="source", name="192.168.1.77"), source="192.168.1.77")


# What is typed


def test_a_proxy_is_recorded_without_its_password() -> None:
    found = way_of("http://carol:s3cr%3At@proxy.test:3128")
    assert found.via == Via(kind="proxy", name="proxy.test:3128")
    assert found.proxy_authorization == "Basic Y2Fyb2w6czNjcjp0"
    assert "s3cr" not in repr(found.via)


def test_a_local_address_and_an_interface() -> None:
    assert way_of("127.0.0.1").source == "127.0.0.1"
    assert way_of("127.0.0.1").family == 4
    assert way_of("::1").family == 6
    found = way_of("lo")
    assert (found.device, found.family) == ("lo", None)


@pytest.mark.parametrize(
    "typed",
    ["203.0.113.77", "nosuch0", "", "socks5://127.0.0.1:1080", "https://127.0.0.1:3128", "http://", "http://h:0x1",
     "http://h:3128/path", "proxy.test:3128", "http://h:99999"],
)  # fmt: skip
def test_what_is_no_way_is_refused(typed: str) -> None:
    with pytest.raises(WayError):
        way_of(typed)


# The plan


def by(steps: list[Step], chosen: Way, role: str = "target") -> list[Step]:
    return [step for step in steps if step.via == chosen.via and step.role == role]


def test_nothing_is_asked_by_a_way_that_nobody_named() -> None:
    assert not some(plan(inputs(), Line()), "way")


@pytest.mark.parametrize("chosen", [PROXY, LINE])
def test_the_target_and_one_control_once_by_each_way(chosen: Way) -> None:
    line = Line()
    line.dead.add(VENDOR)
    steps = plan(inputs(ways=(chosen,)), line)
    assert [step.address for step in by(steps, chosen)] == [VENDOR, VENDOR6], "what fails comes first"
    assert len(by(steps, chosen, "control")) == 1
    order = [step.id for step in steps]
    first = order.index(by(steps, chosen)[0].id)
    again = next(step for step in some(steps, "reach", "target") if step.round == 2)
    direct = next(step for step in some(steps, "reach", "target") if step.address == VENDOR and step.round == 1)
    assert order.index(direct.id) < first < order.index(again.id), "here, there, here again"
    assert again.params["patient"] == "yes"


def test_an_address_carries_only_its_own_family() -> None:
    steps = plan(inputs(ways=(SOURCE,)), Line())
    assert [step.address for step in by(steps, SOURCE)] == [VENDOR]
    assert all(":" not in (step.address or "") for step in by(steps, SOURCE, "control"))


def test_what_a_way_meets_changes_nothing_else_of_the_plan() -> None:
    """Its records are apart: the plan of a healthy line is the same with and without, but for the way's own steps."""
    without = [step.id for step in plan(inputs(), Line())]
    with_way = [step.id for step in plan(inputs(ways=(LINE,)), Line()) if step.via is None]
    assert with_way == without


class Refusing(Line):
    """A proxy that lets names through, and no addresses."""

    def _way(self, step: Step) -> list[Observation]:
        url = step.params["url"]
        status = 403 if step.address else 200
        return [self.record(Exchange, step, method="CONNECT", url=url, via_proxy=step.proxy, status=status)]


def test_a_proxy_that_refuses_addresses_is_asked_by_name() -> None:
    steps = plan(inputs(ways=(PROXY,)), Refusing())
    assert [step.address for step in by(steps, PROXY)] == [VENDOR, VENDOR6, None]


def test_of_plain_http_a_proxy_is_told_the_name_alone() -> None:
    steps = plan(inputs(ways=(PROXY,), scheme="http", port=80), Line())
    assert [step.address for step in by(steps, PROXY)] == [None]


# A run that repeats another


def test_a_recheck_asks_the_failed_addresses_alone() -> None:
    line = Line()
    line.dead.add(VENDOR)
    steps = plan(inputs(again=True, only=(VENDOR,)), line)
    assert {step.address for step in some(steps, "reach", "target")} == {VENDOR}
    assert some(steps, "reach", "control")
    assert not [step for step in steps if step.probe in {"flows", "in_flow", "sizes", "paced", "slow", "canary"}]


# The request


def step_of(chosen: Way, address: str | None = VENDOR) -> Step:
    return Step(
        id=StepId("w"), probe="way", role="target", subject="api.vendor.com", address=address, port=443,
        proxy=chosen.proxy, via=chosen.via, params={"url": "https://api.vendor.com/x"},
    )  # fmt: skip


def answer(status: int) -> Callable[[Stamp, Request], Any]:
    def made(stamp: Stamp, request: Request) -> Exchange:
        return Exchange(
            id=stamp.id, step=stamp.step, caused_by=stamp.caused_by, began_ns=0, ended_ns=1, method="GET",
            url=request.url, address=request.address, via_proxy=request.proxy, status=status,
        )  # fmt: skip

    return made


def test_a_proxy_is_asked_for_the_very_address_and_never_for_the_path() -> None:
    asked: list[str] = []

    def tunnel(stamp: Stamp, request: Request) -> tuple[Exchange, Stream | None]:
        asked.append(request.url)
        return answer(200)(stamp, request), FakeStream()

    world = FakeWorld(tunnel=tunnel, exchange=answer(200))
    opened, page = way.PROBE.run(step_of(PROXY), world)
    assert asked == [f"https://{VENDOR}:443/"]
    assert isinstance(page, Exchange)
    assert page.url == "https://api.vendor.com/x"
    assert page.caused_by == opened.id


def test_no_request_where_the_proxy_gives_no_tunnel() -> None:
    def tunnel(stamp: Stamp, request: Request) -> tuple[Exchange, Stream | None]:
        return answer(403)(stamp, request), None

    assert len(list(way.PROBE.run(step_of(PROXY), FakeWorld(tunnel=tunnel)))) == 1


def test_it_waits_for_its_place_and_then_asks() -> None:
    tries = iter([True, True, False])

    def busy(stamp: Stamp, request: Request) -> Exchange:
        if next(tries):
            raise DeclinedError("the budget of SYNs to the vendor is spent")
        made: Exchange = answer(200)(stamp, request)
        return made

    world = FakeWorld(exchange=busy)
    (page,) = way.PROBE.run(step_of(LINE), world)
    assert isinstance(page, Exchange)
    assert len(world.slept) == 2


def test_it_says_so_when_there_never_was_a_place() -> None:
    def never(stamp: Stamp, request: Request) -> Exchange:
        raise DeclinedError("the budget of SYNs to the vendor is spent")

    (told,) = way.PROBE.run(step_of(LINE), FakeWorld(exchange=never))
    assert isinstance(told, NotRun)
    assert told.why == "declined"


def test_the_check_after_a_way_waits_for_its_place_too() -> None:
    class Busy(FakeWorld):
        tries = 3

        def connect(self, *wish: Any, **more: Any) -> Any:
            self.tries -= 1
            if self.tries:
                raise DeclinedError("the budget of SYNs to the vendor is spent")
            return super().connect(*wish, **more)

    patient = Step(
        id=StepId("r"), probe="reach", role="target", address=VENDOR, port=443, round=2,
        params={"tls": "no", "patient": "yes"},
    )  # fmt: skip
    world = Busy(Path([Router("192.0.2.1")], Host(VENDOR, tcp="none")))
    (connect,) = reach.PROBE.run(patient, world)
    assert connect.failure is not None
    assert connect.failure.code is FailureCode.TIMED_OUT


def test_a_socket_takes_the_device_of_its_way() -> None:
    """SO_BINDTODEVICE as an ordinary program may use it (Linux 5.7): a listener of the loopback is met by way of lo."""
    lo = way_of("lo")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clock = Clock(10)
        world = PathWorld(clock, ways=(lo,))
        stamp = world.stamp(step_of(lo, "127.0.0.1"))
        wish = tcp.Wish("127.0.0.1", listener.getsockname()[1], 2000, 0)
        record, stream = tcp.connect(clock, stamp, wish)
        assert stream is not None
        stream.close()
    assert record.failure is None
    assert record.device == "lo"
