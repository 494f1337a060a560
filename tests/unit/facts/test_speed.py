"""Who is slow: downloads with round trips beside them, and the verdicts that they carry."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from netdiag.evidence.machine import SystemLookup
from netdiag.evidence.record import Failure, FailureCode, Icmp
from netdiag.evidence.transport import Bursts, HopReply, Progress, Transfer
from netdiag.facts import Fact, Facts, Proxy, seen
from netdiag.verdict import Verdict, decide
from tests.fakes.records import CARRIER, CONTROL, CONTROL_HOST, EDGE, GATEWAY, ISP, TARGET, TCP, Story
from tests.unit.facts import facts_of

PLACES = (GATEWAY, ISP, CARRIER, EDGE)
FAST = 5.0
URL = "https://api.vendor.test/"


def told(
    *,
    first_byte_ms: float = 20,
    again_ms: float | None = None,
    acked_ms: float | None = 10,
    rate: float = 2_000_000,
    burst: int = 0,
    lost: int = 0,
    in_bursts: bool = False,
    loaded: Sequence[float | None] = (FAST,) * 4,
    controls_rate: float | None = 2_000_000,
    failure: Failure | None = None,
) -> Story:
    """A run in which the URL works. The first exchange and (``again_ms``) the download wait for the first byte; the
    body comes at ``rate`` after ``burst`` bytes; round trips to the four routers are ``loaded`` meanwhile."""
    story = Story()
    story.surroundings()
    story.walk()
    story.reach()
    story.http(ms=first_byte_ms / 0.9)
    _download(
        story, TARGET, "target", first_byte_ms if again_ms is None else again_ms, rate, acked_ms=acked_ms, burst=burst,
        lost=lost, in_bursts=in_bursts, loaded=loaded, failure=failure,
    )  # fmt: skip
    if controls_rate is not None:
        _download(story, CONTROL, "control", 20, controls_rate, size=60_000)
    return story


def _download(
    story: Story, address: str, role: Any, first_byte_ms: float, rate: float, *, acked_ms: float | None = 10,
    burst: int = 0, lost: int = 0, in_bursts: bool = False, loaded: Sequence[float | None] = (), size: int = 900_000,
    failure: Failure | None = None,
) -> None:  # fmt: skip
    host = story.host if role == "target" else CONTROL_HOST
    step = story.step("slow", role, host, address, 443, params={"url": URL})
    first_us = round(first_byte_ms * 1000)
    took_us = 0 if failure else min(round(max(size - burst, 1) / rate * 1e6), 10_000_000 - first_us)
    count = 40
    began_ns = round(story.at_ms * 1e6)
    progress = tuple(
        Progress(
            at_us=first_us + 1000 + n * took_us // count,
            received=min(size, burst + round(rate * n * took_us / count / 1e6)),
            out_of_order=lost * n // count,
        )
        for n in range(count + 1)
    )
    received = 0 if failure else progress[-1].received
    for ttl, (router, rtt) in enumerate(zip(PLACES, loaded, strict=False), 1):
        for n in range(9 if rtt is not None else 0):
            _hop(story, step, ttl, router, rtt or 0, at_ns=began_ns + first_us * 1000 + 20_000_000 + n * took_us * 90)
    story.add(
        Transfer, step, ms=max(first_byte_ms + took_us / 1000, 1), address=address, port=443, url=URL, failure=failure,
        limit_bytes=900_000, limit_ms=10_000, status=None if failure else 200, connected_us=10_000, secured_us=20_000,
        acked_us=None if acked_ms is None else round(acked_ms * 1000), first_byte_us=None if failure else first_us,
        finished_us=first_us + took_us, received=received, complete=received == size,
        progress=() if failure else progress, tcp=TCP,
        bursts=None if failure else Bursts(count=20 if in_bursts else 3, median_bytes=20_000, median_us=10_000),
    )  # fmt: skip


def _hop(story: Story, step: Any, ttl: int, router: str, rtt_ms: float, *, at_ns: int) -> None:
    story.add(
        HopReply, step, ms=0, address=TARGET, port=33434, protocol="udp", flow=ttl, ttl=ttl, answer="icmp",
        replier=router, icmp=Icmp(type=11, code=0, sender=router, version=4), rtt_us=round(rtt_ms * 1000),
    )  # fmt: skip
    # The story tells one thing after the other; this ran beside the download.
    story._records[-1] = msgspec.structs.replace(story._records[-1], began_ns=at_ns, ended_ns=at_ns)


def verdict_of(story: Story) -> Verdict:
    return decide(facts_of(story))


def speed_of(story: Story) -> Any:
    return facts_of(story).speed


GROWN = 400.0


def full(*loaded: float | None) -> Story:
    """The target and other hosts come slowly, alike."""
    return told(rate=60_000, controls_rate=60_000, loaded=loaded)


def test_without_a_download_nothing_is_known_of_speed() -> None:
    story = Story()
    story.surroundings()
    story.well()
    assert facts_of(story).speed == Facts().speed


def test_a_fast_url_is_none() -> None:
    story = told()
    assert speed_of(story).slow.value is False
    verdict = verdict_of(story)
    assert verdict.side == "none"
    assert "slow" not in verdict.summary


def test_a_server_that_waits_each_time_is_the_vendors() -> None:
    story = told(first_byte_ms=4000)
    speed = speed_of(story)
    assert (speed.slow.value, speed.waiting_for.value, speed.controls_fast.value) == (True, "server", True)
    verdict = verdict_of(story)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.service.slow")


def test_a_server_that_waited_once_is_no_fault() -> None:
    for story in (told(first_byte_ms=4000, again_ms=20), told(first_byte_ms=20, again_ms=4000)):
        assert speed_of(story).slow.value is not True
        assert verdict_of(story).side == "none"


def test_a_slow_look_up_is_said_and_is_nobodys() -> None:
    story = told()
    step = story.step("machine", "machine", story.host, params={"late": "yes"})
    story.add(SystemLookup, step, ms=5000, name=story.host, addresses=(TARGET,))
    assert speed_of(story).waiting_for.value == "name"
    verdict = verdict_of(story)
    assert verdict.side == "none"
    assert "the look-up of the name" in verdict.summary


def test_a_request_that_was_late_itself_is_not_the_servers_wait() -> None:
    story = told(first_byte_ms=4000, acked_ms=3900)
    assert speed_of(story).waiting_for.value == "request"
    assert verdict_of(story).side == "none"
    assert "nothing measured says why" in verdict_of(story).summary


def test_the_wait_for_a_large_answer_without_tls_may_be_a_lost_size() -> None:
    """A server that probes for the path's size answers late, and each time, where large packets vanish."""
    facts = facts_of(told(first_byte_ms=4000))
    mine = facts.speed.target.value
    assert mine is not None
    plain = msgspec.structs.replace(mine, tls_ms=None, received=5000)
    speed = msgspec.structs.replace(facts.speed, target=seen(plain, ("main:o1",)))
    assert decide(msgspec.structs.replace(facts, speed=speed)).side == "inconclusive"


