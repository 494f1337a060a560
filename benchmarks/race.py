"""collect beside the classic kit, on the same lab path, as root and as an ordinary user."""

import contextlib
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks import traffic
from benchmarks.bars import Bar, number
from benchmarks.kit import KitTook, run_kit
from benchmarks.measure import Took, in_lab
from benchmarks.traffic import Traffic
from tests.netns.lab import Lab

HEALTHY = "healthy"
DEAD = ("transit-black-hole-isp", "host-blocked-drop")
NETWORKS = ("home", "office")

HEALTHY_RATIO, HEALTHY_SECONDS = 3.0, 3.0
DEAD_RATIO, DEAD_SECONDS = 8.0, 10.0
"""How many times faster than the kit collect has to be, and its own goal in seconds."""


class Place(NamedTuple):
    """Where a race is run."""

    scenario: str
    network: str
    ordinary: bool

    @property
    def user(self) -> str:
        """Who runs the tools, in words."""
        return "ordinary user" if self.ordinary else "root"


class Race(NamedTuple):
    """One race: all collects, then the kit once."""

    place: Place
    collects: list[Took]
    bundles: list[bytes]
    kit: list[KitTook]
    collect_traffic: Traffic
    """Of the first collect."""
    kit_traffic: Traffic

    @property
    def collect_seconds(self) -> float:
        """The slowest collect: the bar must hold for each of them."""
        return max(took.seconds for took in self.collects)

    @property
    def kit_seconds(self) -> float:
        """The whole kit, its refusals included."""
        return sum(took.seconds for took in self.kit)

    @property
    def ratio(self) -> float:
        """How many times longer the kit takes."""
        return self.kit_seconds / self.collect_seconds


def run(networks: Sequence[str], dead: Sequence[str], *, times: int, dead_times: int) -> list[Race]:
    """Every race, each in a lab of its own. All labs are up before the first measurement.

    Collects run alone, ``times`` each (``dead_times`` on a dead path). The kits of different labs run side by side,
    since they wait and hardly compute; the tools of one kit run one after the other, and in one lab nothing else runs
    beside them.
    """
    with contextlib.ExitStack() as stack:
        labs = [
            (stack.enter_context(Lab.load(scenario, network=network)), Place(scenario, network, ordinary))
            for scenario in (HEALTHY, *dead)
            for network in networks
            for ordinary in (True, False)
        ]
        for lab, _ in labs:
            traffic.install(lab)
        collected = [_collects(lab, place, times if place.scenario == HEALTHY else dead_times) for lab, place in labs]
        with ThreadPoolExecutor(len(labs)) as pool:
            kits = list(pool.map(lambda one: _kit(*one), labs))
        return [
            Race(place, took, bundles, kit, collect_traffic, kit_traffic)
            for (_, place), (took, bundles, collect_traffic), (kit, kit_traffic) in zip(
                labs, collected, kits, strict=True
            )
        ]


def _collects(lab: Lab, place: Place, times: int) -> tuple[list[Took], list[bytes], Traffic]:
    took, bundles, seen = [], [], None
    for _ in range(times):
        before = traffic.read(lab)
        one, path = collect(lab, ordinary=place.ordinary)
        seen = seen or traffic.read(lab).since(before)
        took.append(one)
        bundles.append(path.read_bytes())
    assert seen is not None
    slowest = max(one.seconds for one in took)
    print(f"collect  {place.scenario}, {place.network}, {place.user}: {number(slowest)} s", file=sys.stderr, flush=True)
    return took, bundles, seen


def collect(lab: Lab, args: Sequence[str] = (), *, ordinary: bool = True) -> tuple[Took, Path]:
    """``netdiag collect`` as a whole process on the customer's machine. Raises RuntimeError without a bundle."""
    output = lab.home / f"bench-{time.monotonic_ns()}.zip"
    command = [sys.executable, "-m", "netdiag", "collect", lab.url, "--yes", "--output", str(output), *args]
    took = in_lab(lab, "customer", command, ordinary=ordinary)
    if took.exit != 0 or not output.is_file():
        raise RuntimeError(f"collect on {lab.name}, {lab.network} exited {took.exit}: {took.err.strip()[-500:]}")
    return took, output


def _kit(lab: Lab, place: Place) -> tuple[list[KitTook], Traffic]:
    before = traffic.read(lab)
    kit = run_kit(lab, ordinary=place.ordinary)
    total = sum(took.seconds for took in kit)
    print(f"kit      {place.scenario}, {place.network}, {place.user}: {number(total)} s", file=sys.stderr, flush=True)
    return kit, traffic.read(lab).since(before)


def bars(races: Sequence[Race]) -> list[Bar]:
    """The promises about speed, each judged on its worst race."""
    found = []
    kinds = (("healthy path", True, HEALTHY_RATIO, HEALTHY_SECONDS), ("dead path", False, DEAD_RATIO, DEAD_SECONDS))
    for user in ("ordinary user", "root"):
        for name, healthy, ratio, seconds in kinds:
            mine = [race for race in races if race.place.user == user and (race.place.scenario == HEALTHY) is healthy]
            if mine:
                worst, slowest = min(race.ratio for race in mine), max(race.collect_seconds for race in mine)
                found.append(Bar(f"kit / collect, {name}, {user}", worst, ratio, "times", "bar", at_least=True))
                found.append(Bar(f"collect, {name}, {user}", slowest, seconds, "s", "goal"))
    return found


def times_table(races: Sequence[Race]) -> str:
    """Seconds of every tool beside collect, in Markdown."""
    names = [took.name for took in races[0].kit]
    lines = [
        f"| path | network | user | {' | '.join(names)} | kit | collect (slowest) | collect (median) | kit / collect |",
        "|---|---|---|" + "--:|" * (len(names) + 4),
    ]
    for race in races:
        tools = [f"refused ({number(took.seconds)})" if took.refused else number(took.seconds) for took in race.kit]
        median = statistics.median(took.seconds for took in race.collects)
        sums = [number(race.kit_seconds), number(race.collect_seconds), number(median), f"**{number(race.ratio)}**"]
        lines.append(f"| {' | '.join([race.place.scenario, race.place.network, race.place.user, *tools, *sums])} |")
    return "\n".join(lines)


def traffic_table(races: Sequence[Race]) -> str:
    """What both put on the wire, in Markdown: collect, then the kit after the stroke."""
    lines = [
        "| path | network | user | sent | to the vendor | of these SYNs | reached it | of these SYNs | requests |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for race in races:
        pairs = zip(race.collect_traffic, race.kit_traffic, strict=True)
        cells = [f"{mine} / {theirs}" for mine, theirs in pairs]
        lines.append(f"| {' | '.join([race.place.scenario, race.place.network, race.place.user, *cells])} |")
    return "\n".join(lines)
