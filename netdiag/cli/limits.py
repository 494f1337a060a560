"""``netdiag limits``: how much a service lets pass, for who operates it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from netdiag.cli import reading
from netdiag.cli.collect import place, seal_and_write
from netdiag.cli.consent import WARNING, ask
from netdiag.cli.interruption import Interruption
from netdiag.cli.output import put, say
from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.cli.url import parse_url
from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.keys import KeyFileError, signing_key
from netdiag.facts import derive
from netdiag.facts.expectation import agreement, parse_expectation
from netdiag.reports.limits import budget_words, limits_json, limits_text, not_asked
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
    family: Literal[4, 6] | None = None
    output: Path | None = None


def limits(url: str, flags: Flags) -> ExitCode:
    """Ask until something is refused, and tell. Exit code 1: the expected limit was not confirmed, whether another was
    found or there was not enough evidence; what was expected then does not hold by anything that was seen."""
    typed = parse_url(url)
    try:
        expected = None if flags.expect is None else parse_expectation(flags.expect)
    except ValueError as error:
        raise usage(f"--expect: {error}") from None
    host = typed.target.host
    if typed.target.is_literal and flags.family not in {None, family_of(host)}:
        raise usage(f"{host} is not an IPv{flags.family} address")
    profile = reading.read_profile(flags.profile)
    writer = None if flags.output is None else _Writer(place(flags.output, host))
    for note in (*typed.notes, writer.key.note if writer is not None else None):
        if note:
            say(f"Note: {note}")

    from netdiag.probes import limiting  # noqa: PLC0415  # wrong usage is told before all this is loaded

    request = limiting.LimitRequest(
        typed=typed.typed,
        target=typed.target,
        address=host if typed.target.is_literal else _address(host, flags.family),
        budget_s=flags.budget_s,
        operator=flags.operator,
        profile=profile,
    )
    ask(preview(request), yes=flags.yes)
    running = limiting.Limiting(request)
    with Interruption() as interruption:
        with suppress(KeyboardInterrupt), _shown(running):
            running.run()
        interruption.sealing = True
        bundle = running.bundle()
        facts = derive(bundle)
        agrees = None if expected is None else agreement(expected, facts.limits)
        told = limits_json if flags.format == "json" else limits_text
        put(told(bundle, facts, expected, agrees))
        if writer is not None:
            writer.write(running.to_keep())
    if interruption.code is not None:
        return interruption.code
    answered = facts.limits.already.value is True or facts.limits.unserved.known
    if not facts.limits.allowed.known and not answered:
        why = not_asked(bundle)
        raise Problem(f"{host} could not be asked{f': {why}' if why else ''}; nothing was measured", ExitCode.FAILED)
    return ExitCode.FAILED if agrees in {"differs", "unknown"} else ExitCode.DONE


def _address(host: str, family: Literal[4, 6] | None) -> str:
    from netdiag.probes.trace import resolve  # noqa: PLC0415  # as above

    try:
        return resolve(host, family)[0]
    except (OSError, IndexError):
        version = f"IPv{family} " if family else ""
        raise Problem(f"this machine finds no {version}address for {host}", ExitCode.FAILED) from None


class _Writer:
    """Seals what was found to a new file, like a collect. What can be wrong with file or key is found before anything
    is sent."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.key = signing_key(os.environ)
        except KeyFileError as error:
            raise usage(str(error)) from None

    def write(self, bundle: Bundle) -> None:
        """Raises Problem; what was found has been printed by then."""
        seal_and_write(bundle, self.key, self._path)
        say(f"The records are sealed in {self._path} (see `netdiag show`).")


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
