"""Runs one command and writes what it took: a file of its own, so that nothing else counts as the command's.

``python -I -S child.py RESULT COMMAND…``. Started fresh inside the lab, it measures neither the way in (nsenter) nor
the memory of the benchmark itself, which a child of it would inherit as its own peak (getrusage(2): ru_maxrss survives
execve). Standard library only.
"""

import json
import os
import sys
import time


def main(result: str, argv: list[str]) -> int:
    """Run ``argv`` to its end; returns its exit status."""
    began = time.monotonic()
    try:
        pid = os.posix_spawnp(argv[0], argv, os.environ)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return 127
    _, status, usage = os.wait4(pid, 0)
    took = {
        "seconds": time.monotonic() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_kib": usage.ru_maxrss,  # of the largest process below, in KiB on Linux
        "exit": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib alone would double the start-up
        json.dump(took, file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
