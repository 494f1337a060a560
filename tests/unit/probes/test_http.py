"""What the http probe asks for, by its step."""

from netdiag.evidence.bundle import Role, Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, StepId
from netdiag.evidence.web import Exchange
from netdiag.probes import http
from netdiag.probes.base import DeclinedError, Request, Stamp, Stream
from tests.fakes.world import FakeStream, FakeWorld


class ProxiedWorld(FakeWorld):
    """Keeps the requests; the proxy opens tunnels when ``opens``."""

    def __init__(self, *, opens: bool = True) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.stream = FakeStream()
        self._opens = opens

    def tunnel(self, stamp: Stamp, request: Request) -> tuple[Exchange, Stream | None]:
        return self._record(stamp, request, "CONNECT"), self.stream if self._opens else None

    def exchange(self, stamp: Stamp, request: Request, *, tunnel: Stream | None = None) -> Exchange:
        self.requests.append(request)
        return self._record(stamp, request, "GET")

    def _record(self, stamp: Stamp, request: Request, method: str) -> Exchange:
        return Exchange(
            id=stamp.id,
            step=stamp.step,
            caused_by=stamp.caused_by,
            began_ns=0,
            ended_ns=0,
            method=method,
            url=request.url,
        )


def step(url: str, *, role: Role = "target", proxy: str | None = None, **params: str) -> Step:
    address = None if proxy else "192.0.2.1"
    params = {"url": url, **params}
    return Step(id=StepId("h"), probe="http", role=role, subject="a.test", address=address, proxy=proxy, params=params)


def run(made: Step, world: FakeWorld) -> list[Observation]:
    return list(http.PROBE.run(made, world))


def test_a_direct_request_is_pinned_and_names_us() -> None:
    world = ProxiedWorld()
    run(step("https://a.test/"), world)
    assert world.requests == [Request(url="https://a.test/", address="192.0.2.1")]


def test_the_repeat_with_another_name_does_not_name_us() -> None:
    world = ProxiedWorld()
    run(step("https://a.test/", user_agent="customer"), world)
    assert (world.requests[0].user_agent, world.requests[0].identify) == ("customer", False)


def test_pages_of_controls_are_kept_and_those_of_the_vendor_are_not() -> None:
    world = ProxiedWorld()
    run(step("http://a.test/", role="control"), world)
    run(step("https://a.test/", role="control", use="portal"), world)
    run(step("http://a.test/"), world)
    assert [one.keep_page for one in world.requests] == [True, True, False]


def test_https_by_proxy_is_a_tunnel_and_then_the_exchange() -> None:
    world = ProxiedWorld()
    seen = run(step("https://a.test/", proxy="p.test:3128"), world)
    assert [one.method for one in seen if isinstance(one, Exchange)] == ["CONNECT", "GET"]
    assert seen[1].caused_by == seen[0].id
    assert world.stream.is_closed
    assert world.requests[0].proxy == "http://p.test:3128"
    assert world.requests[0].address is None


def test_a_proxy_that_refuses_ends_it() -> None:
    world = ProxiedWorld(opens=False)
    assert len(run(step("https://a.test/", proxy="p.test:3128"), world)) == 1
    assert world.requests == []


def test_http_by_proxy_is_one_exchange() -> None:
    world = ProxiedWorld()
    assert len(run(step("http://a.test/", proxy="p.test:3128"), world)) == 1


def test_what_the_manners_refuse_is_recorded() -> None:
    class Mannered(ProxiedWorld):
        def exchange(self, stamp: Stamp, request: Request, *, tunnel: Stream | None = None) -> Exchange:
            raise DeclinedError("spent")

    (seen,) = run(step("https://a.test/"), Mannered())
    assert isinstance(seen, NotRun)
    assert (seen.why, seen.detail) == ("declined", "spent")
