"""More samples where packets may be lost: without the ICMP that routers limit, and only when something is ill."""

from collections import defaultdict
from collections.abc import Iterator

from netdiag.evidence.addresses import classify, family_of
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import DefaultRoute
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode, Icmp, NotRun, Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.manners import ROUTER_SAMPLES
from netdiag.probes.plan.seen import Inputs, Seen, make_step, stays_here
from netdiag.probes.plan.target import ailing_addresses
from netdiag.probes.walk_plan import is_end, is_router

FEW, MORE = "5", "20"
"""Samples of the own gateway: for want of echoes, and once something was lost."""

PACED, PACE_MS = "10", "300"
"""Echoes to a control once something was lost, slowly enough for hosts that limit ICMP."""

ROUNDS, ROUND_MS = ROUTER_SAMPLES, 1000
"""Packets to each router of a path once something was lost, and the pause between two to the same one: all that the
manners allow for it."""

DEEP_SCALE, DEEP_FLOWS = 3, 4
"""``--deep``: as many times as much, in as much more time, since routers limit what they answer in a second; and the
end on several flows."""

MAX_ROUTERS = 16
"""Routers of one path that are sampled, the nearest first."""

FAR = 64
"""The TTL of an ordinary packet (RFC 1700), for an end whose distance is not known."""

CONTROL_FAR = 128
"""Another such TTL, which Windows sends with: the manners count by TTL, and take two hosts at one for one router."""

REPETITION_NS = 1_000_000_000
"""After this a SYN, or the answer to it, is sent again (RFC 6298 section 2.1)."""

HANDSHAKE_ROUND_TRIPS, SLACK_MS = 3, 500
"""A TLS handshake takes two round trips and some computing; one that took longer than this waited for something that
was sent again."""


def gateway_of(route: DefaultRoute) -> str | None:
    """Its address, with the link where the address is of that link alone (IPv6 routers announce themselves so)."""
    if route.gateway is None or route.device is None or classify(route.gateway) != "link_local":
        return route.gateway
    return f"{route.gateway}%{route.device}"


def knock_where_no_echo_is_allowed(_: Inputs, seen: Seen) -> Iterator[Step]:
    """The gateway over TCP, for a user who may not send ICMP."""
    for step, missing in seen.of(NotRun, "gateway"):
        if step.probe == "echo" and missing.why in {"no_privilege", "unsupported"}:
            yield make_step("knock", "gateway", address=step.address, caused_by=missing.id, params={"count": FEW})


