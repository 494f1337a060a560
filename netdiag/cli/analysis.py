"""Bundles -> verdict: unseal, derive, decide, as one pure function without a command line around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from netdiag.evidence.profile import Profile
from netdiag.evidence.seal import unseal
from netdiag.evidence.trust import TrustPolicy
from netdiag.facts import Facts, derive
from netdiag.reports.view import Source
from netdiag.verdict import Verdict, decide


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What came out, with all that reports show. The first source is the customer's bundle, the others the agent's."""

    verdict: Verdict
    facts: Facts
    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class _Prefixes:
    """What facts need of a profile."""

    prefixes: tuple[str, ...]


def open_source(name: str, raw: bytes, policy: TrustPolicy, *, now: datetime) -> Source:
    """One verified bundle under ``name``. Raises BundleError."""
    bundle, _, provenance = unseal(raw, policy, now=now)
    return Source(name=name, bundle=bundle, provenance=provenance)


def judge(sources: Sequence[Source], profile: Profile | None = None) -> Analysis:
    """The verdict on the first of ``sources``; the others are the agent's control runs. Pure."""
    prefixes = None if profile is None else _Prefixes(prefixes=tuple(str(one) for one in profile.prefixes))
    facts = derive(sources[0].bundle, tuple(one.bundle for one in sources[1:]), prefixes)
    return Analysis(verdict=decide(facts), facts=facts, sources=tuple(sources))


def analyze_bundles(
    raw: bytes,
    controls: Sequence[bytes] = (),
    *,
    policy: TrustPolicy | None = None,
    profile: Profile | None = None,
    now: datetime,
) -> Analysis:
    """Verify, decode and judge one bundle and the agent's control runs. Raises BundleError for any that is refused.

    A ticket in ``policy`` is asked of the customer's bundle alone: the agent's own run need not have one.
    """
    policy = policy or TrustPolicy()
    others = TrustPolicy(allowed_signers=policy.allowed_signers)
    sources = [open_source("main", raw, policy, now=now)]
    sources += [open_source(f"control{number}", one, others, now=now) for number, one in enumerate(controls, start=1)]
    return judge(sources, profile)
