"""The live display of a run: what is being measured and the time left, below what was found."""

import time
from collections import Counter

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from netdiag.cli.progress import Plain, cut
from netdiag.evidence.bundle import Step
from netdiag.reports.live import doing

_FRAMES = "|/-\\"


class Screen(Plain):
    """Found lines scroll by; the two last lines are redrawn four times a second."""

    def __init__(self, budget_s: int, console: Console | None = None) -> None:
        super().__init__()
        self._budget_s = budget_s
        self._doing: Counter[tuple[str, str]] = Counter()
        # Text only: whatever a bundle or a server says is never read as rich's mark-up, emoji or colours.
        self._console = console or Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._live = Live(self, console=self._console, refresh_per_second=4, transient=True, redirect_stdout=False)

    def __enter__(self) -> "Screen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def started(self, step: Step) -> None:
        if step.probe == "watch":  # it has its own time, after the run's
            self._budget_s = round(time.monotonic() - self._began) + int(step.params.get("for_s", "0"))
        super().started(step)
        self._doing[doing(step)] += 1

    def finished(self, step: Step) -> None:
        self._doing[doing(step)] -= 1

    def write(self, line: str) -> None:
        self._console.print(Text(cut(line, self._console.width)))

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        spent = time.monotonic() - self._began
        left = max(0, round(self._budget_s - spent))
        frame = _FRAMES[int(spent * 4) % len(_FRAMES)]
        yield Text(cut(f"{frame} {self._now() or 'beginning'}", console.width), style="bold")
        yield Text(cut(f"  at most {left} s left; Ctrl-C ends early and keeps what was found", console.width))

    def _now(self) -> str:
        """What is under way, by whom it is about: ``target: connecting, tracing the path; name servers: asking``."""
        under_way: dict[str, list[str]] = {}
        for (whom, what), number in self._doing.items():
            if number > 0:
                under_way.setdefault(whom, []).append(what)
        return "; ".join(f"{whom}: {', '.join(what)}" for whom, what in under_way.items())
