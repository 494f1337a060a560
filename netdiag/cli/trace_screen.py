"""The table of a trace while it grows."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from netdiag.cli.progress import cut
from netdiag.evidence.display import sanitize_text
from netdiag.facts import derive
from netdiag.probes.trace import Tracing
from netdiag.reports.trace import table


class TraceScreen:
    """Redrawn four times a second; nothing of it stays."""

    def __init__(self, tracing: Tracing, console: Console | None = None) -> None:
        self._tracing = tracing
        # Text only: whatever a host or a name says is never read as rich's mark-up, emoji or colours.
        self._console = console or Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._live = Live(self, console=self._console, refresh_per_second=4, transient=True, redirect_stdout=False)

    def __enter__(self) -> "TraceScreen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        bundle = self._tracing.bundle()
        request = self._tracing.request
        yield Text(cut(sanitize_text(f"to {request.host} ({request.address}) …"), console.width), style="bold")
        for line in table(bundle, derive(bundle)):
            yield Text(cut(sanitize_text(line), console.width))
