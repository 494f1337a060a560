"""Records by second ways -> WayFacts (design.md, Judging: what works elsewhere speaks for a block of this address)."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.bundle import Step, Via
from netdiag.evidence.machine import RouteLookup
from netdiag.evidence.record import FailureCode
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.controls import ControlFacts
from netdiag.facts.derivation.book import Book, Entry, is_direct
from netdiag.facts.derivation.exchanges import http_state, works
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.small import is_small
from netdiag.facts.places import classify, family, plain
from netdiag.facts.target import AddressState
from netdiag.facts.ways import Trial, WayFacts, WayState

FailedAt = Literal["connect", "tls", "http", "proxy"]

_LAYER: dict[str, FailedAt] = {"connect": "connect", "handshake": "tls"}
_PROXY_LOST = frozenset({502, 503, 504})
"""What a proxy answers that let the question through and did not reach the host (RFC 9110 section 15.6)."""


def derive_ways(book: Book, near: Near, states: Sequence[AddressState], controls: ControlFacts) -> WayFacts:
    """One state for each second way of the plan, and what they add up to."""
    entries = [entry for entry in book.apart(Exchange) if entry.step.via is not None]
    vias = list(dict.fromkeys(entry.step.via for entry in entries if entry.step.via is not None))
    found = tuple(_way(via, [e for e in entries if e.step.via == via], book, near, states) for via in vias)
    if not found:
        return WayFacts(other_family_works=_other_family(states, controls))
    there = [
        (way, one)
        for way in found
        for one in way.trials
        if one.fails_here and not one.recovered and one.other_way is not False
    ]
    worked = [one for _, one in there if one.works is True]
    outlasted = [one for one in worked if one.outlasted is True]
    failed = [
        one
        for way, one in there
        # Blocks of IPv6 are by prefix: another address in it is none to them.
        if one.alike and way.control_works is True and one.other_address is True and ":" not in (one.address or "")
    ]
    return WayFacts(
        states=seen(found, tuple(w for way in found for w in way.witnesses)),
        works_there=_addresses(worked),
        outlasted=_addresses(outlasted),
        seen_elsewhere=_addresses([one for one in outlasted if one.other_address is True]),
        fails_there=_addresses(failed),
        other_family_works=_other_family(states, controls),
    )


def _addresses(trials: Sequence[Trial]) -> Fact[tuple[str, ...]]:
    found = tuple(dict.fromkeys(one.address for one in trials if one.address is not None))
    return seen(found, tuple(dict.fromkeys(w for one in trials for w in one.witnesses))) if found else Fact()


def _way(
    via: Via, entries: Sequence[Entry[Exchange]], book: Book, near: Near, states: Sequence[AddressState]
) -> WayState:
    steps = list(dict.fromkeys(entry.step.id for entry in entries if entry.step.role == "target"))
    trials = tuple(_trial(via, [e for e in entries if e.step.id == step], book, near, states) for step in steps)
    told = {trial.other_address for trial in trials}
    controls = [entry for entry in entries if entry.step.role == "control"]
    return WayState(
        kind=via.kind,
        name=via.name,
        trials=trials,
        control_works=_control_works(controls),
        other_address=told.pop() if len(told) == 1 else None,
        witnesses=book.witnesses(entry.record for entry in entries),
    )


def _control_works(entries: Sequence[Entry[Exchange]]) -> bool | None:
    """Any answer of the control itself; of a proxy's refusal nothing is known of the way beyond it."""
    last = entries[-1].record if entries else None
    if last is None or _is_refused_by_proxy(last):
        return None
    return last.method != "CONNECT" and last.status is not None


def _is_refused_by_proxy(record: Exchange) -> bool:
    refused = record.status is not None and not 200 <= record.status < 300 and record.status not in _PROXY_LOST
    return (record.method == "CONNECT" and refused) or (record.via_proxy is not None and record.status == 407)


class _Own(NamedTuple):
    """How this machine goes to one address by itself. ``sources`` may be several, of which it takes one; both may be
    unknown."""

    device: str | None
    sources: frozenset[str]


def _own_way(address: str, book: Book, near: Near) -> _Own:
    """By its routing table; else by the interface of its default route."""
    for record, step in book.of(RouteLookup):
        if step.role == "target" and record.failure is None and plain(record.destination) == address:
            sources = frozenset() if record.source is None else frozenset({plain(record.source)})
            return _Own(record.device, sources)
    version = family(address)
    routes = [route for route in near.routes if route.exists and route.family == version and route.device is not None]
    device = min(routes, key=lambda route: route.metric or 0).device if routes else None
    return _Own(device, _global_addresses(device, version, near))


def _global_addresses(device: str | None, version: int | None, near: Near) -> frozenset[str]:
    """Those of ``device`` that packets to other networks can leave from."""
    return frozenset(
        address
        for address, interface in near.own.items()
        if interface.name == device and family(address) == version and classify(address) != "link_local"
    )