def test_a_server_that_never_answers_the_second_time_is_slow_too() -> None:
    failure = Failure(op="receive", code=FailureCode.TIMED_OUT)
    story = told(first_byte_ms=9000, again_ms=10_000, failure=failure)
    assert speed_of(story).waiting_for.value == "server"


def test_a_paced_body_in_bursts_is_the_vendors() -> None:
    story = told(rate=30_000, in_bursts=True)
    assert speed_of(story).limited_by.value == "sender"
    verdict = verdict_of(story)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.service.slow")


@pytest.mark.parametrize("controls", [None, 40_000.0])
def test_a_paced_body_beside_controls_that_are_as_slow_or_unknown_is_nobodys_yet(controls: float | None) -> None:
    verdict = verdict_of(told(rate=30_000, in_bursts=True, controls_rate=controls))
    assert verdict.side == "inconclusive"


def test_a_smooth_slow_body_without_a_queue_or_loss_is_not_told() -> None:
    story = told(rate=30_000)
    assert not speed_of(story).limited_by.known
    assert verdict_of(story).side == "none"


@pytest.mark.parametrize(
    ("loaded", "limit"),
    [
        ((GROWN, GROWN, GROWN, GROWN), "lan"),
        ((FAST, GROWN, GROWN, GROWN), "access"),
        ((FAST, FAST, GROWN, GROWN), "path"),
        ((FAST, FAST, FAST, GROWN), "end"),
        ((FAST, None, GROWN, GROWN), "access"),
        ((None, None, None, GROWN), None),
    ],
)
def test_a_queue_is_placed_between_the_quick_and_the_late(loaded: Sequence[float | None], limit: str | None) -> None:
    assert speed_of(full(*loaded)).limited_by.value == limit


