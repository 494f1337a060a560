"""Where the first exchange was slow, or it was asked for: a bounded download, and round trips under load."""

from collections.abc import Iterator
from itertools import pairwise

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Step
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import Inputs, Seen, make_step, stays_here
from netdiag.probes.plan.target import LIMIT_STATUSES
from netdiag.probes.walk_plan import is_router

SLOW_US = 2_000_000
"""Longer than this people call slow: web.dev (Time to First Byte) calls more than 1.8 s poor, redirects and connecting
included, and all three are left out here."""

PATIENT_ROUND_TRIPS = 10
"""On a long line nothing is slow that takes no more round trips than a first exchange with its repetitions does."""

CONTROLS = 2
"""Downloads to compare with: one could be slow itself."""

NEAREST, MOST_PLACES = 4, 6
"""Routers whose round trips are watched: the nearest, among which the access line lies, one in the middle, the last."""

_BUSY = frozenset({"reach", "http", "walk", "echo", "knock"})


def look_at_speed(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """The URL at one address, once the walks have shown who answers on the way; then controls, one after the other."""
    mine = seen.steps("slow", "target")
    if not mine:
        chosen = _chosen(inputs, seen)
        if chosen is not None and not _is_busy(seen):
            yield _download(inputs, seen, *chosen)
        return
    started = seen.steps("slow", "control")
    if seen.ended(mine + started) and len(started) < CONTROLS:
        family = family_of(mine[0].address or "")
        yield from _controls(inputs, seen, family)[len(started) : len(started) + 1]


def _chosen(inputs: Inputs, seen: Seen) -> tuple[Step, Exchange] | None:
    """An exchange that was slow, or any where it was asked for; over IPv4 where both were: behind NAT its path shows
    where the customer's network ends."""
    answered = [
        (step, one)
        for step, one in seen.of(Exchange, "target")
        if step.proxy is None and step.round == 1 and one.user_agent == "netdiag" and one.address is not None
        if one.status is not None and one.status < 500 and one.status not in LIMIT_STATUSES
    ]
    slow = [pair for pair in answered if was_slow(pair[1])]
    wanted = slow or (answered if inputs.options.slow else [])
    return min(wanted, key=lambda pair: family_of(pair[1].address or ""), default=None)


def was_slow(exchange: Exchange) -> bool:
    """Connecting, TLS, the server or the body took more than ``SLOW_US`` and ``PATIENT_ROUND_TRIPS``."""
    info = exchange.tcp
    patience_us = max(SLOW_US, PATIENT_ROUND_TRIPS * (info.min_rtt_us or info.rtt_us)) if info else SLOW_US
    moments = (0, exchange.connected_us, exchange.secured_us, exchange.first_byte_us, exchange.finished_us)
    known = [moment for moment in moments if moment is not None]
    return any(later - sooner > patience_us for sooner, later in pairwise(known))


def _is_busy(seen: Seen) -> bool:
    """Something is still measured on the way: it would be taken for a queue, or miss from the walk."""
    return any(step.probe in _BUSY and id_ not in seen.finished for id_, step in seen.started.items())


def _download(inputs: Inputs, seen: Seen, step: Step, exchange: Exchange) -> Step:
    assert step.address is not None
    ttls = () if stays_here(inputs.target) else _places(step.address, seen)
    return make_step(
        "slow",
        "target",
        subject=inputs.target.host,
        address=step.address,
        port=inputs.target.port,
        caused_by=exchange.id,
        params={"url": inputs.url, "ttls": " ".join(str(ttl) for ttl in ttls)},
    )


def _places(address: str, seen: Seen) -> list[int]:
    """TTLs at which a router answered on the way there (or to another address of the family, where that was walked)."""
    walked: dict[str, dict[int, str]] = {}
    for step, reply in seen.of(HopReply, "target"):
        if step.probe == "walk" and is_router(reply) and reply.replier is not None:
            walked.setdefault(reply.address, {})[reply.ttl] = reply.replier
    same = [found for other, found in walked.items() if family_of(other) == family_of(address)]
    routers = walked.get(address) or next(iter(same), {})
    ttls = sorted(routers)
    if len(ttls) <= MOST_PLACES:
        return ttls
    return [*ttls[:NEAREST], ttls[(NEAREST + len(ttls)) // 2], ttls[-1]]


def _controls(inputs: Inputs, seen: Seen, family: int) -> list[Step]:
    """Healthy controls over HTTPS, of different operators."""
    by_host = {control.host: control for control in inputs.controls if not control.is_page}
    found: dict[str, Step] = {}
    for step, handshake in seen.of(Handshake, "control"):
        control = by_host.get(step.subject)
        if control is None or handshake.failure is not None or step.address is None:
            continue
        if family_of(step.address) == family:
            found.setdefault(
                control.operator or control.host,
                make_step(
                    "slow",
                    "control",
                    subject=step.subject,
                    address=step.address,
                    port=control.port,
                    params={"url": control.url},
                ),
            )
    return list(found.values())
