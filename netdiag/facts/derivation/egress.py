"""The TTL-1 test (fault-signatures P12): whether a packet to the target's port leaves this machine at all."""

from collections.abc import Sequence
from typing import Literal

from netdiag.evidence.machine import LocalSend
from netdiag.evidence.record import FailureCode, Observed
from netdiag.evidence.transport import HopReply
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.near import Near
from netdiag.facts.machine import Egress
from netdiag.facts.places import family, is_nowhere, plain

Answer = Literal["gateway", "silent", "refused_locally", "reset", "accepted"]

_ORDER: tuple[Answer, ...] = ("gateway", "accepted", "reset", "refused_locally", "silent")


def answer_of(reply: HopReply, book: Book, near: Near) -> Answer | None:
    """Who answered one packet of TTL 1. Any ICMP error of another machine shows that it left."""
    if reply.answer == "not_sent":
        return "refused_locally"
    if reply.answer == "icmp" and reply.icmp is not None:
        return "refused_locally" if near.is_own(reply.icmp.sender) else "gateway"
    if reply.answer == "rst":
        return "reset"
    if reply.answer in ("syn_ack", "data", "echo_reply"):
        return "accepted"
    return "silent" if reply.answer == "none" and book.waited(reply) else None


def replies_to(address: str, book: Book) -> dict[int, list[HopReply]]:
    """The TTL-1 packets of egress steps that went to ``address``, by port."""
    found: dict[int, list[HopReply]] = {}
    for record, step in book.of(HopReply):
        if step.probe == "egress" and record.ttl == 1 and plain(record.address) == plain(address):
            found.setdefault(record.port, []).append(record)
    return found


def derive_egress(version: Literal[4, 6], book: Book, near: Near) -> Fact[Egress]:
    """The test of one family: to the step's address and port, to other ports of that address, and to the control."""
    port = book.bundle.target.port
    steps = [s for s in book.bundle.plan if s.probe == "egress" and s.address and family(s.address) == version]
    for step in steps:
        if is_nowhere(step.address or "") and not book.bundle.target.is_literal:
            continue  # an answer that leads nowhere: that no packet leaves for it is nobody's doing
        by_port = replies_to(step.address or "", book)
        to_target = by_port.get(port, [])
        to_other = [reply for other, replies in by_port.items() if other != port for reply in replies]
        beside = step.params.get("control_address")
        to_control = [] if beside is None else [r for replies in replies_to(beside, book).values() for r in replies]
        sends = [record for record, held in book.of(LocalSend) if held.id == step.id]
        denied = [record.failure is not None and record.failure.code is FailureCode.DENIED_LOCALLY for record in sends]
        known = any(record.failure is None for record in sends) or any(denied)
        found = Egress(
            target=_best(to_target, book, near),
            control=_best(to_control, book, near),
            udp_denied=any(denied) if known else None,
            other_port=_best(to_other, book, near),
        )
        if found != Egress(target=None, control=None, udp_denied=None):
            records: list[Observed] = [*to_target, *to_other, *to_control, *sends]
            return seen(found, book.witnesses(records))
    return Fact()


def _best(replies: Sequence[HopReply], book: Book, near: Near) -> Answer | None:
    told = {answer for reply in replies if (answer := answer_of(reply, book, near)) is not None}
    return min(told, key=_ORDER.index, default=None)
