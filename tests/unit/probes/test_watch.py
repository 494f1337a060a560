"""The watch after the run: seldom, with growing quiets, and over at the first success."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, StepId
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange, Header
from netdiag.probes import watch
from netdiag.probes.base import OutOfTimeError, Request, Stamp
from netdiag.probes.plan.recovery import FIRST_QUIET_S, MAX_ATTEMPTS, next_quiet
from tests.fakes.world import FakeWorld, Host, Path, Router

ADDRESS = "203.0.113.7"


def step(for_s: int, level: str = "connect", **params: str) -> Step:
    return Step(
        id=StepId("w"),
        probe="watch",
        role="target",
        subject="api.vendor.test",
        address=ADDRESS,
        port=443,
        params={"level": level, "url": "https://api.vendor.test/", "for_s": str(for_s), **params},
    )


class Ban:
    """A limiter in front of the host: refuses up to ``until_s``, and each attempt renews it for ``renew_s``."""

    def __init__(self, until_s: float, renew_s: float = 0.0) -> None:
        self.until_s, self.renew_s = until_s, renew_s
        self.asked_at: list[float] = []

    def refuses(self, now_s: float) -> bool:
        self.asked_at.append(now_s)
        if now_s >= self.until_s:
            return False
        self.until_s = max(self.until_s, now_s + self.renew_s)
        return True


class BannedWorld(FakeWorld):
    def __init__(self, ban: Ban, **more: object) -> None:
        super().__init__(Path([Router("192.0.2.1")], Host(ADDRESS)), budget_s=8000, **more)  # type: ignore[arg-type]
        self.ban = ban

    def connect(self, stamp: Stamp, address: str, port: int, **wish: object):  # type: ignore[no-untyped-def]
        self._paths[ADDRESS].host = Host(ADDRESS, tcp="none" if self.ban.refuses(self.now_ns() / 1e9) else "syn_ack")
        return super().connect(stamp, address, port, **wish)  # type: ignore[arg-type]


def watched(ban: Ban, for_s: int) -> list[Observation]:
    return list(watch.PROBE.run(step(for_s), BannedWorld(ban)))


def test_it_is_over_at_the_first_success() -> None:
    ban = Ban(until_s=60)
    records = watched(ban, 3600)
    failures = [one.failure is not None for one in records if isinstance(one, Connect)]
    assert failures == [True, False]


@pytest.mark.parametrize("period_s", [10, 30, 45, 300])
def test_a_ban_that_renews_itself_is_left_alone_as_soon_as_the_quiet_is_longer(period_s: int) -> None:
    """ufw limit (30 s), mod_evasive (10 s) and longer ones: all end by the watch's own quiet."""
    ban = Ban(until_s=period_s, renew_s=period_s)
    records = watched(ban, 3600)
    last = records[-1]
    assert isinstance(last, Connect)
    assert last.failure is None
    assert len(records) <= 5


def test_the_vendor_gets_few_packets_however_long_it_is_watched() -> None:
    ban = Ban(until_s=1e9)
    records = watched(ban, 7200)
    assert len(records) <= MAX_ATTEMPTS
    assert all(isinstance(one, Connect) and one.syns_sent == 1 for one in records)
    gaps = [later - earlier for earlier, later in pairwise([0.0, *ban.asked_at])]
    assert gaps[0] >= 30, "sooner than the window of ufw limit"
    assert all(later > earlier for earlier, later in pairwise(gaps)), "no quiet is shorter than the one before"


def answered(status: int, **headers: str) -> object:
    def exchange(stamp: Stamp, request: Request) -> Exchange:
        held = tuple(Header(name=name.replace("_", "-"), value=value) for name, value in headers.items())
        return Exchange(
            id=stamp.id, step=stamp.step, began_ns=0, ended_ns=0, method="GET", url=request.url,
            address=request.address, status=status, headers=held,
        )  # fmt: skip

    return exchange


def test_retry_after_is_kept() -> None:
    world = FakeWorld(budget_s=8000, exchange=answered(429, retry_after="400"))  # type: ignore[arg-type]
    list(watch.PROBE.run(step(3600, "http"), world))
    assert all(quiet > 400 for quiet in world.slept[1:])


def test_nobody_is_asked_before_the_time_that_the_run_was_told() -> None:
    world = FakeWorld(budget_s=8000, exchange=answered(200))  # type: ignore[arg-type]
    list(watch.PROBE.run(step(3600, "http", asked_s="120"), world))
    assert world.slept[0] > 120


def test_a_wait_beyond_the_end_is_said_and_not_broken() -> None:
    world = FakeWorld(budget_s=8000, exchange=answered(503, retry_after="86400"))  # type: ignore[arg-type]
    records = list(watch.PROBE.run(step(600, "http"), world))
    assert [type(one) for one in records] == [Exchange, NotRun]
    assert "86400 s more" in records[1].detail  # type: ignore[union-attr]


def test_the_end_of_time_ends_it() -> None:
    world = FakeWorld(Path([Router("192.0.2.1")], Host(ADDRESS, tcp="none")), budget_s=100)
    with pytest.raises(OutOfTimeError):
        list(watch.PROBE.run(step(7200), world))


@given(st.floats(60, 7200), st.lists(st.floats(0, 5000), max_size=MAX_ATTEMPTS))
def test_quiets_grow_and_stay_inside_the_watch(for_s: float, asked: list[float]) -> None:
    quiet: float | None = None
    spent, made = 0.0, 0
    waits = [None, *asked]
    while True:
        wait = waits[made] if made < len(waits) else None
        following = next_quiet(quiet, for_s - spent, made, wait)
        if following is None:
            break
        assert following >= (FIRST_QUIET_S if quiet is None else 2 * quiet)
        assert wait is None or following > wait
        quiet, spent, made = following, spent + following, made + 1
    assert spent <= for_s + 1e-6
    assert made <= MAX_ATTEMPTS
