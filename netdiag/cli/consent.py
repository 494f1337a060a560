"""What will be contacted, and what the bundle will hold: shown before anything is sent."""

import sys
from collections.abc import Sequence

from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.evidence.bundle import Options
from netdiag.evidence.limits import LimitBudget
from netdiag.reports.inside import NEVER
from netdiag.reports.limits import budget_words
from netdiag.reports.words import fill

IN_IT = (
    "this machine's addresses, routes, name servers, proxies, clock and system versions; what name servers and hosts "
    "answered, with times and certificates; the routers on the way; of HTTP answers the status, some headers and at "
    "most 2 kB of an error page"
)
WARNING = (
    "That looks for a limit, and so may meet it: the service may refuse this address for a while, and everybody who "
    "shares it."
)
PSEUDONYMS = "hardware (MAC) addresses, host and user names, Wi-Fi names, search domains"


DOWNLOAD = "is downloaded, for at most 10 s, and at most 250 kB from each of two hosts for comparison"
DEEP = "--deep: up to three times as many packets as otherwise, to the same places"
CAPTURED = (
    "With --capture also the headers of this run's own packets, if this user may see them: addresses, ports and times, "
    "without what the packets carry, and nothing of other programs"
)


def preview(contacts: Sequence[str], options: Options, limits: LimitBudget | None = None) -> list[str]:
    """The list, wrapped. ``contacts`` is everybody who will get a packet, by address or by class; ``limits`` what the
    rate section may spend, where there is to be one."""
    lines = fill(f"netdiag will contact, for at most {options.budget_s} s and without any login:")
    for one in contacts:
        lines += fill(one, first="  - ")
    when = "--slow: less than 1 MB of the URL" if options.slow else "If the URL answers slowly, less than 1 MB of it"
    lines += ["", *fill(f"{when} {DOWNLOAD}.")]
    if options.deep:
        lines += fill(f"{DEEP}.")
    if limits is not None:
        lines += fill(f"--rate-limit: after all else, {budget_words(limits)}. {WARNING}")
    lines += ["", *fill(f"The bundle will hold {IN_IT}.")]
    if options.capture:
        lines += fill(f"{CAPTURED}.")
    lines += fill(f"Replaced in it by pseudonyms: {PSEUDONYMS}.")
    lines += fill(f"Never in it: {'; '.join(NEVER)}.")
    lines += fill("It stays on this machine until you send it.")
    return lines


def ask(lines: Sequence[str], *, yes: bool) -> None:
    """Show ``lines`` on stderr, and go on if the person at the terminal says yes; else end the command."""
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not yes and not on_terminal:
        raise usage("netdiag asks before it measures, and there is nobody to ask here: give --yes to agree beforehand")
    sys.stderr.write("\n".join(lines) + "\n\n")
    if yes:
        return
    sys.stderr.write("Begin? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Problem("nothing was measured, and nothing was written", ExitCode.FAILED)
