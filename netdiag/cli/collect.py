"""``netdiag collect``: the customer's command."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from netdiag.cli import reading
from netdiag.cli.consent import ask, preview
from netdiag.cli.duration import seconds
from netdiag.cli.interruption import Interruption
from netdiag.cli.output import put, say
from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.cli.progress import progress
from netdiag.cli.url import parse_url
from netdiag.evidence.bundle import Bundle, Options, Target
from netdiag.evidence.container import CAPTURE, SUMMARY
from netdiag.evidence.errors import BundleError
from netdiag.evidence.files import WriteError, write_new
from netdiag.evidence.keys import KeyFileError, SigningKey, signing_key
from netdiag.evidence.seal import seal
from netdiag.facts import Facts, derive
from netdiag.probes.ways import Way, WayError, way_of
from netdiag.reports.collected import Sealed, collected_json, collected_text
from netdiag.reports.summary import summary

if TYPE_CHECKING:
    from netdiag.probes.collect import CollectRequest

WATCH_LEAST_S, WATCH_MOST_S = 60, 7200
"""A shorter watch has no room for its first quiet and the attempt after it; a longer one is a monitor's work."""

MAX_WAYS = 2
"""Each costs the vendor a connection for each address, and the run the time until the manners allow it."""


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What was asked for."""

    output: Path | None
    profile: Path | None
    ticket: str | None
    deep: bool
    slow: bool
    rate_limit: bool
    capture: bool
    via: tuple[str, ...]
    watch_recovery: str | None
    user_agent: str | None
    budget_s: int
    yes: bool
    format: Literal["text", "json"]


def collect(url: str, flags: Flags) -> int:
    """Measure, seal, write, and tell. Everything that can be wrong with the call is found before the first packet."""
    typed = parse_url(url)
    check_text("--ticket", flags.ticket, 200)
    check_text("--user-agent", flags.user_agent, 500)
    vendor = reading.read_profile(flags.profile)
    if vendor is not None and vendor.internal:
        typed = replace(typed, target=msgspec.structs.replace(typed.target, private=True))
    path = place(flags.output, typed.target.host)
    ways = _ways(flags.via, typed.target)
    watch_s = seconds("--watch-recovery", flags.watch_recovery, least=WATCH_LEAST_S, most=WATCH_MOST_S)
    try:
        key = signing_key(os.environ)
    except KeyFileError as error:
        raise usage(str(error)) from None
    for note in (*typed.notes, key.note):
        if note:
            say(f"Note: {note}")

    from netdiag.probes import collect as probes  # noqa: PLC0415  # wrong usage is told before all this is loaded

    request = probes.CollectRequest(
        typed=typed.typed,
        target=typed.target,
        options=Options(
            deep=flags.deep,
            slow=flags.slow,
            rate_limit=flags.rate_limit,
            capture=flags.capture,
            via=tuple(f"{way.via.kind} {way.via.name}" for way in ways),
            user_agent=flags.user_agent,
            budget_s=flags.budget_s,
            watch_s=watch_s,
        ),
        profile=vendor,
        ticket=flags.ticket,
        ways=ways,
        typed_ways=flags.via,
    )
    limits = probes.limit_budget(request) if flags.rate_limit else None
    ask(preview(probes.contacts(request), request.options, limits), yes=flags.yes)
    return measure(request, key, path, told=collected_json if flags.format == "json" else collected_text)


def measure(request: "CollectRequest", key: SigningKey, path: Path, *, told: Callable[[Sealed], str]) -> int:
    """Measure what was agreed to, seal it to ``path``, and print what ``told`` makes of it."""
    from netdiag.probes import collect as probes  # noqa: PLC0415

    with Interruption() as interruption:
        try:
            with progress(request.options.budget_s) as watcher:
                collected = probes.collect(request, watcher)
        except KeyboardInterrupt:
            raise Problem("nothing was written", interruption.code or ExitCode.INTERRUPTED) from None
        interruption.sealing = True
        sealed = seal_and_write(collected.bundle, key, path, capture=collected.capture)
        # Still inside: a late signal must not cost the customer the path of what was sealed.
        put(told(sealed))
    return interruption.code or ExitCode.DONE


def seal_and_write(bundle: Bundle, key: SigningKey, path: Path, *, capture: bytes | None = None) -> Sealed:
    """Seal what was measured, with its summary, to a new file. Raises Problem when nothing could be written."""
    facts = _facts(bundle)
    attachments = {SUMMARY: summary(bundle, facts).encode()}
    if capture is not None:
        attachments[CAPTURE] = capture
    try:
        raw = seal(bundle, attachments, key, now=datetime.now(UTC))
        write_new(path, raw)
    except (BundleError, WriteError) as error:
        raise Problem(f"no bundle was written: {error}", ExitCode.FAILED) from None
    return Sealed(
        path=str(path),
        raw=raw,
        bundle=bundle,
        facts=facts,
        fingerprint=key.fingerprint,
        captured=capture is not None,
    )


def _facts(bundle: Bundle) -> Facts | None:
    """What was seen, in facts. A bug in there must not cost the customer the evidence: then there are none."""
    try:
        return derive(bundle)
    except Exception as error:  # noqa: BLE001 - see above
        say(f"Note: the summary is incomplete, a bug in netdiag: {type(error).__name__}")
        return None


def check_text(flag: str, text: str | None, most: int) -> None:
    """What goes into a header or a file that others read: visible characters, not too many."""
    if text is None:
        return
    if not text.strip():
        raise usage(f"{flag} is empty")
    if not text.isprintable():
        raise usage(f"{flag} has characters in it that cannot be seen, such as a line's end")
    if flag == "--user-agent" and not text.isascii():
        raise usage(f"{flag} has letters in it that a header cannot carry: ASCII only")
    if len(text) > most:
        raise usage(f"{flag} is longer than {most} characters")


def _ways(typed: Sequence[str], target: Target) -> tuple[Way, ...]:
    """The second ways out, each checked against this machine; nothing is sent."""
    ways: list[Way] = []
    for text in typed:
        try:
            way = way_of(text, target.host if target.is_literal else None)
        except WayError as error:
            raise usage(f"--via: {error}") from None
        if way.via not in [known.via for known in ways]:
            ways.append(way)
    if len(ways) > MAX_WAYS:
        raise usage(f"--via may be given {MAX_WAYS} times at most")
    return tuple(ways)


def place(output: Path | None, host: str) -> Path:
    """Where the bundle goes. It must be free and writable now, so that no run is made for nothing."""
    if output is None or output.is_dir():
        stem = f"netdiag-{re.sub('[^a-z0-9.-]', '-', host)[:100]}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        output = (output or Path()) / f"{stem}.zip"
    try:
        taken = os.path.lexists(output)
    except ValueError:
        raise usage("--output: no file can have this name") from None
    if taken:
        raise Problem(f"{output} exists already, and is not overwritten", ExitCode.FAILED)
    folder = output.parent
    if not folder.is_dir():
        raise Problem(f"there is no folder {folder} to write the bundle to", ExitCode.FAILED)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Problem(f"the folder {folder} cannot be written to", ExitCode.FAILED)
    return output
