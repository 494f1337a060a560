"""The table of a rate section while it grows."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from netdiag.cli.progress import cut
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.limits import LimitAttempt, measured
from netdiag.facts.derivation.limits import allowed_in
from netdiag.probes.limiting import Limiting
from netdiag.reports.limits import table
from netdiag.reports.words import count


class LimitsScreen:
    """Redrawn twice a second; nothing of it stays."""

    def __init__(self, running: Limiting, console: Console | None = None) -> None:
        self._running = running
        # Text only: whatever a host says is never read as rich's mark-up, emoji or colours.
        self._console = console or Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._live = Live(self, console=self._console, refresh_per_second=2, transient=True, redirect_stdout=False)

    def __enter__(self) -> "LimitsScreen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        bundle = self._running.bundle()
        attempts = [one for one in bundle.observations if isinstance(one, LimitAttempt)]
        spent = f"{count(len(attempts), 'attempt')} in {bundle.duration_ns // 1_000_000_000} s; Ctrl-C ends it"
        yield Text(cut(sanitize_text(f"asking {bundle.target.url}: {spent}"), console.width), style="bold")
        # Not all facts: finding what explains the attempts takes time, and would delay the next of them.
        ours = measured(attempts)
        for line in table(allowed_in(ours, ours[0])) if ours else ():
            yield Text(cut(sanitize_text(line), console.width))