def _other_way(via: Via, address: str | None, book: Book, near: Near) -> tuple[bool | None, bool | None]:
    """Whether this is another way than the machine's own to ``address``, and whether the vendor sees another address
    by it. A public address is seen as it is; what leaves from any other may share one with the own way."""
    if via.kind == "proxy":
        host = plain(via.name.rpartition(":")[0].strip("[]"))
        if near.is_own(host):
            return None, None  # where it goes from here is unknown: perhaps out by the own way
        return True, True if classify(host) == "public" and ":" not in host else None
    if address is None:
        return None, None
    own = _own_way(address, book, near)
    if via.kind == "source":
        mine = frozenset({plain(via.name)})
        same = _is_of(mine, own.sources)
    else:
        mine = _global_addresses(via.name, family(address), near)
        device = own.device or next((near.own[one].name for one in own.sources if one in near.own), None)
        same = None if device is None else device == via.name
    if same is not False:
        return (None, None) if same is None else (False, False)
    differs = bool(mine) and not mine & own.sources and all(classify(one) == "public" for one in mine)
    return True, True if differs else None


def _is_of(mine: frozenset[str], own: frozenset[str]) -> bool | None:
    """Whether ``mine`` is the one address that is taken of ``own``."""
    if not own or (mine < own):
        return None
    return mine == own


def _trial(
    via: Via, entries: Sequence[Entry[Exchange]], book: Book, near: Near, states: Sequence[AddressState]
) -> Trial:
    records = [entry.record for entry in entries]
    last, step = records[-1], entries[-1].step
    address = None if step.address is None else plain(step.address)
    state = next((one for one in states if one.address == address), None)
    good, failed_at = _outcome(last, step, book, near)
    fails = None if state is None else state.works is False
    later = [] if state is None else _later(state, last.ended_ns, book)
    other_way, other_address = _other_way(via, address, book, near)
    return Trial(
        address=address,
        works=good,
        failed_at=failed_at,
        status=last.status,
        fails_here=fails,
        alike=None if good is not False or state is None else bool(fails) and state.failed_at == failed_at,
        outlasted=None if not later else not any(later),
        recovered=any(later),
        other_way=other_way,
        other_address=other_address,
        witnesses=book.witnesses(records),
    )


def _outcome(record: Exchange, step: Step, book: Book, near: Near) -> tuple[bool | None, FailedAt | None]:
    if _is_refused_by_proxy(record):
        return None, None
    if record.status is not None:
        if record.via_proxy is not None and (record.method == "CONNECT" or not record.url.startswith("https:")):
            # The proxy may have answered by itself: what it says of the target is known only inside a tunnel.
            lost = record.status in _PROXY_LOST
            return (False, "proxy") if lost else (None, None)
        state = http_state([record], book)
        good = None if state is None else works(state)
        return good, "http" if good is False else None
    failure = record.failure
    if failure is None or failure.code in (FailureCode.DENIED_LOCALLY, FailureCode.UNCLASSIFIED):
        return None, None
    layer = _LAYER.get(failure.op, "http")
    if layer == "connect" and (step.proxy is not None or _never_left(record, near)):
        return None, None  # the proxy itself was not reached, or nothing was sent
    if failure.code is FailureCode.TIMED_OUT and not book.waited(record):
        return None, None
    return False, layer


def _never_left(record: Exchange, near: Near) -> bool:
    """This machine said so itself, and not a packet from elsewhere (fault-signatures 2.3)."""
    failure = record.failure
    if failure is None or failure.code is not FailureCode.UNREACHABLE:
        return False
    sender = getattr(failure.native, "sender", None)
    return sender is None or near.is_own(sender)


def _later(state: AddressState, after_ns: int, book: Book) -> list[bool]:
    """How the own way went with this address after ``after_ns``, at the layer at which it fails: True where it
    worked."""
    mine = [
        one
        for kind in (Connect, Handshake, Exchange)
        for one in book.of(kind)
        if one.step.role == "target" and is_direct(one.step) and not is_small(one.step)
        and plain(one.step.address or "") == state.address and one.step.port in (None, book.bundle.target.port)
        and one.record.began_ns > after_ns
    ]  # fmt: skip
    if state.failed_at == "connect":
        return [one.record.failure is None for one in mine if isinstance(one.record, Connect)]
    if state.failed_at == "tls":
        return [one.record.failure is None for one in mine if isinstance(one.record, Handshake)]
    answers = [http_state([one.record], book) for one in mine if isinstance(one.record, Exchange)]
    return [answer is not None and works(answer) is True for answer in answers]


def _other_family(states: Iterable[AddressState], controls: ControlFacts) -> Fact[bool]:
    """Both families were measured, one fails wholly, though it works for other hosts, and the other works."""
    healthy = {4: controls.any_healthy4.value, 6: controls.any_healthy6.value}
    known = [one for one in states if one.works is not None and one.genuine is not False]
    mine = {number: [one for one in known if family(one.address) == number] for number in (4, 6)}
    for number, other in ((4, 6), (6, 4)):
        fails = mine[number] and all(one.works is False and one.failed_at == "connect" for one in mine[number])
        helps = [one for one in mine[other] if one.works is True]
        if fails and helps and healthy[number] is True:
            return seen(True, tuple(w for one in (*mine[number], *helps) for w in one.witnesses))
    return Fact()
