"""The table of a rate section while it grows."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from netdiag.cli.progress import cut
from netdiag.evidence.display import sanitize_text
from netdiag.facts import derive
from netdiag.probes.limiting import Limiting
from netdiag.reports.limits import table


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
        spent = f"{len(bundle.observations)} attempts in {bundle.duration_ns // 1_000_000_000} s; Ctrl-C ends it"
        yield Text(cut(sanitize_text(f"asking {bundle.target.url}: {spent}"), console.width), style="bold")
        for line in table(derive(bundle).limits):
            yield Text(cut(sanitize_text(line), console.width))
