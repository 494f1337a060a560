"""Loss towards one party: SYN retransmissions of connects that worked, echoes, retransmitted data."""

from collections.abc import Iterable, Sequence

from netdiag.evidence.record import Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, Share, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.connects import lost_syns, syns_again
from netdiag.facts.derivation.statistics import share
from netdiag.facts.places import plain


def echo_share(echoes: Sequence[Echo], book: Book) -> Share | None:
    """Echoes lost of echoes sent; those not waited for long enough, or ended by an ICMP error, count neither way."""
    told = [echo for echo in echoes if echo.rtt_us is not None or (echo.failure is None and book.waited(echo))]
    return share(len(told), sum(echo.rtt_us is None for echo in told))


def loss(connects: Iterable[Connect], echoes: Iterable[Echo], book: Book) -> Fact[Share]:
    """SYNs and echoes together. A SYN to a dead address is not loss, nor is an echo to one that never answers any."""
    held = list(connects)
    sent, lost = lost_syns(held)
    witnesses: list[Observed] = [*held] if sent else []
    by_address: dict[str, list[Echo]] = {}
    for echo in echoes:
        by_address.setdefault(plain(echo.address), []).append(echo)
    for some in by_address.values():
        found = echo_share(some, book)
        if found is not None and found.lost < found.sent:
            sent, lost = sent + found.sent, lost + found.lost
            witnesses.extend(some)
    total = share(sent, lost)
    return Fact() if total is None else seen(total, book.witnesses(witnesses))


def retransmits(
    connects: Sequence[Connect], handshakes: Sequence[Handshake], exchanges: Sequence[Exchange], book: Book
) -> Fact[Share]:
    """Data segments sent again, from TCP_INFO at the end of each connection. ``total_retrans`` counts SYNs too: those
    of the connect are taken off; an exchange's own connect is not recorded, so its SYNs cannot be."""
    syns = {connect.id: syns_again(connect) for connect in connects}
    sent = again = 0
    witnesses: list[Observed] = []
    ends: list[Handshake | Exchange] = [*handshakes, *exchanges]
    for record in ends:
        info = record.tcp
        segments = None if info is None else (info.data_segs_out if info.data_segs_out is not None else info.segs_out)
        if info is not None and segments:
            known = syns.get(record.caused_by, 0) if record.caused_by is not None else 0
            sent, again = sent + segments, again + min(max(info.total_retrans - known, 0), segments)
            witnesses.append(record)
    total = share(sent, again)
    return Fact() if total is None else seen(total, book.witnesses(witnesses))
