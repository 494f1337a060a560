"""Facts x catalogue -> hypotheses -> one verdict with two words of certainty."""

from typing import Literal

import msgspec

from netdiag.faults.base import Finding

VerdictSide = Literal["local", "transit", "host", "none", "inconclusive"]
Certainty = Literal["established", "likely"]
Standing = Literal["settled", "likely", "possible", "opposed", "masked", "not_assessed"]


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue and how it stands. ``because`` is always one sentence for a person."""

    fault: str
    title: str
    standing: Standing
    because: str
    finding: Finding | None = None
    masked_by: str | None = None
    missing: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence that carries the verdict, with the observations behind it (``main:o12``)."""

    says: str
    observations: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``certainty`` is None for ``none`` and ``inconclusive``; ``fault`` for ``none``. ``fault`` is the deepest code
    that the evidence supports: a full code, or a group (``host.block``) where the evidence ends there. For
    ``inconclusive`` ``fault`` is None too, unless one fault leads that the evidence does not carry far enough.
    ``summary`` is one or two sentences; ``not_tested`` what a verdict of ``none`` does not say."""

    side: VerdictSide
    certainty: Certainty | None = None
    fault: str | None = None
    summary: str
    evidence: tuple[Evidence, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    next_evidence: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    search_keys: tuple[tuple[str, str], ...] = ()
    reply: str = ""
    catalogue_version: int
