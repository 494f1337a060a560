"""docs/benchmarks.md: the figures of one run, and nothing that was not measured in it."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import bars as promises
from benchmarks import budget, limits, program, race, trace
from benchmarks.bars import Bar
from benchmarks.budget import Tried
from benchmarks.limits import Estimated
from benchmarks.program import Cost
from benchmarks.race import Race
from benchmarks.trace import Paths
from tests.netns.lab import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


class Results(NamedTuple):
    """What one run measured; an empty part was not asked for."""

    races: list[Race]
    cost: Cost | None
    tried: list[Tried]
    paths: Paths | None = None
    estimated: tuple[Estimated, ...] = ()

    def bars(self) -> list[Bar]:
        """Every promise that this run can judge."""
        found = race.bars(self.races) if self.races else []
        found += [] if self.paths is None else trace.bars(self.paths)
        found += budget.bars(self.tried)
        found += limits.bars(self.estimated)
        return found + (program.bars(self.cost) if self.cost else [])


class Machine(NamedTuple):
    """The machine in general words."""

    processors: int
    kernel: str
    python: str


def machine() -> Machine:
    """This one."""
    return Machine(len(os.sched_getaffinity(0)), platform.release(), platform.python_version())


def page(results: Results, on: Machine, *, how: str) -> str:
    """The whole page, in Markdown. ``how`` is the command line that made it."""
    return "\n".join(
        [
            _head(results.bars(), on, how),
            *_races(results.races),
            *_paths(results.paths),
            *_rest(results),
            *_limits(results),
        ]
    )


def write(results: Results, *, how: str, to: Path = PAGE) -> None:
    """Replace docs/benchmarks.md."""
    to.write_text(page(results, machine(), how=how))


def _head(found: Sequence[Bar], on: Machine, how: str) -> str:
    kernel = ".".join(on.kernel.split("-", maxsplit=1)[0].split(".")[:2])
    return f"""# Benchmarks

Made by `{how}` in one run; every figure on this page is from that run.
Machine: {on.processors} processor(s), Linux {kernel}, Python {on.python}.

A *bar* is a ratio inside the run, or a limit that must hold on any machine; a *goal* is an absolute figure, which
depends on the machine. Each is judged on the worst value seen; start-up and `analyze` on the median.

## What is promised, and what holds

{promises.sentence(found)}

{promises.table(found)}
"""


def _races(races: Sequence[Race]) -> list[str]:
    if not races:
        return []
    times = len(races[0].collects)
    return [
        f"""## collect beside the classic kit

Seconds of whole processes on the customer's machine of the lab (`tests/netns`): a home line, and an office line with
17 ms of delay each way. First `netdiag collect URL --yes` with nothing beside it (runs: {times}). Then, one after the
other, `traceroute -T -n -p 443`, `mtr -r -n -c 10`, `dig` (A and AAAA), `curl -m 20` and `openssl s_client` (cut at
20 s); kits in different labs run side by side, since they only wait.

A tool that needs a privilege which the lab's ordinary user has not is *refused*. The time it took to say so counts;
what it would have shown is missing from that kit, while collect walks the path to the service port all the same.

{race.times_table(races)}

What was put on the wire, in packets, collect / kit. *Sent* is counted at the customer's gateway (probes that end on the
way included), *reached* at the vendor's firewall before it drops anything, *requests* in the vendor's log. collect may
send 5 SYNs in 30 s to one address and port; at home the vendor has two addresses, and the dead ones are asked on a
second port too.

{race.traffic_table(races)}
"""
    ]


def _limits(results: Results) -> list[str]:
    if not results.estimated:
        return []
    return [
        f"""## limits: estimate error of rate and burst

`netdiag limits --i-operate-this` against nginx's limit_req (nodelay) on the home line of the lab, each setting once.
nginx's `burst` counts what may come beyond the first, so that one more may come at once. A rate is the middle of the
interval said.

{limits.table(results.estimated)}
"""
    ]


def _paths(paths: Paths | None) -> list[str]:
    if paths is None:
        return []
    return [
        f"""## trace beside other tracers

`netdiag trace --flows 1` and other tracers, each once, on the home line of the lab with 20 ms of delay each way, to the
vendor's first address: seven hops where all is well. Whole processes. A tool that says nothing for want of privilege is
*refused*.

{trace.library_words(paths)}

Seconds:

{trace.table(paths, "seconds")}

Hops that answered:

{trace.table(paths, "hops")}

Packets that came to the gateway from the customer's machine, those of name resolution and the like included:

{trace.table(paths, "packets")}

Peak memory in MB:

{trace.table(paths, "peak_mb")}
"""
    ]


def _rest(results: Results) -> list[str]:
    parts = []
    if results.tried:
        tried = [one for one in results.tried if one.budget == budget.BUDGET_SECONDS]
        faults = len({one.scenario for one in tried})
        full, small = f"--budget {budget.BUDGET_SECONDS}", f"--budget {budget.SMALL_SECONDS}"
        parts.append(
            f"""## The budget

`collect {full}` under {faults} faults ({len(tried)} runs, several labs side by side, so slower than above), and
`{small}`, alone on the machine, on dead paths, which need more than that: what it takes beyond its budget is start-up
and sealing. The longest, as whole processes:

{budget.table(results.tried)}
"""
        )
    if results.cost:
        parts.append(f"## What netdiag itself costs\n\n{program.words(results.cost)}\n")
    return parts
