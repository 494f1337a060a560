"""What netdiag itself costs: start-up, analyze, judging in the library, memory, bundle size."""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.bars import Bar
from benchmarks.measure import here, repeat
from netdiag.cli.analysis import analyze_bundles
from netdiag.evidence.errors import BundleError
from netdiag.evidence.source import read_source
from tests.netns.scenario import BUNDLES

VERSION_SECONDS, ANALYZE_SECONDS = 0.15, 0.5
JUDGED_PER_SECOND = 300.0
COLLECT_MB, BUNDLE_KB = 150.0, 300.0

_NETDIAG = (sys.executable, "-m", "netdiag")


class Mix(NamedTuple):
    """The bundles that are judged. ``refused``: recordings that this version does not read (they are older)."""

    bundles: list[bytes]
    refused: int
    source: str


class Judged(NamedTuple):
    """How fast a mix was judged: bundles per second of wall clock and of processor time."""

    mix: Mix
    per_second: float
    per_cpu_second: float
    judged: int


class Cost(NamedTuple):
    """Seconds are medians of whole processes; memory and size the largest seen."""

    version_seconds: float
    help_seconds: float
    analyze_seconds: float
    judged: Judged
    collect_mb: float
    bundle_kb: float


def recorded_mix() -> Mix:
    """Every recorded bundle of the corpus that this version reads."""
    good, refused = [], 0
    for evidence in sorted(BUNDLES.glob("*/*/evidence.json")):
        try:
            raw = read_source(evidence.parent)
            analyze_bundles(raw, now=datetime.now(UTC))
        except BundleError:
            refused += 1
        else:
            good.append(raw)
    return Mix(good, refused, "recorded in the corpus")


def judge(mix: Mix, *, seconds: float) -> Judged:
    """Verify, decode and judge the mix round by round in this thread for about ``seconds``, whole rounds only."""
    now = datetime.now(UTC)
    done, began, began_cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        for raw in mix.bundles:
            analyze_bundles(raw, now=now)
        done += len(mix.bundles)
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    return Judged(mix, done / wall, done / cpu, done)


def run(made: Sequence[bytes], collect_mb: Sequence[float], *, times: int, seconds: float) -> Cost:
    """All costs. ``made`` are the bundles of this run, ``collect_mb`` the peaks of the collects that made them."""
    mix = recorded_mix()
    if not mix.bundles:
        mix = Mix(list(made), mix.refused, "made in this run")
    with tempfile.TemporaryDirectory(prefix="netdiag-bench-") as folder:
        largest = Path(folder, "largest.zip")
        largest.write_bytes(max(made or mix.bundles, key=len))
        version = repeat(times, lambda: here([*_NETDIAG, "--version"]))
        helped = repeat(times, lambda: here([*_NETDIAG, "--help"]))
        analyzed = repeat(times, lambda: here([*_NETDIAG, "analyze", str(largest)]))
    for took in (*version, *helped, *analyzed):
        if took.exit != 0:
            raise RuntimeError(f"netdiag exited {took.exit}: {took.err.strip()[-500:]}")
    return Cost(
        version_seconds=statistics.median(took.seconds for took in version),
        help_seconds=statistics.median(took.seconds for took in helped),
        analyze_seconds=statistics.median(took.seconds for took in analyzed),
        judged=judge(mix, seconds=seconds),
        collect_mb=max(collect_mb, default=0.0),
        bundle_kb=max(map(len, made), default=0) / 1000,
    )


def bars(cost: Cost) -> list[Bar]:
    """The promises about cost. What this run did not measure is left out.

    Judging is promised for one core, so by processor time: what else the machine does meanwhile is not netdiag's.
    """
    core = cost.judged.per_cpu_second
    found = [
        Bar("`netdiag --version`, whole process", cost.version_seconds * 1000, VERSION_SECONDS * 1000, "ms", "goal"),
        Bar("`netdiag analyze`, whole process", cost.analyze_seconds * 1000, ANALYZE_SECONDS * 1000, "ms", "goal"),
        Bar(
            "judged in the library, per second of one core", core, JUDGED_PER_SECOND, "bundles/s", "goal", at_least=True
        ),
    ]
    if cost.collect_mb:
        found.append(Bar("peak memory of collect", cost.collect_mb, COLLECT_MB, "MB", "goal"))
        found.append(Bar("largest bundle", cost.bundle_kb, BUNDLE_KB, "kB", "goal"))
    return found


def words(cost: Cost) -> str:
    """What stands beside the bars."""
    judged = cost.judged
    refused = (
        f" ({judged.mix.refused} recordings that this version does not read are left out)" if judged.mix.refused else ""
    )
    return (
        f"Judged: {judged.judged:,} times verify, decode and judge over {len(judged.mix.bundles)} bundles "
        f"{judged.mix.source}{refused}, one thread: {judged.per_second:,.0f} a second of wall clock, "
        f"{judged.per_cpu_second:,.0f} a second of processor time. "
        f"`netdiag --help`, which loads the command line: {cost.help_seconds * 1000:.0f} ms."
    )
