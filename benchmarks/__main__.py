"""``python -m benchmarks``: see the package's docstring. Exit code 1: a bar is missed (goals are only reported)."""

import argparse
import compileall
import sys

from benchmarks import budget, limits, mechanisms, page, program, race, trace
from benchmarks.page import Results
from tests.netns import kernel
from tests.netns.lab import ROOT, missing
from tests.netns.scenario import names

PARTS = ("race", "mechanisms", "trace", "budget", "cost", "limits")


def main(argv: list[str]) -> int:
    """Run what is asked for, print the page, write it when the run is whole or ``--write`` is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="netdiag beside the classic tools.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to run, of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="one network, one dead path, six faults, no repetition")
    parser.add_argument("--all", action="store_true", help="budget: every fault of the corpus, not a sample")
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md (the default of a whole run without --quick)"
    )
    asked = parser.parse_args(argv)
    if unknown := set(asked.names) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    try:
        kernel.unshare_as_root(kernel.CLONE_NEWNET)  # nothing from here on can reach any network
        kernel.loopback_up()
    except OSError as error:
        print(f"no benchmarks here: this machine gives no network namespaces: {error}", file=sys.stderr)
        return 1
    if (reason := missing()) is not None:
        print(f"no benchmarks here: {reason}", file=sys.stderr)
        return 1
    # As pip leaves an installed package: in the labs Python keeps nothing that it compiled, and would begin anew.
    compileall.compile_dir(ROOT / "netdiag", quiet=1)
    results = run(asked.names or PARTS, quick=asked.quick, every_fault=asked.all)
    how = " ".join(["python -m benchmarks", *argv]) if argv else "make bench"
    print(page.page(results, page.machine(), how=how))
    if asked.write or not (asked.names or asked.quick):
        page.write(results, how=how)
    return 0 if all(bar.holds for bar in results.bars() if bar.kind == "bar") else 1


def run(parts: list[str] | tuple[str, ...], *, quick: bool, every_fault: bool = False) -> Results:
    """Measure. ``cost`` takes memory and bundle sizes from the collects of ``race``, if that is asked for too."""
    networks = race.NETWORKS[:1] if quick else race.NETWORKS
    dead = race.DEAD[-1:] if quick else race.DEAD
    times, dead_times = (1, 1) if quick else (3, 2)
    races = race.run(networks, dead, times=times, dead_times=dead_times) if "race" in parts else []
    named = mechanisms.run(networks, times=1 if quick else 2, quick=quick) if "mechanisms" in parts else []
    paths = trace.run(trace.SCENARIOS[:2] if quick else trace.SCENARIOS) if "trace" in parts else None
    cost = None
    if "cost" in parts:
        bundles = [raw for one in races for raw in one.bundles]
        peaks = [took.peak_mb for one in races for took in one.collects]
        cost = program.run(bundles, peaks, times=3 if quick else 15, seconds=1.0 if quick else 5.0)
    faults = [name for name in names() if not name.startswith(("none-", "healthy"))]
    tried = []
    if "budget" in parts:
        few = faults[:: max(1, len(faults) // 6)]
        tried = budget.run(few if quick else faults if every_fault else budget.sample(faults), networks)
    estimated = limits.run(limits.SETTINGS[::7] if quick else limits.SETTINGS) if "limits" in parts else []
    return Results(races, cost, tried, paths, tuple(estimated), tuple(named), len(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
