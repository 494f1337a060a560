"""Ctrl-C and SIGTERM while measuring: the run ends early, what was seen is sealed, the exit code says so."""

import signal
import time
from types import FrameType, TracebackType

from netdiag.cli.problem import ExitCode

PATIENCE_S = 5.0
"""How long a run may take to hand over what it has; a second Ctrl-C before that is an impatient one and ignored."""


class Interruption:
    """While it is entered, the first signal raises KeyboardInterrupt; others do only after PATIENCE_S."""

    def __init__(self) -> None:
        self.code: ExitCode | None = None
        self.sealing = False
        """While what was seen is being sealed, a signal only changes the exit code: it takes no time worth saving."""
        self._at = 0.0
        self._before: dict[int, signal.Handlers | int | None] = {}

    def __enter__(self) -> "Interruption":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)  # type: ignore[assignment]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        impatient = self.code is not None and now - self._at < PATIENCE_S
        self.code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
        if self.sealing or impatient:
            return
        self._at = now
        raise KeyboardInterrupt
