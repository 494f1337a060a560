"""The clock of one run: monotonic time since its start, one deadline for all, and sleep that both can end."""

import threading
import time

from netdiag.probes.base import OutOfTimeError


class Clock:
    """Nanoseconds since the start of the run, and how many of them are left.

    Shared by all probe threads. ``stop`` (Ctrl-C) makes every wait of every thread end at once, as the deadline does.
    """

    def __init__(self, budget_s: float) -> None:
        self._began_ns = time.monotonic_ns()
        self._stopped = threading.Event()
        self.deadline_ns = int(budget_s * 1e9)

    def now_ns(self) -> int:
        """Monotonic nanoseconds since the start of the run."""
        return time.monotonic_ns() - self._began_ns

    def time_left_ms(self) -> int:
        """Milliseconds until the deadline, at least 0; 0 once the run was stopped."""
        if self._stopped.is_set():
            return 0
        return max(0, (self.deadline_ns - self.now_ns()) // 1_000_000)

    def limit_ms(self, wanted_ms: int) -> int:
        """The smaller of ``wanted_ms`` and what is left. Raises ``OutOfTimeError`` when nothing is."""
        left = self.time_left_ms()
        if left == 0:
            raise OutOfTimeError
        return min(wanted_ms, left)

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``. Raises ``OutOfTimeError`` when the deadline comes or the run is stopped before."""
        left = self.time_left_ms() / 1000
        self._stopped.wait(min(max(0.0, seconds), left))
        if self._stopped.is_set() or seconds >= left:
            raise OutOfTimeError

    def stop(self) -> None:
        """End the run now: from here on nothing is left, and every sleeper wakes. Safe in a signal handler's thread."""
        self._stopped.set()
