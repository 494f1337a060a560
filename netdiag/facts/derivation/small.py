"""Connections made with a small MSS on purpose."""

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import FailureCode
from netdiag.evidence.web import Exchange
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.places import plain

SMALL_SEGMENTS = "small_segments"
"""The plan's word for them (docs/probes-contract.md)."""


def is_small(step: Step) -> bool:
    """Made with small segments: an experiment, not the customer's case."""
    return step.params.get("use") == SMALL_SEGMENTS


def broken_off(book: Book) -> frozenset[str]:
    """Addresses of the target whose answer began and did not end in time, and came whole over small segments. By itself
    a body that does not end is how streams are."""
    cut: set[str] = set()
    whole: set[str] = set()
    for exchange, step in book.of(Exchange):
        if step.role != "target" or not is_direct(step) or exchange.address is None:
            continue
        timed_out = exchange.failure is not None and exchange.failure.code is FailureCode.TIMED_OUT
        if is_small(step) and exchange.body_complete is True:
            whole.add(plain(exchange.address))
        elif not is_small(step) and step.round == 1 and timed_out and exchange.body_complete is False:
            cut.add(plain(exchange.address))
    return frozenset(cut & whole)