def count_more_where_something_is_lost(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Towards the gateway and a control, so that a loss in the LAN is told from one on the way."""
    if stays_here(inputs.target) or not is_anything_lost(inputs, seen):
        return
    for _, route in seen.of(DefaultRoute):
        address = gateway_of(route)
        if address is not None:
            yield make_step("knock", "gateway", address=address, caused_by=route.id, params={"count": MORE})
    answering = {one.address: step for step, one in seen.of(Echo, "control") if one.rtt_us is not None}
    for address, step in list(answering.items())[:1]:
        params = {"count": PACED, "pace_ms": PACE_MS}
        yield make_step("echo", "control", subject=step.subject, address=address, params=params)


def sample_losses(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Paced packets along the path to the target; and to a control, which tells what the two have in common."""
    if stays_here(inputs.target) or not is_anything_lost(inputs, seen):
        return
    walk = next(iter(seen.steps("paced", "target")), None) or _walk_to_sample(inputs, seen)
    if walk is None or walk.address is None:
        return
    if walk.probe == "walk":
        yield _along(inputs, seen, walk)
    for step, connect in seen.of(Connect, "control"):
        if connect.failure is None and family_of(connect.address) == family_of(walk.address):
            # A control that is in everyday use by all the world: a SYN a second is nothing to it, and no limit of ICMP
            # answers blurs what it loses.
            params = _rhythm(inputs) | {"end": "tcp", "end_ttl": str(CONTROL_FAR)}
            yield make_step(
                "paced",
                "control",
                subject=step.subject,
                address=connect.address,
                port=connect.port,
                params=params,
            )
            return


def _walk_to_sample(inputs: Inputs, seen: Seen) -> Step | None:
    """The walk to an address that ails; else to one where something was lost; else the first. Once everything has ended
    that may show which one that is; and the other flows, which would have to take turns with it at the same routers.
    ``--deep`` has room for both, and no time for one after the other."""
    before = ("walk", "echo", "reach") if inputs.options.deep else ("walk", "echo", "reach", "flows")
    if any(step.id not in seen.finished for probe in before for step in seen.steps(probe, "target")):
        return None
    ill = [*ailing_addresses(inputs, seen), *_addresses_sent_again_to(seen), *_who_answers_by_turns(seen)]
    walks = [walk for walk in seen.steps("walk", "target") if _routers(walk, seen)]
    order = {address: place for place, address in reversed(list(enumerate(ill)))}
    return min(walks, key=lambda walk: order.get(walk.address or "", len(ill)), default=None)


def _along(inputs: Inputs, seen: Seen, walk: Step) -> Step:
    ends = [one.ttl for step, one in seen.of(HopReply) if step.id == walk.id and is_end(one)]
    params = _rhythm(inputs) | {
        "ttls": "+".join(map(str, _routers(walk, seen)[:MAX_ROUTERS])),
        "end": "+".join(_ways_to_the_end(inputs, seen, walk.address)),
        "end_ttl": str(min(ends, default=FAR)),
        "flows": str(DEEP_FLOWS if inputs.options.deep else 1),
    }
    return make_step("paced", "target", subject=walk.subject, address=walk.address, params=params)


def _ways_to_the_end(inputs: Inputs, seen: Seen, address: str | None) -> list[str]:
    """Echoes where they are answered: errors are limited more often. Datagrams have ports, and so flows to compare."""
    echoed = any(one.rtt_us is not None for _, one in seen.of(Echo, "target") if one.address == address)
    return ["icmp", "udp"] if echoed and inputs.options.deep else ["icmp"] if echoed else ["udp"]


def _rhythm(inputs: Inputs) -> dict[str, str]:
    scale = DEEP_SCALE if inputs.options.deep else 1
    return {"rounds": str(ROUNDS * scale), "pace_ms": str(ROUND_MS)}


def _routers(walk: Step, seen: Seen) -> list[int]:
    return sorted({one.ttl for step, one in seen.of(HopReply) if step.id == walk.id and is_router(one)})


def _addresses_sent_again_to(seen: Seen) -> list[str]:
    again = [one.address for _, one in seen.of(Connect, "target") if one.failure is not None or _was_sent_again(one)]
    return again + [step.address or "" for step, one in _ends(seen) if step.role == "target" and _is_ill(one)]


def is_anything_lost(inputs: Inputs, seen: Seen) -> bool:
    """Did anybody who answered once stay silent at another time, was anything sent again on a connection, or did a
    handshake take as long as if it had been?"""
    if any(_is_ill(one) for _, one in _ends(seen)) or any(_was_sent_again(one) for _, one in seen.of(Connect)):
        return True
    return bool(_who_answers_by_turns(seen)) or _path_comes_and_goes(inputs, seen)


def _who_answers_by_turns(seen: Seen) -> list[str]:
    """The addresses of those who answered once and stayed silent at another time, asked in the same way."""
    answered: dict[tuple[str, str, str], set[bool]] = defaultdict(set)
    for _, connect in seen.of(Connect):
        _add(answered, ("tcp", connect.address, str(connect.port)), connect, is_answer=connect.failure is None)
    for _, lookup in seen.of(Lookup):
        if lookup.transport == "udp":
            _add(answered, ("dns", lookup.server, lookup.name), lookup, is_answer=lookup.rcode is not None)
    for _, one in seen.of(Echo):
        if one.failure is None:
            answered["icmp", one.address, ""].add(one.rtt_us is not None)
    for walk in seen.steps("walk"):
        met = [reply for step, reply in seen.of(HopReply) if step.id == walk.id and reply.protocol == "tcp"]
        arrived = min((reply.ttl for reply in met if is_end(reply)), default=FAR)
        # A refusal by ICMP says nothing of loss here, either: hosts limit what they send of it (RFC 1812, 4.3.2.8).
        answered["end", walk.address or "", walk.id] |= {
            r.answer != "none" for r in met if r.ttl >= arrived and r.answer != "icmp"
        }
    return [address for (_, address, _), both in answered.items() if len(both) > 1]


def _path_comes_and_goes(inputs: Inputs, seen: Seen) -> bool:
    """An address is silent whose walk met somebody who answers by turns. Without silence that is how routers look that
    limit their ICMP."""
    # Who refuses by ICMP and then says nothing, or the other way round, limits its ICMP, as routers do: that is known
    # once all attempts have ended.
    silent = {one.address for step, one in seen.of(Connect, "target") if _is_silence(one) and step.id in seen.finished}
    refused = {one.address for _, one in seen.of(Connect, "target") if _is_refused_by_icmp(one)}
    ailing = (silent - refused) & set(ailing_addresses(inputs, seen))
    answered: dict[tuple[str, int, int, str], set[bool]] = defaultdict(set)
    for step, one in seen.of(HopReply, "target"):
        if step.probe == "walk" and one.address in ailing:
            answered[one.address, one.port, one.ttl, one.protocol].add(one.answer != "none")
    return any(len(both) > 1 for both in answered.values())


def _ends(seen: Seen) -> Iterator[tuple[Step, Handshake | Exchange]]:
    """What tells how a connection went in the end."""
    yield from seen.of(Handshake)
    yield from seen.of(Exchange)


def _is_ill(one: Handshake | Exchange) -> bool:
    if one.tcp is None or _came_to_nothing(one):
        return False
    took_us = (one.ended_ns - one.began_ns) // 1000
    patience_us = HANDSHAKE_ROUND_TRIPS * one.tcp.rtt_us + SLACK_MS * 1000
    is_slow = isinstance(one, Handshake) and one.failure is None and took_us > patience_us
    return one.tcp.total_retrans > 0 or is_slow


def _came_to_nothing(one: Handshake | Exchange) -> bool:
    """What was never acknowledged, however often it was sent, is no chance loss: its size or its name is looked at."""
    return (one.acked if isinstance(one, Handshake) else one.request_acked) is False


def _was_sent_again(one: Connect) -> bool:
    """A SYN that was answered only when it was repeated, or when its answer was."""
    if one.failure is not None:
        return False
    return one.ended_ns - one.began_ns >= REPETITION_NS or (one.tcp is not None and one.tcp.total_retrans > 0)


def _add(
    answered: dict[tuple[str, str, str], set[bool]], who: tuple[str, str, str], one: Observed, *, is_answer: bool
) -> None:
    """Silence and answers only: a refusal says nothing of loss."""
    if is_answer or _is_silence(one):
        answered[who].add(is_answer)


def _is_refused_by_icmp(one: Observed) -> bool:
    return one.failure is not None and isinstance(one.failure.native, Icmp)


def _is_silence(one: Observed) -> bool:
    return one.failure is not None and one.failure.code is FailureCode.TIMED_OUT
