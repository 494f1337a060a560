"""Which TTL to ask next: pure functions over what a walk has asked and met so far.

The rules of a TCP walk, in order of weight:

(1) No more than two SYNs of a walk may reach the host (design.md, Manners). A SYN is *blind* when its TTL is above
    every router that has answered; only blind ones can reach the host, so at most two of them are ever out or silent.
(2) One blind SYN is out at a time, and each that a router answers frees the next: a host that answers gets one.
(3) Where it is silent, the second goes one TTL further, and UDP and ICMP look further up with it, eight TTLs at once. A
    router that they prove makes SYNs up to its TTL harmless, and the walk goes on from there.
(4) It ends at the target's answer, at an ICMP error other than time exceeded, in a loop, at TTL 30, or in silence.
(5) Whoever was silent below an answer is asked once more, as soon as the silence is known: that is a second later, when
    a router that limits its ICMP answers again.
(6) Last, once: the last router that answered is asked again on the 5-tuple of the first silent SYN (the SYN expires
    there and costs the host nothing), so that the interval of the break lies on one flow; or a router's refusal is
    asked for again on its own flow.

A *wide* walk wants to be over in as few round trips as there can be. UDP and ICMP then ask all of ``WIDE`` TTLs in the
first one. Over TCP, UDP does that as a scout: each router that it proves makes the SYNs up to there harmless, so that
they leave in the second round trip, together with the blind ones at the distance of the host. Rule (1) is the same.

A *raw* walk has all of its SYNs on one flow, and so no need of rule (6)'s first half.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.record import Icmp, NotRun, ObsId
from netdiag.evidence.transport import HopReply

Protocol = Literal["tcp", "udp", "icmp"]

MAX_TTL = 30
BLIND_SYNS = 2
AHEAD, AHEAD_IN_SILENCE = 4, 8
"""How far above the last answering router datagrams look, while it answers and once it has not."""
WIDE = 16
"""TTLs that a wide walk asks at once: most paths are no longer, and a longer one only costs another round trip."""
LOOP_ROUNDS = 3
"""So often the same two routers follow each other in a loop, and never on a path."""

_LIMITER_MS = 1200
"""Beside the second of silence: Linux takes two of its limit's one a second for a refusal by route (ip_error and
icmpv4_xrlim_allow count on the same peer)."""

_REPEAT_FLOWS = MAX_TTL
_HELPER_FLOWS: Mapping[Protocol, int] = {"udp": 2 * MAX_TTL + 1, "icmp": 2 * MAX_TTL + 2}


class Ask(NamedTuple):
    """One TTL-limited packet to send. ``flow`` is unique for a 5-tuple inside the walk; ``source_port`` pins it.

    ``repeats`` is the observation that it asks about again. ``after_ms``: it is held back so long.
    """

    protocol: Protocol
    ttl: int
    flow: int
    source_port: int = 0
    repeats: ObsId | None = None
    after_ms: int = 0


class Trail(NamedTuple):
    """A walk so far: what was asked under which id, and what came of it. An id without a result is still out."""

    address: str
    protocol: Protocol
    asked: Mapping[ObsId, Ask]
    results: Mapping[ObsId, HopReply | NotRun]
    wide: bool = False
    raw: bool = False
    first: int = 1
    """Where it begins: another walk to the same address has shown the way up to there."""

    def replies(self, protocol: Protocol | None = None) -> list[HopReply]:
        """What was met, of one protocol or of all, ordered by TTL."""
        met = [one for one in self.results.values() if isinstance(one, HopReply)]
        return sorted((one for one in met if protocol in {None, one.protocol}), key=lambda one: one.ttl)

    def last_router(self, protocol: Protocol | None = None) -> int:
        """The largest TTL at which a router said time exceeded; when none did, the one before the first."""
        return max((one.ttl for one in self.replies(protocol) if is_router(one)), default=self.first - 1)

    def asked_ttls(self, protocol: Protocol) -> set[int]:
        return {ask.ttl for ask in self.asked.values() if ask.protocol == protocol}

    def silent_ttls(self, protocol: Protocol) -> set[int]:
        """Asked, and never answered: not those of which one of two was."""
        silent = {one.ttl for one in self.replies(protocol) if one.answer == "none"}
        return silent - {one.ttl for one in self.replies(protocol) if one.answer != "none"}

    def out(self, protocol: Protocol) -> int:
        """How many packets nothing is known of yet."""
        return sum(ask.protocol == protocol and id_ not in self.results for id_, ask in self.asked.items())


def is_router(reply: HopReply) -> bool:
    """Did the TTL end there? RFC 792 type 11 code 0, RFC 4443 type 3 code 0."""
    return reply.icmp is not None and _is_time_exceeded(reply.icmp)


def _is_time_exceeded(icmp: Icmp) -> bool:
    return (icmp.type, icmp.code) == ((11, 0) if icmp.version == 4 else (3, 0))


def is_end(reply: HopReply) -> bool:
    """The target answered, somebody refused the packet, or it never left."""
    return reply.answer != "none" and not is_router(reply)


def explore(trail: Trail) -> tuple[Ask, ...]:
    """What to send now. Asked at the start and after each result; empty while it is best to wait, and at the end."""
    if _is_impossible(trail):
        return ()
    again = _silent_again(trail)
    if _is_over(trail):
        return again
    if trail.protocol == "tcp":
        syns = _syns(trail)
        if trail.wide:
            is_held_back = any(ask.after_ms for ask in syns)
            return again + syns + _scouts(trail) + (() if is_held_back else _helpers(trail))
        return again + syns + _helpers(trail)
    return again + tuple(Ask(trail.protocol, ttl, flow=1) for ttl in _ttls_ahead(trail, trail.protocol))


def is_enough(trail: Trail) -> bool:
    """Is the end of a wide walk known, and nothing out that could still tell of the way to it? What is out beyond the
    end are packets that the target need not answer, each one."""
    end = min((reply.ttl for reply in trail.replies(trail.protocol) if is_end(reply)), default=None)
    return (
        trail.wide
        and end is not None
        and not any(
            ask.ttl < end and (ask.protocol == trail.protocol or ask.repeats is not None)
            for id_, ask in trail.asked.items()
            if id_ not in trail.results
        )
    )


def _is_over(trail: Trail) -> bool:
    # Scouts that go in circles have spent what the looping routers answer in a second: SYNs would only meet silence.
    looping = in_loop(trail) or (trail.wide and in_loop(trail, "udp"))
    return looping or any(is_end(reply) for reply in trail.replies(trail.protocol))


def _is_impossible(trail: Trail) -> bool:
    """Was a packet of this walk's own protocol not sent: no privilege, no support, or the manners refuse?"""
    return any(
        isinstance(one, NotRun) and trail.asked[id_].protocol == trail.protocol for id_, one in trail.results.items()
    )


