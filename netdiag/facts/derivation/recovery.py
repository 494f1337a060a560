"""The watch after the run -> Recovery."""

from collections.abc import Sequence
from datetime import timedelta

from netdiag.evidence.limits import AFTER_LIMIT, LimitAttempt, turned_away
from netdiag.evidence.record import Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, HopReply
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import WATCH, Book
from netdiag.facts.derivation.exchanges import http_state, works
from netdiag.facts.places import plain
from netdiag.facts.recovery import Recovery


def derive_recovery(book: Book) -> Fact[Recovery]:
    """What the watch saw; unknown where nothing was watched."""
    tries = [entry for kind in (Connect, Exchange) for entry in book.apart(kind) if entry.step.probe == WATCH]
    if not tries:
        return Fact()
    step = tries[0].step
    address = plain(step.address or "")
    told = sorted((entry.record for entry in tries), key=lambda record: record.began_ns)
    limited = _limited(address, book) if step.params.get("after") == AFTER_LIMIT else []
    run = [*_of_the_run(address, book), *limited]
    failed = limited or [one for one in run if one.failure is not None or isinstance(one, Exchange)]
    began_ns = failed[0].began_ns if failed else told[0].began_ns
    refused_ns, before_ns = run[-1].began_ns if run else began_ns, max((one.ended_ns for one in run), default=began_ns)
    quiet_refused, quiet_allowed, allowed_ns = 0, None, None
    for record in told:
        quiet = (record.began_ns - before_ns) // 1_000_000_000
        if _works(record, book):
            quiet_allowed, allowed_ns = quiet, record.began_ns
            break
        quiet_refused, refused_ns, before_ns = max(quiet_refused, quiet), record.began_ns, record.ended_ns
    return seen(
        Recovery(
            address=address,
            level="connect" if step.params.get("level") == "connect" else "http",
            attempts=len(told),
            refused_until_s=max(refused_ns - began_ns, 0) // 1_000_000_000,
            allowed_from_s=None if allowed_ns is None else -((began_ns - allowed_ns) // 1_000_000_000),
            quiet_refused_s=quiet_refused,
            quiet_allowed_s=quiet_allowed,
            until=_moment(refused_ns, book),
            since=None if allowed_ns is None else _moment(allowed_ns, book),
            after="limit" if limited else "failure",
        ),
        book.witnesses(told),
    )


def _of_the_run(address: str, book: Book) -> list[Observed]:
    """What the run itself sent to the address, in order: any of it may have renewed a ban."""
    records: list[Observed] = [
        one.record
        for kind in (Connect, Handshake, HopReply, Exchange)
        for one in book.of(kind)
        if one.step.role == "target" and plain(one.step.address or "") == address
    ]
    return sorted(records, key=lambda record: record.began_ns)


def _limited(address: str, book: Book) -> Sequence[Observed]:
    """What the rate section was refused there."""
    history = [one.record for one in book.of(LimitAttempt) if plain(one.record.address) == address]
    return turned_away(sorted(history, key=lambda record: record.began_ns))


def _works(record: Observed, book: Book) -> bool:
    if isinstance(record, Exchange):
        state = http_state([record], book)
        return state is not None and works(state) is True
    return record.failure is None


def _moment(at_ns: int, book: Book) -> str:
    """UTC by the customer's clock; empty where no calendar holds it."""
    try:
        return (book.bundle.began_at + timedelta(microseconds=at_ns // 1000)).isoformat(timespec="seconds")
    except OverflowError:
        return ""
