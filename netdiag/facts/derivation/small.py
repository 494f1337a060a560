"""Connections made with a small MSS on purpose, and what says that large packets came without."""

from typing import Literal

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import FailureCode
from netdiag.evidence.transport import TcpInfo
from netdiag.evidence.web import Exchange
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.places import plain

SMALL_SEGMENTS = "small_segments"
"""The plan's word for them (docs/probes-contract.md)."""


def is_small(step: Step) -> bool:
    """Made with small segments: an experiment, not the customer's case."""
    return step.params.get("use") == SMALL_SEGMENTS


def needed_several(exchange: Exchange, step: Step) -> bool:
    """The body alone would not have fitted into one of the small segments. What fits, as a limiter's short page does,
    says nothing about size: the same packet would have come without them."""
    return (exchange.body_bytes or 0) > int(step.params["mss"])


_TIMESTAMPS, _TIMESTAMP_BYTES = 1, 12
"""TCPI_OPT_TIMESTAMPS of tcp_info's options (linux/tcp.h), and what the option takes in every segment (RFC 7323)."""

_HEADERS = {4: 40, 6: 60}
"""Bytes of IP and TCP headers without options (RFC 791, RFC 8200, RFC 9293)."""


def largest_packet(info: TcpInfo, version: Literal[4, 6]) -> int:
    """Bytes of the largest IP packet with data that came in on a connection: ``tcpi_rcv_mss`` is the largest segment's
    payload (tcp_measure_rcv_mss, net/ipv4/tcp_input.c), or 536 and less before any came."""
    stamps = _TIMESTAMP_BYTES if info.options & _TIMESTAMPS else 0
    return info.rcv_mss + _HEADERS[version] + stamps


def came_full(info: TcpInfo, version: Literal[4, 6]) -> bool:
    """A packet as large as the own link carries came in."""
    return largest_packet(info, version) >= info.pmtu


def broken_off(book: Book) -> frozenset[str]:
    """Addresses of the target whose answer began and did not end in time, and came whole over small segments. By itself
    a body that does not end is how streams are."""
    cut: set[str] = set()
    whole: set[str] = set()
    for exchange, step in book.of(Exchange):
        if step.role != "target" or not is_direct(step) or exchange.address is None:
            continue
        timed_out = exchange.failure is not None and exchange.failure.code is FailureCode.TIMED_OUT
        if is_small(step) and exchange.body_complete is True and needed_several(exchange, step):
            whole.add(plain(exchange.address))
        elif not is_small(step) and step.round == 1 and timed_out and exchange.body_complete is False:
            cut.add(plain(exchange.address))
    return frozenset(cut & whole)
