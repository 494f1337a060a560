"""``netdiag verify``: what of a bundle holds, and what a signature does and does not prove."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from netdiag.cli import reading
from netdiag.cli.analysis import open_source
from netdiag.cli.output import put
from netdiag.evidence.trust import TrustPolicy
from netdiag.reports.origin import origin_json, origin_text


def verify(path: Path, *, trust: Path | None, ticket: str | None, format: Literal["text", "json"]) -> None:  # noqa: A002
    """Print what holds of the bundle at ``path``; a bundle of which something does not hold ends the command."""
    policy = TrustPolicy(allowed_signers=reading.read_trust(trust), ticket=ticket)
    raw = reading.read_bundle(path)
    with reading.refusals_of(path):
        source = open_source("main", raw, policy, now=datetime.now(UTC))
    put(origin_json(source, str(path)) if format == "json" else origin_text(source, str(path)))
