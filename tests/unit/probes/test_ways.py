"""Second ways out: what is typed, what the plan makes of it, and the one request by it."""

import errno
import socket
from collections.abc import Callable
from typing import Any

import pytest

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Step, Via
from netdiag.evidence.machine import RouteLookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, NotRun, StepId
from netdiag.evidence.web import Exchange
from netdiag.probes import reach, way, ways
from netdiag.probes.base import DeclinedError, Request, Stamp, Stream
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcp
from netdiag.probes.library import netlink
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


@pytest.mark.parametrize(
    "typed",
    ["203.0.113.77", "nosuch0", "", "socks5://127.0.0.1:1080", "https://127.0.0.1:3128", "http://", "http://h:0x1",
     "http://h:3128/path", "proxy.test:3128", "http://h:99999", "http://a b:3128", "http://a\tb:3128", "http://a..b",
     "http://0.0.0.0:3128", "http://[::]:3128", "http://[224.0.0.1]:3128"],
)  # fmt: skip
def test_what_is_no_way_is_refused(typed: str) -> None:
    with pytest.raises(WayError):
        way_of(typed)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("lo", "back into this machine"),
        ("127.0.0.1", "back into this machine"),
        ("::1", "back into this machine"),
        ("::ffff:127.0.0.1", "back into this machine"),
        ("0.0.0.0", "not the address of one machine"),
        ("::", "not the address of one machine"),
        ("224.0.0.1", "not the address of one machine"),
        ("255.255.255.255", "not the address of one machine"),
        ("fe80::1%lo", "no further than the own network"),
    ],
)
def test_what_leads_nowhere_is_told_as_that(typed: str, words: str) -> None:
    with pytest.raises(WayError, match=words):
        way_of(typed)


class Routes:
    """What the kernel says of its routes: one interface for everything, and perhaps others for some networks."""

    def __init__(self) -> None:
        self.usual: dict[int, netlink.Route | None] = {
            4: netlink.Route("192.168.1.1", "eth0", "192.168.1.20"),
            6: netlink.Route("fe80::1", "eth0", "2001:db8:1::20"),
        }
        self.to: dict[str, netlink.Route] = {}
        self.others: dict[int, set[str]] = {4: set(), 6: set()}

    def route_to(self, destination: str) -> netlink.Route:
        found = self.to.get(destination, self.usual[family_of(destination)])
        if found is None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        return found

    def detours(self, version: int) -> set[str]:
        return self.others[version]


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> Routes:
    """A machine with two interfaces, whose addresses may all be bound."""
    made = Routes()
    monkeypatch.setattr(ways, "netlink", made)
    monkeypatch.setattr(made, "Route", netlink.Route, raising=False)
    monkeypatch.setattr(ways, "_interface", lambda name: Way(via=Via(kind="interface", name=name), device=name))
    monkeypatch.setattr(ways, "_source", lambda address: Way(via=Via(kind="source", name=address), source=address))
    return made


@pytest.mark.parametrize("typed", ["eth0", "192.168.1.20", "2001:db8:1::20", "2001:db8:1:0::20"])
@pytest.mark.parametrize("target", [None, "192.0.2.7", "2001:db8:5::7"])
def test_the_way_that_is_taken_anyway_is_no_second_one(routes: Routes, typed: str, target: str | None) -> None:
    mine = None if typed == "eth0" else family_of(typed)
    if target is not None and mine not in {None, family_of(target)}:
        assert way_of(typed, target).source, "it has nothing to do with this target: nothing is asked by it"
        return
    with pytest.raises(WayError, match="taken anyway; name another interface"):
        way_of(typed, target)


@pytest.mark.parametrize("typed", ["wwan0", "192.168.1.21", "2001:db8:1::77", "http://192.168.1.20:3128"])
@pytest.mark.parametrize("target", [None, "192.0.2.7"])
def test_another_way_is_taken(routes: Routes, typed: str, target: str | None) -> None:
    assert way_of(typed, target).via.name in typed


def test_where_some_networks_are_reached_by_a_tunnel_the_target_may_be_in_one(routes: Routes) -> None:
    """It goes into the tunnel by itself, perhaps: then the line itself is another way."""
    routes.others[4] = {"tun0"}
    assert way_of("eth0").device == "eth0"
    routes.to["192.0.2.7"] = netlink.Route(None, "tun0", "10.8.0.2")
    assert way_of("eth0", "192.0.2.7").device == "eth0"
    with pytest.raises(WayError, match="taken anyway"):
        way_of("tun0", "192.0.2.7")
    with pytest.raises(WayError, match="taken anyway"):
        way_of("eth0", "192.0.2.8")


def test_routes_of_the_same_interface_lead_nowhere_else(routes: Routes) -> None:
    routes.others = {4: {"eth0"}, 6: {"eth0"}}
    with pytest.raises(WayError, match="taken anyway"):
        way_of("eth0")


def test_an_interface_that_takes_one_family_anyway_is_another_way_for_the_other(routes: Routes) -> None:
    routes.usual[6] = netlink.Route("fe80::1", "wwan0", "2001:db8:2::20")
    assert way_of("eth0").device == "eth0"
    routes.usual[6] = None
    with pytest.raises(WayError, match="taken anyway"):
        way_of("eth0")


def test_without_any_route_nothing_is_taken_anyway(routes: Routes) -> None:
    routes.usual = {4: None, 6: None}
    assert way_of("eth0").device == "eth0"


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


class Routed(Line):
    """A machine that tells by which interface and from which address it goes to the vendor."""

    device: str | None = "wwan0"

    def _route(self, step: Step) -> list[Observation]:
        source = "192.168.1.77" if step.address == VENDOR else "2001:db8:1::77"
        return [self.record(RouteLookup, step, destination=step.address, device=self.device, source=source)]


def test_what_goes_by_the_way_anyway_is_not_asked_by_it_again() -> None:
    """The start could not know: the name was not resolved."""
    steps = plan(inputs(ways=(LINE,)), Routed())
    (told,) = by(steps, LINE)
    assert told.params["left_out"] == "wwan0 is the way that is taken to the target anyway"
    assert not by(steps, LINE, "control")
    (record,) = way.PROBE.run(told, FakeWorld())
    assert isinstance(record, NotRun)
    assert (record.why, record.detail) == ("prerequisite_failed", told.params["left_out"])


def test_an_own_address_is_left_out_by_its_source() -> None:
    line = Routed()
    line.device = None  # not every system tells the interface
    (told,) = by(plan(inputs(ways=(SOURCE,)), line), SOURCE)
    assert "left_out" in told.params


def test_only_the_family_that_goes_elsewhere_is_asked() -> None:
    class Both(Routed):
        def _route(self, step: Step) -> list[Observation]:
            self.device = "wwan0" if step.address == VENDOR else "eth0"
            return super()._route(step)

    assert [step.address for step in by(plan(inputs(ways=(LINE,)), Both()), LINE)] == [VENDOR6]


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
    lo = Way(via=Via(kind="interface", name="lo"), device="lo")
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
