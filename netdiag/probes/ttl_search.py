"""Which TTL to ask for next, where all that shows is whether packets with less are hidden (IP_MINTTL, ip(7))."""

_FIRST_TTLS = (64, 128, 255)
"""What systems begin with (RFC 1700: 64; Windows 128; many routers 255)."""

_UNLIKELY_HOPS = 40
"""Hardly a path is longer."""

_CANDIDATES = sorted({first - hops for first in _FIRST_TTLS for hops in range(_UNLIKELY_HOPS + 1)})


class TtlSearch:
    """Narrows down the TTL with which packets arrive, by halves: seven questions."""

    def __init__(self) -> None:
        self._low, self._high = 0, len(_CANDIDATES) - 1  # it is at least the one, at most the other
        self._came = False

    def guess(self) -> int | None:
        """The least TTL to ask for: first between the values that systems begin with, then the middle. None: done."""
        return _CANDIDATES[self._next()] if self._low < self._high else None

    def told(self, *, came: bool) -> None:
        """Whether packets came that arrive with as much as ``guess``, or more."""
        self._came = self._came or came
        middle = self._next()
        self._low, self._high = (middle, self._high) if came else (self._low, middle - 1)

    def found(self) -> tuple[int | None, int | None]:
        """The smallest and the largest TTL that it may be; (None, None) when nothing ever came."""
        return (_CANDIDATES[self._low], _CANDIDATES[self._high]) if self._came else (None, None)

    def _next(self) -> int:
        for first in _FIRST_TTLS[:-1]:
            border = next((i for i in range(self._low + 1, self._high + 1) if _CANDIDATES[i] > first), None)
            if border is not None and _CANDIDATES[self._low] <= first:
                return border
        return (self._low + self._high + 1) // 2
