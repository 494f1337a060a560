"""The clock of one run: monotonic time since its start, one deadline and one patience for all, and sleep that ends."""

import threading
import time

from netdiag.probes.base import OutOfTimeError

_RTTS_OF_SILENCE = 4  # silence is claimed after 4 x the largest RTT seen (design.md, Records)

SYN_REPETITION_US = 1_000_000
"""TCP sends a SYN, and the answer to it, again after 1 s (RFC 6298 section 2.1): a longer round trip of TCP tells of
loss as well as of a slow line."""


class Clock:
    """Nanoseconds since the start of the run, and how many of them are left.

    Shared by all probe threads. ``stop`` (Ctrl-C) makes every wait of every thread end at once, as the deadline does.
    """

    def __init__(self, budget_s: float) -> None:
        self._began_ns = time.monotonic_ns()
        self._stopped = threading.Event()
        self.deadline_ns = int(budget_s * 1e9)
        self._largest_rtt_us = 0

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

    def heard(self, rtt_us: int) -> None:
        """A round trip was measured, by any probe: on a slow line all of them wait longer."""
        # Two threads at once may lose the smaller step: the largest is seen again with the next answer.
        self._largest_rtt_us = max(self._largest_rtt_us, rtt_us)

    def heard_by_tcp(self, rtt_us: int) -> None:
        """A round trip of TCP: what took longer than a SYN waits for its repetition may have been one."""
        self.heard(min(rtt_us, SYN_REPETITION_US))

    def patient_ms(self, wanted_ms: int) -> int:
        """How long to wait before silence is claimed: ``wanted_ms``, or longer on a slow line. May grow meanwhile."""
        return max(wanted_ms, -(-_RTTS_OF_SILENCE * self._largest_rtt_us // 1000))

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``. Raises ``OutOfTimeError`` when the deadline comes or the run is stopped before."""
        left = self.time_left_ms() / 1000
        self._stopped.wait(min(max(0.0, seconds), left))
        if self._stopped.is_set() or seconds >= left:
            raise OutOfTimeError

    def extend(self, seconds: float) -> None:
        """A new deadline, ``seconds`` from now: for what has a budget of its own after the run. A run that was stopped
        stays so."""
        self.deadline_ns = self.now_ns() + int(seconds * 1e9)

    def stop(self) -> None:
        """End the run now: from here on nothing is left, and every sleeper wakes. Safe in a signal handler's thread."""
        self._stopped.set()