def in_loop(trail: Trail, protocol: Protocol | None = None) -> bool:
    """Do the walk's own packets go in circles, or those of another protocol?"""
    return goes_round(trail.replies(protocol or trail.protocol))


def goes_round(replies: Sequence[HopReply]) -> bool:
    """Have the same two routers followed each other ``LOOP_ROUNDS`` times, in the replies of one protocol?"""
    routers = {reply.ttl: reply.replier for reply in replies if is_router(reply)}
    pairs = Counter((router, routers[ttl + 1]) for ttl, router in routers.items() if ttl + 1 in routers)
    return any(count >= LOOP_ROUNDS for count in pairs.values())


def _syns(trail: Trail) -> tuple[Ask, ...]:
    asked = trail.asked_ttls("tcp")
    proven = trail.last_router()
    harmless = [ttl for ttl in range(trail.first, proven + 1) if ttl not in asked]
    blind = [ttl for ttl in asked if ttl > proven]
    first = max([proven, *blind]) + 1
    again = _blind_again(trail, blind) if trail.wide else None
    if again is not None:
        return again
    most = BLIND_SYNS if trail.silent_ttls("tcp") & set(blind) else 1
    further = range(first, min(first + most - len(blind), MAX_TTL + 1))
    return tuple(Ask("tcp", ttl, flow=1 if trail.raw else ttl) for ttl in [*harmless, *further])


