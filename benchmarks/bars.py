"""Bars: what issue and README promise about speed and cost, and whether this run's figures keep it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Kind = Literal["bar", "goal"]
"""A ``bar`` is a ratio inside one run, or a limit that holds on any machine; a ``goal`` is an absolute figure."""


class Bar(NamedTuple):
    """One promise. ``measured`` must be at most ``limit``, or at least it where ``at_least``."""

    what: str
    measured: float
    limit: float
    unit: str
    kind: Kind
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the promise is kept in this run."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def table(bars: Sequence[Bar]) -> str:
    """All bars in Markdown, a miss in bold."""
    lines = ["| | what | measured | promised | |", "|---|---|--:|--:|---|"]
    for bar in bars:
        sign = "≥" if bar.at_least else "≤"
        verdict = "holds" if bar.holds else "**MISSED**"
        limit = f"{sign} {number(bar.limit)} {bar.unit}".rstrip()
        measured = f"{number(bar.measured)} {bar.unit}".rstrip()
        lines.append(f"| {bar.kind} | {bar.what} | {measured} | {limit} | {verdict} |")
    return "\n".join(lines)


def sentence(bars: Sequence[Bar]) -> str:
    """How many hold, and the name of every one that does not."""
    missed = [bar.what for bar in bars if not bar.holds]
    if not missed:
        return f"All {len(bars)} hold in this run."
    return f"{len(bars) - len(missed)} of {len(bars)} hold in this run. Missed: {'; '.join(missed)}."


def number(value: float) -> str:
    """Three significant digits, no exponent; thousands set apart. A count (int) as it is."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
