"""What a run is doing, while it runs: a live display on a terminal, plain lines elsewhere. All of it on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.reports.live import found
from netdiag.reports.words import WIDTH


class Watcher(Protocol):
    """What the runner tells (netdiag.probes.run.Watcher)."""

    def started(self, step: Step) -> None: ...
    def observed(self, step: Step, observation: Observation) -> None: ...
    def finished(self, step: Step) -> None: ...


class Plain:
    """One line for each thing that was found, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._said: set[str] = set()

    def started(self, step: Step) -> None:
        """Nothing, since what was found says more; but for the watch, which is long and silent."""
        if step.probe == "watch":
            self.write(
                f"now watching, for at most {step.params.get('for_s', '?')} s, whether it recovers; Ctrl-C keeps all"
            )

    def observed(self, step: Step, observation: Observation) -> None:
        news = found(step, observation)
        if news is not None and news.about not in self._said:
            self._said.add(news.about)
            self.write(f"{time.monotonic() - self._began:5.1f} s  {news.line}")

    def finished(self, step: Step) -> None:
        """Nothing."""

    def write(self, line: str) -> None:
        """One line, cut to the width of the screen."""
        sys.stderr.write(cut(line, WIDTH) + "\n")


def cut(line: str, width: int) -> str:
    """``line``, shortened to ``width`` columns."""
    return line if len(line) <= width else line[: width - 1] + "…"


@contextmanager
def progress(budget_s: int) -> Iterator[Watcher]:
    """Shows progress while the block runs, and an empty line after it: what was found begins below."""
    if not sys.stderr.isatty():
        yield Plain()
    else:
        from netdiag.cli.screen import Screen  # noqa: PLC0415  # rich is for terminals alone

        with Screen(budget_s) as screen:
            yield screen
    sys.stderr.write("\n")
