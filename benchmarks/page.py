"""docs/benchmarks.md: the figures of one run, and nothing that was not measured in it."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import bars as promises
from benchmarks import budget, limits, mechanisms, program, race, trace
from benchmarks.bars import Bar
from benchmarks.budget import Tried
from benchmarks.limits import Estimated
from benchmarks.mechanisms import Named
from benchmarks.program import Cost
from benchmarks.race import Race
from benchmarks.trace import Paths
from netdiag.probes import manners
from tests.netns.lab import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


class Results(NamedTuple):
    """What one run measured; an empty part was not asked for."""

    races: list[Race]
    cost: Cost | None
    tried: list[Tried]
    paths: Paths | None = None
    estimated: tuple[Estimated, ...] = ()
    named: tuple[Named, ...] = ()
    faults: int = 0
    """All faults of the corpus, of which ``tried`` may be a sample."""

    def bars(self) -> list[Bar]:
        """Every promise that this run can judge."""
        found = race.bars(self.races) if self.races else []
        found += mechanisms.bars(self.named)
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
            *_mechanisms(results.named),
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
    times = {len(one.collects) for one in races if one.place.scenario == race.HEALTHY}
    dead_times = {len(one.collects) for one in races if one.place.scenario != race.HEALTHY}
    return [
        f"""## collect beside the classic kit

Seconds of whole processes on the customer's machine of the lab (`tests/netns`): a home line, and an office line with
17 ms of delay each way. First `netdiag collect URL --yes` with nothing beside it (runs: {_of(times)}; on a dead path
{_of(dead_times)}). Then, one after the other, `traceroute -T -n -p 443`, `mtr -r -n -c 10`, `dig` (A and AAAA),
`curl -m 20` and `openssl s_client` (cut at 20 s); kits in different labs run side by side, since they only wait.

A tool that needs a privilege which the lab's ordinary user has not is *refused*. The time it took to say so counts;
what it would have shown is missing from that kit, while collect walks the path to the service port all the same.

{race.times_table(races)}

What was put on the wire, in packets, collect / kit. *Sent* is counted at the customer's gateway (probes that end on the
way included), *reached* at the vendor's firewall before it drops anything, probes that end there by their TTL included,
*requests* in the vendor's log. One address and port may get {_syns_allowed()};
at home the vendor has two addresses, and those that fail are asked on a second port too.

{race.traffic_table(races)}
"""
    ]


def _of(times: set[int]) -> str:
    return ", ".join(map(str, sorted(times))) or "none"


def _syns_allowed() -> str:
    seconds = manners.SYN_WINDOW_NS // 10**9
    return f"{manners.SYNS} SYNs in any {seconds} s ({manners.SYNS_IF_NONE_ACCEPTED} while none was accepted)"


def _mechanisms(named: Sequence[Named]) -> list[str]:
    if not named:
        return []
    times = max(Counter((one.case.scenario, one.network) for one in named).values())
    return [
        f"""## Time to name the mechanism of a block

`netdiag collect URL --yes` as an ordinary user and then `netdiag analyze`, with no run of the agent's and no profile,
under real blocks and limits of each class; runs of each row: {times}, each in a lab of its own. Those that mostly wait
(dropped, silent, tarpit) go side by side, the others alone.

- *named*: both whole processes, one after the other, in the slower run. This is what the goals are about: nothing is
  said before collect has ended.
- *seen*: how long that run had measured when the last record was complete that the naming sentence cites. Records that
  merely confirm it count, too.
- *mechanism*: the words of the report, from a sentence of a fault that stands; the words of all runs of the row, where
  they differ.
- *verdict*: side, certainty and fault code. A mechanism can be plain while the side is not.

The goals are 8 s for a drop and 3 s for a refusal. What is accepted and then silent is held to the 8 s, since
only waiting shows it; a tarpit that holds its answer for 5 s gets these on top of the 3 s.

{mechanisms.words(named)}

{mechanisms.times_table(named)}

What the vendor got for it, the highest of each in any run of the row: packets, and SYNs among them, that came in one
hop before the vendor's machine and would go on to it, whether a rule then dropped them or not; the most SYNs to one
address and port in any {mechanisms.WINDOW_S:.0f} s; and requests, as the run itself recorded them. Allowed are
{manners.REQUESTS} requests, and to one address and port {_syns_allowed()}. Scenarios in
which another client of the customer's goes on beside the run are left out, since the two cannot be told apart.

{mechanisms.met_table(named)}
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
        sampled = "those whose recordings took longest, and an even sample of the others (`--all` tries every one)"
        which = "all of them" if faults == results.faults else sampled
        full, small = f"--budget {budget.BUDGET_SECONDS}", f"--budget {budget.SMALL_SECONDS}"
        parts.append(
            f"""## The budget

`collect {full}` under {faults} of the corpus's {results.faults} faults ({len(tried)} runs): {which}.
Several labs run side by side, so collect is slower than above. And `{small}`, alone on the machine, on dead paths,
which need more than that: what it takes beyond its budget is start-up and sealing. The longest, as whole processes:

{budget.table(results.tried)}
"""
        )
    if results.cost:
        parts.append(f"## What netdiag itself costs\n\n{program.words(results.cost)}\n")
    return parts
