"""Whether the default gateway lives, and how well it is reached."""

from netdiag.evidence.machine import Neighbour
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode, Icmp, Observed
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.facts.base import Fact, Share, seen
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.connects import is_neighbour_failure, syns_again
from netdiag.facts.derivation.losses import echo_share
from netdiag.facts.derivation.near import is_time_exceeded
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.statistics import share
from netdiag.facts.places import plain

_DEAD = frozenset({"failed", "incomplete"})
"""Linux NUD states of an address that does not resolve (for IPv6: RFC 4861 section 7.3.2)."""


def _first_hop_replies(scene: Scene) -> list[HopReply]:
    """TTL-1 packets to anything beyond the own link, but those that are large on purpose."""
    return [
        record
        for record, step in scene.book.of(HopReply)
        if record.ttl == 1
        and record.size is None
        and is_direct(step)
        and not scene.near.on_link(record.address)
        and record.answer != "not_sent"
    ]


def gateway_answers(scene: Scene) -> Fact[bool]:
    book, near = scene.book, scene.near
    echoes = [record for record, step in book.of(Echo) if step.role == "gateway"]
    hops = _first_hop_replies(scene)
    neighbours = [n for n in _last_neighbours(book) if plain(n.address) in near.gateways and n.state == "reachable"]
    lookups = [r for r, _ in book.of(Lookup) if r.rcode is not None and plain(r.server) in near.gateways]
    good: list[Observed] = [echo for echo in echoes if echo.rtt_us is not None]
    good += [r for r in hops if r.icmp is not None and not near.is_own(r.icmp.sender)]
    good += neighbours
    good += lookups
    if good:
        return seen(True, book.witnesses(good), looked_at=len(echoes) + len(hops) + len(neighbours) + len(lookups))
    silent: list[Observed] = [e for e in echoes if e.rtt_us is None and e.failure is None and book.waited(e)]
    silent += [record for record in hops if record.answer == "none" and book.waited(record)]
    return seen(False, book.witnesses(silent)) if silent else Fact()


def _last_neighbours(book: Book) -> list[Neighbour]:
    found: dict[str, Neighbour] = {}
    for record, _ in book.of(Neighbour):
        found[plain(record.address)] = record
    return list(found.values())


def neighbour_alive(gateway: Fact[bool], beyond: Fact[bool], scene: Scene) -> Fact[bool]:
    """Whether the gateway's hardware address resolves. An old entry (stale, delay, probe, permanent) says nothing;
    ``incomplete`` counts only when something had been sent before."""
    book, near = scene.book, scene.near
    for fact in (gateway, beyond):
        if fact.value is True:
            return seen(True, fact.witnesses)
    first_ns = min(
        (
            record.began_ns
            for records in (book.of(Connect), book.of(Lookup), book.of(HopReply), book.of(Echo))
            for record, _ in records
        ),
        default=None,
    )
    dead: list[Observed] = [
        n
        for n in _last_neighbours(book)
        if plain(n.address) in near.gateways
        and n.state in _DEAD
        and (n.state == "failed" or (first_ns is not None and first_ns < n.began_ns))
    ]
    dead += [r for r, _ in book.of(Connect) if is_neighbour_failure(r, near) and not near.on_link(r.address)]
    return seen(False, book.witnesses(dead)) if dead else Fact()


def _is_answered(record: Connect) -> bool:
    failure = record.failure
    return failure is None or (failure.code is FailureCode.REFUSED and not isinstance(failure.native, Icmp))


def _answered_knocks(scene: Scene) -> list[Connect]:
    """Answers and silences of the gateway's ports, of those ports that have answered at least once."""
    book = scene.book
    told = [
        record
        for record, step in book.of(Connect)
        if step.role == "gateway"
        and (
            _is_answered(record)
            or (record.failure is not None and record.failure.code is FailureCode.TIMED_OUT and book.waited(record))
        )
    ]
    answering = {(record.address, record.port) for record in told if _is_answered(record)}
    return [record for record in told if (record.address, record.port) in answering]


def lan_loss(scene: Scene) -> Fact[Share]:
    """Where the gateway answers nothing at all it does not want to: that is no loss. TCP connects to it come first: no
    gateway limits how many of them it answers or refuses, as many do with ICMP."""
    book = scene.book
    knocks = _answered_knocks(scene)
    again = sum(syns_again(record) for record in knocks if _is_answered(record))
    by_knock = share(len(knocks) + again, again + sum(not _is_answered(record) for record in knocks))
    if by_knock is not None:
        return seen(by_knock, book.witnesses(knocks))
    echoes = [record for record, step in book.of(Echo) if step.role == "gateway"]
    by_echo = echo_share(echoes, book)
    if by_echo is not None and by_echo.lost < by_echo.sent:
        return seen(by_echo, book.witnesses(echoes))
    hops = [
        record
        for record in _first_hop_replies(scene)
        if (record.icmp is not None and is_time_exceeded(record.icmp))
        or (record.answer == "none" and book.waited(record))
    ]
    answered = sum(record.icmp is not None for record in hops)
    by_hop = share(len(hops), len(hops) - answered)
    return seen(by_hop, book.witnesses(hops)) if by_hop is not None and answered else Fact()
