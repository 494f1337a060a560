"""``netdiag show``: what is inside, for the customer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from netdiag.cli import reading
from netdiag.cli.output import put
from netdiag.evidence import container
from netdiag.evidence.seal import unseal
from netdiag.evidence.trust import TrustPolicy
from netdiag.reports.inside import inside, inside_json, inside_text


def show(path: Path, *, format: Literal["text", "json"]) -> None:  # noqa: A002 - the name of the flag
    """Print what is inside the bundle at ``path``."""
    raw = reading.read_bundle(path)
    with reading.refusals_of(path):
        bundle, _, _ = unseal(raw, TrustPolicy(), now=datetime.now(UTC))
        sizes = {name: len(data) for name, data in container.unpack(raw).items()}
    found = inside(bundle, sizes)
    put(inside_json(found) if format == "json" else inside_text(found))
