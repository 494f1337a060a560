"""The shape of one download, out of its series of samples (Flach et al., An Internet-Wide Analysis of Traffic Policing,
SIGCOMM 2016)."""

from collections.abc import Sequence
from itertools import pairwise

from netdiag.evidence.transport import Progress
from netdiag.facts.speed import Bucket, Shape

_ENOUGH_SAMPLES, _ENOUGH_BYTES, _ENOUGH_US = 8, 20_000, 1_000_000
"""Less than this has no shape: slow start alone takes some round trips and ten packets."""

_STALL_US = 2_000_000
_STALLED_SHARE = 0.5
"""Pauses that people notice, which together make half of the time."""

_STRAIGHT = 0.15
"""How far a body at one rate may stray from a straight line, of its bytes: what one slow start or one recovery is."""

_STEADY_AFTER = 0.25
"""The same from the knee on: TCP saws there, losing and recovering (Flach et al., section 3)."""

_SHARP = 4.0
"""How much faster it was before the knee: slow start and its overshoot alone make less of a difference."""

_AFTER_SHARE = 0.5
"""A knee near the end may as well be the end of a line's luck."""

_PIECES = 3
_LOSS_SLICES = 3
"""Flach et al. ask for losses in at least 3 slices of time, and that they come without a queue: there by the flow's own
round trips, here by those of the routers beside it, since a receiver's estimate grows with every pause of the sender.
Their tests of single packets need a capture at the sender; where fewer slices lost, it is not told."""


class Series:
    """Bytes over time from the first one on."""

    def __init__(self, progress: Sequence[Progress], first_byte_us: int | None) -> None:
        began = Progress(at_us=first_byte_us or 0, received=0, out_of_order=0)
        self.samples = (began, *(one for one in progress if one.at_us > began.at_us)) if progress else ()
        self.began_us = began.at_us
        self.total = self.samples[-1].received if self.samples else 0
        self.took_us = self.samples[-1].at_us - self.began_us if self.samples else 0

    @property
    def told(self) -> bool:
        """There is enough of it to have a shape."""
        enough = len(self.samples) >= _ENOUGH_SAMPLES and self.total >= _ENOUGH_BYTES
        return enough and self.took_us >= _ENOUGH_US

    def at(self, us: float) -> float:
        """Bytes received by then, between two samples on the straight line."""
        before = self.samples[0]
        for sample in self.samples:
            if sample.at_us >= us:
                span = sample.at_us - before.at_us
                share = (us - before.at_us) / span if span else 0.0
                return before.received + share * (sample.received - before.received)
            before = sample
        return float(self.total)

    def rates(self, slices: int) -> list[float]:
        """Bytes per second in so many equal slices of the time; none for a body that came at once."""
        if self.took_us <= 0:
            return []
        step = self.took_us / slices
        marks = [self.at(self.began_us + n * step) for n in range(slices + 1)]
        return [(later - sooner) * 1e6 / step for sooner, later in pairwise(marks)]


def shape_of(
    progress: Sequence[Progress], first_byte_us: int | None, *, queued: bool | None, piece: int = 0
) -> tuple[Shape, Bucket | None]:
    """How the body came. ``queued``: round trips to some router grew meanwhile; None: that was not seen. ``piece``:
    bytes of one burst of a body that comes in bursts; the first of them is no knee."""
    series = Series(progress, first_byte_us)
    if not series.told:
        return "unknown", None
    gaps = (later.at_us - sooner.at_us for sooner, later in pairwise(series.samples))
    if sum(gap for gap in gaps if gap >= _STALL_US) >= _STALLED_SHARE * series.took_us:
        return "stalling", None
    bucket = _bucket(series, queued=queued, piece=piece)
    if bucket is not None:
        return "bucket", bucket
    return ("steady" if _strays(series.samples) <= _STRAIGHT * series.total else "unknown"), None


def _bucket(series: Series, *, queued: bool | None, piece: int) -> Bucket | None:
    """The knee at which two straight lines fit best, where it is sharp and the second line lasts."""
    samples = series.samples
    knees = [n for n in range(1, len(samples) - 3) if samples[n].received > 0]
    if not knees:
        return None
    knee = min(knees, key=lambda n: _strays(samples[: n + 1]) + _strays(samples[n:]))
    at = samples[knee]
    before_us, after_us = at.at_us - series.began_us, samples[-1].at_us - at.at_us
    after = (series.total - at.received) * 1e6 / max(after_us, 1)
    before = at.received * 1e6 / max(before_us, 1)
    lasts = after_us >= max(_AFTER_SHARE * series.took_us, _ENOUGH_US)
    least = max(_ENOUGH_BYTES, _PIECES * piece)
    is_steady = _strays(samples[knee:]) <= _STEADY_AFTER * (series.total - at.received)
    if not lasts or after <= 0 or before < _SHARP * after or not is_steady or at.received < least:
        return None
    return Bucket(knee=at.received, before=before, after=after, policed=_policed(samples, knee, queued=queued))


def _strays(samples: Sequence[Progress]) -> float:
    """The most bytes by which they leave the straight line between their ends."""
    first, last = samples[0], samples[-1]
    span = last.at_us - first.at_us
    if span <= 0:
        return 0.0
    rate = (last.received - first.received) / span
    return max(abs(one.received - first.received - rate * (one.at_us - first.at_us)) for one in samples)


def _policed(samples: Sequence[Progress], knee: int, *, queued: bool | None) -> bool | None:
    counts = [one.out_of_order for one in samples if one.out_of_order is not None]
    if len(counts) < len(samples):
        return None
    lossy = [n for n in range(knee, len(counts) - 1) if counts[n + 1] > counts[n]]
    if counts[-1] == counts[0] or queued is True:
        return False
    return True if len(lossy) >= _LOSS_SLICES and queued is False else None
