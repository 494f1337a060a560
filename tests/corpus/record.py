"""Records bundles from the lab: the customer's, and the agent's where the scenario states what a control shows."""

import concurrent.futures
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.corpus.case import Case
from tests.netns.lab import Lab

AT_ONCE = 4
"""Labs recorded side by side: a collect mostly waits, and more would make a two-core machine late in ways that look
like a slow network."""

MAX_RECORDING = 160_000
"""Bytes of one unpacked bundle: the repository holds hundreds. Most take half of it; where a path is looked at closer,
all of it."""


def record(cases: Sequence[Case]) -> list[str]:
    """Record all, in parallel. Returns what went wrong, one line each."""
    wrong: list[str] = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(record_one, case): case for case in cases}
        for done in concurrent.futures.as_completed(running):
            case = running[done]
            error = done.exception()
            print(f"{'FAILED' if error else 'recorded'} {case.name} on {case.network}", flush=True)
            if error:
                wrong.append(f"{case.name} on {case.network}: {error}")
    return wrong


def record_one(case: Case) -> None:
    """Bring the lab up, collect, unpack what was sealed into ``bundles/``."""
    with Lab.load(case.name, network=case.network) as lab:
        _unpack(lab.collect("customer"), case.folder)
        if case.scenario.truth.control is not None:
            _unpack(lab.collect("agent"), case.control_folder)


def _unpack(bundle: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > MAX_RECORDING:
        raise ValueError(f"{folder.name} takes {size:,} bytes, more than {MAX_RECORDING:,}")
