"""Waiting for a place that the manners do not have yet, where the measurement is worth more than the time."""

from collections.abc import Callable
from typing import TypeVar

from netdiag.probes.base import DeclinedError, World

_TURN_S = 2.0
_KEPT_MS = 12_000
"""Of the run's time: what the call itself, and the check at the end, may still need."""

T = TypeVar("T")


def patiently(world: World, act: Callable[[], T]) -> T:
    """``act``, which waits for a place as long as there is time for. Raises ``DeclinedError`` where there is none."""
    while True:
        try:
            return act()
        except DeclinedError:
            if world.time_left_ms() < _KEPT_MS:
                raise
            world.sleep(_TURN_S)
