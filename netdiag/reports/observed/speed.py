"""What was seen of speed: a bounded download of the URL, and others beside it."""

from collections.abc import Iterator

from netdiag.facts import Facts
from netdiag.facts.speed import Download, SpeedFacts
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import listing, size, span

_PHASE = {
    "name": "the name's address",
    "connect": "the TCP connection",
    "tls": "TLS",
    "request": "the acknowledgement of the request",
    "server": "the first byte, though the request was acknowledged",
    "body": "the rest of the answer",
}
_LIMIT = {
    "sender": "the sender, which paused",
    "lan": "round trips to the own gateway, which grew",
    "access": "round trips just beyond the own gateway, which grew",
    "path": "round trips on the way, which grew",
    "end": "round trips in the vendor's network, which grew",
    "drops": "packets that were dropped, while round trips stayed short",
}


ENOUGH = 20_000
"""Bytes: fewer come at once, and show no rate."""


def of_speed(facts: Facts) -> Iterator[Sight]:
    """The target's download, what it waited for, and the controls'."""
    speed = facts.speed
    if speed.target.value is not None:
        yield sight(_download(speed.target.value), speed.target)
    if speed.slow.value is True and speed.waiting_for.value is not None:
        yield sight(f"It took long each time, most of all for {_PHASE[speed.waiting_for.value]}.", speed.waiting_for)
    yield from _body(speed)
    fast = [one for one in speed.controls.value or () if one.rate is not None and one.received >= ENOUGH]
    if fast:
        rates = listing(f"{one.host} {_rate(one.rate)}" for one in fast if one.rate is not None)
        yield sight(f"For comparison: {rates}.", speed.controls)


def _body(speed: SpeedFacts) -> Iterator[Sight]:
    bucket = speed.bucket.value
    if bucket is not None:
        yield sight(
            f"It came at {_rate(bucket.before)} for the first {size(bucket.knee)}, then at {_rate(bucket.after)}.",
            speed.bucket,
        )
    if speed.limited_by.value is not None:
        where = ""
        if speed.held_between.value is not None:
            where = f" (between {' and '.join(speed.held_between.value)})"
        yield sight(f"It was held up by {_LIMIT[speed.limited_by.value]}{where}.", speed.limited_by)


def _download(one: Download) -> str:
    said = [f"{size(one.received)} of the URL" + (", all there was," if one.complete else "")]
    said.append(f"came from {one.address}")
    if one.rate is not None and one.received >= ENOUGH:
        said.append(f"at {_rate(one.rate)}")
    server = "" if one.server_ms is None else f"; first byte {span(one.server_ms / 1000)} after the request had arrived"
    return f"{' '.join(said)}{server}."


def _rate(rate: float) -> str:
    """Bytes per second."""
    return f"{size(round(rate))}/s"
