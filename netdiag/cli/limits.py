"""``netdiag limits``: how much a service lets pass, for who operates it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from netdiag.cli import reading
from netdiag.cli.consent import WARNING, ask
from netdiag.cli.output import put, say
from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.cli.url import parse_url
from netdiag.facts import derive
from netdiag.facts.expectation import agreement, parse_expectation
from netdiag.reports.limits import budget_words, limits_json, limits_text
from netdiag.reports.words import endpoint, fill

if TYPE_CHECKING:
    from netdiag.probes.limiting import Limiting, LimitRequest


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What was asked for."""

    budget_s: int
    operator: bool
    expect: str | None
    profile: Path | None
    yes: bool
    format: Literal["text", "json"]


def limits(url: str, flags: Flags) -> ExitCode:
    """Ask until something is refused, and tell. Exit code 1: the expected limit was not confirmed, whether another was
    found or there was not enough evidence; what was expected then does not hold by anything that was seen."""
    typed = parse_url(url)
    try:
        expected = None if flags.expect is None else parse_expectation(flags.expect)
    except ValueError as error:
        raise usage(f"--expect: {error}") from None
    profile = reading.read_profile(flags.profile)
    for note in typed.notes:
        say(f"Note: {note}")

    from netdiag.probes import limiting  # noqa: PLC0415  # wrong usage is told before all this is loaded
    from netdiag.probes.trace import resolve  # noqa: PLC0415

    host = typed.target.host
    try:
        address = host if typed.target.is_literal else resolve(host)[0]
    except (OSError, IndexError):
        raise Problem(f"this machine finds no address for {host}", ExitCode.FAILED) from None
    request = limiting.LimitRequest(
        target=typed.target, address=address, budget_s=flags.budget_s, operator=flags.operator, profile=profile
    )
    ask(preview(request), yes=flags.yes)
    running = limiting.Limiting(request)
    with _shown(running):
        running.run()
    bundle = running.bundle()
    facts = derive(bundle)
    agrees = None if expected is None else agreement(expected, facts.limits)
    if flags.format == "json":
        put(limits_json(bundle, facts, expected, agrees))
    else:
        put(limits_text(bundle, facts, expected, agrees))
    if running.interrupted == "signal":
        return ExitCode.INTERRUPTED
    if not facts.limits.allowed.known and not facts.limits.already.value:
        raise Problem(f"{host} could not be asked: nothing was measured", ExitCode.FAILED)
    return ExitCode.FAILED if agrees in {"differs", "unknown"} else ExitCode.DONE


def preview(request: "LimitRequest") -> list[str]:
    """What will be sent, to whom, and what may come of it."""
    where = endpoint(request.address, request.target.port)
    lines = fill(
        f"netdiag will ask {request.target.url} ({where}) without any login, for at most {request.budget_s} s: "
        f"{budget_words(request.budget)}."
    )
    lines += ["", *fill(WARNING)]
    if not request.operator:
        lines += fill("Whoever operates the service may allow more with --i-operate-this.")
    return lines


@contextmanager
def _shown(running: "Limiting") -> Iterator[None]:
    """On a terminal the table grows on stderr while the block runs, and is gone after it."""
    if not sys.stderr.isatty():
        yield
        return
    from netdiag.cli.limits_screen import LimitsScreen  # noqa: PLC0415  # rich is for terminals alone

    with LimitsScreen(running):
        yield
