"""``netdiag analyze``: the agent's command."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from netdiag.cli import analysis, reading
from netdiag.cli.output import has_colour, put_or_write
from netdiag.evidence.trust import TrustPolicy
from netdiag.reports.asn import AsData
from netdiag.reports.view import view

ReportFormat = Literal["text", "markdown", "html", "json"]
_SUFFIX: dict[str, ReportFormat] = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".json": "json"}


def analyze(
    bundle: Path,
    controls: Sequence[Path],
    *,
    profile: Path | None,
    trust: Path | None,
    ticket: str | None,
    as_data: Path | None,
    format: ReportFormat | None,  # noqa: A002 - the name of the flag
    output: Path | None,
) -> None:
    """Judge ``bundle`` and print the report, by default in the format that the name of ``output`` asks for."""
    now = datetime.now(UTC)
    signers = reading.read_trust(trust)
    vendor = reading.read_profile(profile)
    owners = reading.read_as_data(as_data)
    sources = []
    for number, path in enumerate((bundle, *controls)):
        policy = TrustPolicy(allowed_signers=signers, ticket=None if number else ticket)
        raw = reading.read_bundle(path)
        with reading.refusals_of(path):
            sources.append(analysis.open_source(f"control{number}" if number else "main", raw, policy, now=now))
    found = analysis.judge(sources, vendor)
    if format is None:
        format = _SUFFIX.get(output.suffix.lower(), "text") if output is not None else "text"  # noqa: A001
    put_or_write(render(found, format, as_data=owners, colour=output is None and has_colour(sys.stdout)), output)


def render(
    found: analysis.Analysis,
    format: ReportFormat,  # noqa: A002 - the name of the flag
    *,
    as_data: AsData | None = None,
    colour: bool = False,
) -> str:
    """The report in ``format``; only the one that is asked for is loaded."""
    if format == "json":
        from netdiag.reports.json import json  # noqa: PLC0415

        return json(found.verdict, found.sources)
    model = view(found.verdict, found.facts, found.sources, as_data)
    if format == "markdown":
        from netdiag.reports.markdown import markdown  # noqa: PLC0415

        return markdown(model)
    if format == "html":
        from netdiag.reports.html import html  # noqa: PLC0415

        return html(model)
    from netdiag.reports.text import text  # noqa: PLC0415

    return text(model, colour=colour)
