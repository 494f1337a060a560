"""The hard budget of collect: tried on every fault, and with a budget too small to finish."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple

from benchmarks.bars import Bar, number
from benchmarks.race import DEAD, collect
from netdiag.cli.analysis import open_source
from netdiag.evidence.errors import BundleError
from netdiag.evidence.source import read_source
from netdiag.evidence.trust import TrustPolicy
from tests.netns.lab import Lab
from tests.netns.scenario import BUNDLES, load

BUDGET_SECONDS = 60
SMALL_SECONDS = 5
"""The least that collect accepts; on a dead path it has to cut its measurements short."""

LONGEST, SAMPLE = 12, 40
"""Faults that are tried by default: those whose recordings took longest, and an even sample of the others."""

_AT_ONCE = 6


class Tried(NamedTuple):
    """One collect under a budget. ``seconds``: the whole process. ``cut``: it says that the budget ran out."""

    scenario: str
    network: str
    budget: int
    seconds: float
    cut: bool


def sample(faults: Sequence[str]) -> list[str]:
    """The same for the same corpus, in its order: those recorded longest, and every so many of the rest."""
    seconds = {name: _recorded_seconds(name) for name in faults}
    longest = sorted(faults, key=lambda name: seconds[name], reverse=True)[:LONGEST]
    rest = [name for name in faults if name not in longest]
    even = rest[:: max(1, -(-len(rest) // (SAMPLE - LONGEST)))]
    return [name for name in faults if name in longest or name in even]


def _recorded_seconds(name: str) -> float:
    """Of the longest recording of the customer's own that this version reads; 0 without one."""
    found = [0.0]
    for network in load(name).networks:
        try:
            raw = read_source(BUNDLES / name / network)
            bundle = open_source(name, raw, TrustPolicy(), now=datetime.now(UTC)).bundle
        except BundleError:
            continue
        found.append(bundle.duration_ns / 1e9)
    return max(found)


def run(scenarios: Sequence[str], networks: Sequence[str]) -> list[Tried]:
    """One collect per fault and network, and the dead paths once more under the small budget."""
    asked = [
        (name, network, BUDGET_SECONDS) for name in scenarios for network in networks if network in load(name).networks
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tried = list(pool.map(_try, asked))
    # These are about tenths of a second: nothing runs beside them.
    return tried + [_try((name, network, SMALL_SECONDS)) for name in DEAD for network in networks]


def _try(asked: tuple[str, str, int]) -> Tried:
    name, network, budget = asked
    with Lab.load(name, network=network) as lab:
        took, path = collect(lab, ["--budget", str(budget)], ordinary=lab.scenario.ordinary_user)
        bundle = open_source(name, path.read_bytes(), TrustPolicy(), now=datetime.now(UTC)).bundle
    print(f"budget   {name}, {network}, --budget {budget}: {number(took.seconds)} s", file=sys.stderr, flush=True)
    return Tried(name, network, budget, took.seconds, bundle.interrupted == "budget")


def bars(tried: Sequence[Tried]) -> list[Bar]:
    """The budget, judged on the longest collect under each."""
    whole = [one.seconds for one in tried if one.budget == BUDGET_SECONDS]
    cut = [one.seconds for one in tried if one.budget == SMALL_SECONDS and one.cut]
    found = []
    if whole:
        what = f"longest of {len(whole)} collects under a fault, --budget {BUDGET_SECONDS}"
        found.append(Bar(what, max(whole), BUDGET_SECONDS, "s", "bar"))
    if cut:
        what = f"longest of {len(cut)} collects that ran out of time, --budget {SMALL_SECONDS}"
        found.append(Bar(what, max(cut), SMALL_SECONDS, "s", "goal"))
    return found


def table(tried: Sequence[Tried], most: int = 12) -> str:
    """The longest collects, in Markdown."""
    lines = ["| fault | network | --budget | collect, s | budget ran out |", "|---|---|--:|--:|---|"]
    longest = sorted(tried, key=lambda one: (one.budget, one.seconds), reverse=True)
    small = [one for one in longest if one.budget == SMALL_SECONDS]
    for one in [*(one for one in longest if one.budget == BUDGET_SECONDS)][:most] + small:
        said = "yes" if one.cut else "no"
        lines.append(f"| {one.scenario} | {one.network} | {one.budget} | {number(one.seconds)} | {said} |")
    return "\n".join(lines)
