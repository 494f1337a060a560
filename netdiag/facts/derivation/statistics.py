"""Counting losses honestly."""

from math import sqrt

from netdiag.facts.base import Share

_Z = 1.959964  # two-sided 95 % of the normal distribution


def share(sent: int, lost: int) -> Share | None:
    """``lost`` of ``sent`` with the Wilson score interval (E. B. Wilson, JASA 22, 1927): unlike the plain one it stays
    inside [0, 1], and few probes give a wide interval. None when nothing was sent."""
    if sent <= 0:
        return None
    lost = min(max(lost, 0), sent)
    rate, square = lost / sent, _Z * _Z / sent
    middle = rate + square / 2
    margin = _Z * sqrt(rate * (1 - rate) / sent + square / (4 * sent))
    low = 0.0 if lost == 0 else max(0.0, (middle - margin) / (1 + square))
    high = 1.0 if lost == sent else min(1.0, (middle + margin) / (1 + square))
    return Share(sent=sent, lost=lost, low=low, high=high)