def _blind_again(trail: Trail, blind: Sequence[int]) -> tuple[Ask, ...] | None:
    """The one blind SYN was silent where a router refused the scouts: its limit may have hidden that it refuses SYNs,
    too (icmp(7), icmp_ratelimit), so the second one asks there again. None: it is not so."""
    refused = any(is_end(one) and one.answer == "icmp" and one.replier != trail.address for one in trail.replies("udp"))
    silent = [one for one in trail.replies("tcp") if one.ttl in blind and one.answer == "none"]
    if not refused or not silent:
        return None
    if len(silent) > 1 or trail.out("tcp"):
        return ()
    one = silent[0]
    return (Ask("tcp", one.ttl, one.flow, one.source_port or 0, repeats=one.id, after_ms=_LIMITER_MS),)


def _scouts(trail: Trail) -> tuple[Ask, ...]:
    if any(is_end(reply) for reply in trail.replies("udp")):
        return ()
    return tuple(Ask("udp", ttl, _HELPER_FLOWS["udp"]) for ttl in _ttls_ahead(trail, "udp"))


def _helpers(trail: Trail) -> tuple[Ask, ...]:
    proven = trail.last_router()
    if not any(ttl > proven for ttl in trail.silent_ttls("tcp")):
        return ()
    asks: list[Ask] = []
    for protocol, flow in _HELPER_FLOWS.items():
        if not any(is_end(reply) for reply in trail.replies(protocol)):
            wanted = range(proven + 1, min(proven + AHEAD_IN_SILENCE, MAX_TTL) + 1)
            asked = trail.asked_ttls(protocol)
            asks += [Ask(protocol, ttl, flow) for ttl in wanted if ttl not in asked]
    return tuple(asks)


def _ttls_ahead(trail: Trail, protocol: Protocol) -> list[int]:
    proven = trail.last_router(protocol)
    in_silence = any(ttl > proven for ttl in trail.silent_ttls(protocol))
    last = min(max(proven + (AHEAD_IN_SILENCE if in_silence else AHEAD), WIDE if trail.wide else 0), MAX_TTL)
    asked = trail.asked_ttls(protocol)
    return [ttl for ttl in range(trail.first, last + 1) if ttl not in asked]


def settle(trail: Trail) -> tuple[Ask, ...]:
    """What to ask once more when ``explore`` has come to its end and nothing is out: rule (6)."""
    if trail.protocol != "tcp" or _is_impossible(trail):
        return ()
    return _break_again(trail)


def _silent_again(trail: Trail) -> tuple[Ask, ...]:
    """Silent TTLs below an answer: a limiter that was busy, or a lost packet.

    Below a router a SYN cannot reach the host. Between the last router and the target's answer it may, so that UDP asks
    there.
    """
    replies = trail.replies(trail.protocol)
    proven = trail.last_router()
    arrived = min((reply.ttl for reply in replies if is_end(reply)), default=0)
    first = {reply.ttl: reply for reply in reversed(replies) if reply.answer == "none"}
    repeated = {ask.ttl for ask in trail.asked.values() if ask.repeats is not None}
    asks = []
    for ttl in sorted(trail.silent_ttls(trail.protocol) - repeated):
        if ttl < max(proven, arrived):
            protocol: Protocol = "udp" if trail.protocol == "tcp" and ttl > proven else trail.protocol
            asks.append(Ask(protocol, ttl, _flow_again(trail, protocol, ttl), repeats=first[ttl].id))
    return tuple(asks)


def _flow_again(trail: Trail, protocol: Protocol, ttl: int) -> int:
    """Another flow may take a way whose routers do answer; a raw walk stays on its one."""
    if not trail.raw:
        return _REPEAT_FLOWS + ttl
    return 1 if protocol == trail.protocol else _HELPER_FLOWS[protocol]


def _break_again(trail: Trail) -> tuple[Ask, ...]:
    replies = trail.replies("tcp")
    refused = next((one for one in replies if one.answer == "icmp" and is_end(one)), None)
    if refused is not None:
        was_repeated = trail.asked[refused.id].repeats is not None
        if refused.replier == trail.address or refused.source_port is None or was_repeated:
            return ()
        return (Ask("tcp", refused.ttl, refused.flow, refused.source_port, repeats=refused.id),)
    if trail.raw:  # all of it is on one flow
        return ()
    last = trail.last_router("tcp")
    beyond = next((one for one in replies if one.ttl > last and one.answer == "none"), None)
    if last < trail.first or beyond is None or beyond.source_port is None or _is_over(trail):
        return ()
    return (Ask("tcp", last, beyond.flow, beyond.source_port, repeats=beyond.id),)
