"""What will be contacted, and what the bundle will hold: shown before anything is sent."""

import sys
from collections.abc import Sequence

from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.reports.inside import NEVER
from netdiag.reports.words import fill

IN_IT = (
    "this machine's addresses, routes, name servers, proxies, clock and system versions; what name servers and hosts "
    "answered, with times and certificates; the routers on the way; of HTTP answers the status, some headers and at "
    "most 2 kB of an error page"
)
PSEUDONYMS = "hardware (MAC) addresses, host and user names, Wi-Fi names, search domains"


def preview(contacts: Sequence[str], *, budget_s: int, deep: bool) -> list[str]:
    """The list, wrapped. ``contacts`` is everybody who will get a packet, by address or by class."""
    lines = fill(f"netdiag will contact, for at most {budget_s} s and without any login:")
    for one in contacts:
        lines += fill(one, first="  - ")
    if deep:
        lines += fill("--deep: up to three times as many packets as otherwise", first="  - ")
    lines += ["", *fill(f"The bundle will hold {IN_IT}.")]
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
