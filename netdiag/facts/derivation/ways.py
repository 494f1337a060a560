"""Records by second ways -> WayFacts (design.md, Judging: what works elsewhere speaks for a block of this address)."""

from collections.abc import Iterable, Sequence
from typing import Literal

from netdiag.evidence.bundle import Step, Via
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
    there = [(way, one) for way in found for one in way.trials if one.fails_here and not one.recovered]
    worked = [one for _, one in there if one.works is True]
    failed = [one for way, one in there if one.alike and way.control_works is True and way.other_address is True]
    return WayFacts(
        states=seen(found, tuple(w for way in found for w in way.witnesses)),
        works_there=_addresses(worked),
        outlasted=_addresses([one for one in worked if one.outlasted is True]),
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
    trials = tuple(_trial([e for e in entries if e.step.id == step], book, near, states) for step in steps)
    controls = [entry for entry in entries if entry.step.role == "control"]
    return WayState(
        kind=via.kind,
        name=via.name,
        trials=trials,
        control_works=_control_works(controls),
        other_address=_other_address(via),
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


def _other_address(via: Via) -> bool | None:
    """A public address of its own is one that the vendor sees; anything else may share one with the own way."""
    if via.kind == "interface":
        return None
    host = via.name if via.kind == "source" else via.name.rpartition(":")[0].strip("[]")
    return True if classify(host) == "public" and ":" not in host else None


def _trial(entries: Sequence[Entry[Exchange]], book: Book, near: Near, states: Sequence[AddressState]) -> Trial:
    records = [entry.record for entry in entries]
    last, step = records[-1], entries[-1].step
    address = None if step.address is None else plain(step.address)
    state = next((one for one in states if one.address == address), None)
    good, failed_at = _outcome(last, step, book, near)
    fails = None if state is None else state.works is False
    later = [] if state is None else _later(state, last.ended_ns, book)
    return Trial(
        address=address,
        works=good,
        failed_at=failed_at,
        status=last.status,
        fails_here=fails,
        alike=None if good is not False or state is None else bool(fails) and state.failed_at == failed_at,
        outlasted=None if not later else not any(later),
        recovered=any(later),
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
