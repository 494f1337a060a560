"""One command, timed: in a node of a lab, or on this machine."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.netns.lab import Lab

CHILD = Path(__file__).with_name("child.py")
HANG_SECONDS = 180.0
"""Only bounds a hang; no command here may take this long."""


class Took(NamedTuple):
    """What one command took."""

    seconds: float
    cpu_seconds: float
    """User and system time of all its processes."""
    peak_mb: float
    """Resident memory of its largest process at its highest, in 10^6 bytes."""
    exit: int
    out: str
    err: str


def in_lab(lab: Lab, role: str, argv: Sequence[str], *, ordinary: bool) -> Took:
    """Run ``argv`` on a machine of the lab, to its end."""
    result = lab.home / f"took-{time.monotonic_ns()}.json"
    done = lab.run(role, _wrapped(result, argv), ordinary=ordinary, timeout=HANG_SECONDS)
    return _read(result, argv, done)


def here(argv: Sequence[str]) -> Took:
    """Run ``argv`` on this machine (inside the benchmark's own empty network), to its end."""
    with tempfile.TemporaryDirectory(prefix="netdiag-bench-") as folder:
        result = Path(folder, "took.json")
        done = subprocess.run(
            _wrapped(result, argv),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=HANG_SECONDS,
            env={**os.environ, "HOME": folder},
        )
        return _read(result, argv, done)


def repeat(times: int, command: Callable[[], Took]) -> list[Took]:
    """The same command several times, one after the other."""
    return [command() for _ in range(times)]


def _wrapped(result: Path, argv: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-S", str(CHILD), str(result), *argv]


def _read(result: Path, argv: Sequence[str], done: subprocess.CompletedProcess[str]) -> Took:
    """Raises RuntimeError when the command could not even be started."""
    if not result.is_file():
        raise RuntimeError(f"{argv[0]} could not be run: {done.stderr.strip()}")
    took = json.loads(result.read_text())
    return Took(
        seconds=took["seconds"],
        cpu_seconds=took["cpu_seconds"],
        peak_mb=took["peak_kib"] * 1024 / 1e6,
        exit=took["exit"],
        out=done.stdout,
        err=done.stderr,
    )
