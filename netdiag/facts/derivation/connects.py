"""Connect records of one address and port -> ConnectState."""

from collections.abc import Iterable, Sequence
from typing import Literal

from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.transport import Connect
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.placing import Placing
from netdiag.facts.target import ConnectState

How = Literal["open", "refused", "icmp", "silent", "local", "reset"]

# errno of Linux with an empty error queue, when nothing was sent (fault-signatures 2.3): EPERM, EACCES, EINVAL,
# ENFILE, EMFILE, EAFNOSUPPORT, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH, ENOBUFS, EHOSTUNREACH.
_LOCAL_ERRNO = frozenset({1, 13, 22, 23, 24, 97, 99, 100, 101, 105, 113})
_NO_PACKET_ERRNO = frozenset({1, 22, 23, 24, 97, 99, 100, 105})
"""Those among them that no ICMP error can cause (fault-signatures 2.1 and 2.2)."""

_EACCES, _EADDRNOTAVAIL, _ENETDOWN, _ENETUNREACH = 13, 99, 100, 101

_ARP_WAIT_NS = 1_000_000_000
"""A neighbour that does not answer is given up after about 3.07 s on Linux (three tries, one a second); a local rule
rejects at once. Anything between tells them apart (fault-signatures 2.3)."""

_AT_ONCE_NS = 1_000_000_000
"""A kernel refuses at once (below 1 ms; fault-signatures 2.3). An errno without an ICMP error that comes after a second
is the end of a socket that heard nothing: it says no more."""

# What one address said, from the most telling on: a REJECT is rate-limited, then falls silent (fault-signatures 7.1).
_ORDER: tuple[How, ...] = ("icmp", "refused", "reset", "local", "silent")


def is_neighbour_failure(record: Connect, near: Near) -> bool:
    """The kernel gave the next hop up: host (v6: address) unreachable from an own address, after a wait."""
    failure = record.failure
    if failure is None or not isinstance(failure.native, Icmp) or not near.is_own(failure.native.sender):
        return False
    error = failure.native
    said = (error.type, error.code) == ((1, 3) if error.version == 6 else (3, 1))
    return said and record.ended_ns - record.began_ns >= _ARP_WAIT_NS


def how_of(record: Connect, book: Book, near: Near) -> How | None:
    """How one attempt went; None when it says nothing (too short a wait, or a failure of no known kind).

    An errno without an ICMP error is this machine's own refusal when the error queue was on (a remote error would be
    in it), when no packet can have caused it, or when the machine has no default route for the family; and only when
    it came at once. Without the queue the sender is unknown: ``icmp`` without ``icmp``. EACCES and EHOSTUNREACH of a
    remote router come with their ICMP message, IPv6's "administratively prohibited" too.
    """
    failure = record.failure
    if failure is None:
        return "open"
    if isinstance(failure.native, Icmp):
        if near.is_own(failure.native.sender):
            return "icmp" if is_neighbour_failure(record, near) else "local"
        return "icmp"
    if failure.code is FailureCode.TIMED_OUT:
        return "silent" if book.waited(record) else None
    if failure.code is FailureCode.REFUSED:
        return "refused"
    if failure.code in (FailureCode.RESET, FailureCode.CLOSED):
        return "reset"
    if record.ended_ns - record.began_ns >= _AT_ONCE_NS:
        return None
    if near.linux and failure.errno in _NO_PACKET_ERRNO:
        return "local"
    if failure.code in (FailureCode.UNREACHABLE, FailureCode.DENIED_LOCALLY):
        family: Literal[4, 6] = 6 if ":" in record.address else 4
        certain = near.error_queue is True and near.linux and failure.errno in _LOCAL_ERRNO
        said_local = failure.code is FailureCode.DENIED_LOCALLY and failure.errno != _EACCES
        return "local" if certain or said_local or near.has_default(family) is False else "icmp"
    return None


def connect_state(records: Sequence[Connect], book: Book, near: Near, placing: Placing) -> ConnectState | None:
    """All attempts at one address and port, added up; None when none of them says anything."""
    told = [(said, record) for record in records if (said := how_of(record, book, near)) is not None]
    if not told:
        return None
    opened = [record for said, record in told if said == "open"]
    failing = [(said, record) for said, record in told if said != "open"]
    span_ms = (failing[-1][1].began_ns - failing[0][1].began_ns) // 1_000_000 if failing else 0
    lost = lost_syns([record for _, record in told])[1]
    if opened:
        how: How = "open"
        first = opened[0]
    else:
        how = min((said for said, _ in failing), key=_ORDER.index)
        first = next(record for said, record in failing if said == how)
    failure = first.failure
    icmp = failure.native if failure is not None and isinstance(failure.native, Icmp) else None
    return ConnectState(
        how=how,
        attempts=len(told),
        worked=len(opened),
        syn_lost=lost,
        span_ms=max(span_ms, 0),
        elapsed_ms=max(first.ended_ns - first.began_ns, 0) // 1_000_000,
        icmp=icmp,
        sender_place=None if icmp is None else placing.sender(icmp.sender, first.address),
        errno=failure.errno if failure is not None else None,
    )


def is_plain(record: Connect) -> bool:
    """A connect as any application makes it: neither after a burst of our own, nor with an unusual socket option, which
    is there to make it fail (a minimum TTL) or to make it work (a small MSS)."""
    return not record.after_burst and record.min_ttl is None and record.mss_clamp is None


def syns_again(record: Connect) -> int:
    """SYNs sent again on one socket."""
    if record.syns_sent is not None:
        return max(record.syns_sent - 1, 0)
    return 0 if record.tcp is None else record.tcp.total_retrans


def lost_syns(records: Iterable[Connect]) -> tuple[int, int]:
    """SYNs sent and lost: those sent again of a connect that worked in the end, and those of silent attempts beside one
    that worked in the same step. SYNs to an address that is dead throughout a step are no loss."""
    steps: dict[str, list[Connect]] = {}
    for record in records:
        steps.setdefault(f"{record.step} {record.address} {record.port}", []).append(record)
    sent = lost = 0
    for attempts in steps.values():
        if all(record.failure is not None for record in attempts):
            continue
        for record in attempts:
            again = syns_again(record)
            if record.failure is None:
                sent, lost = sent + again + 1, lost + again
            elif record.failure.code is FailureCode.TIMED_OUT:
                sent, lost = sent + again + 1, lost + again + 1
    return sent, lost


def is_no_route(state: ConnectState, address_family: Literal[4, 6], *, linux: bool) -> bool:
    """ENETUNREACH or a link that is down, from this machine itself; in IPv6 also that it has no address to send from
    (EADDRNOTAVAIL, which in IPv4 means that the source ports are used up)."""
    if state.how != "local" or state.icmp is not None or not linux:
        return False
    return state.errno in (_ENETUNREACH, _ENETDOWN) or (address_family == 6 and state.errno == _EADDRNOTAVAIL)