def test_a_router_that_is_late_before_quick_ones_is_no_queue() -> None:
    assert not speed_of(full(GROWN, FAST, FAST, FAST)).limited_by.known
    assert speed_of(full(FAST, GROWN, FAST, GROWN)).limited_by.value == "end"


def test_a_full_lan_is_the_customers_only_when_all_is_slow() -> None:
    loaded = (GROWN,) * 4
    verdict = verdict_of(full(*loaded))
    assert (verdict.side, verdict.certainty, verdict.fault) == ("local", "likely", "local.lan.congested")
    assert verdict_of(told(rate=60_000, controls_rate=None, loaded=loaded)).side == "inconclusive"
    assert verdict_of(told(rate=60_000, controls_rate=2_000_000, loaded=loaded)).side == "none"


def test_a_full_access_line_is_decided_for_nobody() -> None:
    verdict = verdict_of(full(FAST, GROWN, GROWN, GROWN))
    assert (verdict.side, verdict.fault) == ("inconclusive", "transit.access.congested")


def test_a_full_link_behind_the_provider_is_transit() -> None:
    verdict = verdict_of(full(FAST, FAST, GROWN, GROWN))
    assert (verdict.side, verdict.certainty, verdict.fault) == ("transit", "likely", "transit.path.congested")


def test_a_full_link_at_the_vendors_border_is_open() -> None:
    verdict = verdict_of(told(rate=60_000, loaded=(FAST, FAST, FAST, GROWN)))
    assert verdict.side == "inconclusive"


def test_a_policer_is_seen_and_nobodys() -> None:
    story = told(rate=40_000, burst=150_000, lost=60)
    speed = speed_of(story)
    assert (speed.limited_by.value, speed.shape.value) == ("drops", "bucket")
    assert speed.bucket.value.policed is True
    verdict = verdict_of(story)
    assert (verdict.side, verdict.fault) == ("inconclusive", "transit.path.throttled")


def test_a_knee_without_loss_in_bursts_is_not_the_senders_for_certain() -> None:
    speed = speed_of(told(rate=40_000, burst=150_000, in_bursts=True))
    assert speed.bucket.value.policed is False
    assert not speed.limited_by.known


def test_loss_without_a_knee_is_no_policer() -> None:
    verdict = verdict_of(told(rate=40_000, lost=60))
    assert verdict.side == "none"


def test_a_failure_is_never_explained_by_slowness() -> None:
    facts = facts_of(told(first_byte_ms=4000))
    assert decide(facts).fault == "host.service.slow"
    target = msgspec.structs.replace(facts.target, works=seen(False, ("main:o1",)), addresses=Fact())
    assert decide(msgspec.structs.replace(facts, target=target)).fault != "host.service.slow"


def test_through_a_proxy_the_direct_way_says_nothing() -> None:
    facts = facts_of(told(first_byte_ms=4000))
    proxy = Proxy(where="192.168.1.9:3128", control_ok=True, target_ok=True)
    machine = msgspec.structs.replace(facts.machine, proxy=seen(proxy, ("main:o1",)))
    assert decide(msgspec.structs.replace(facts, machine=machine)).side == "none"
