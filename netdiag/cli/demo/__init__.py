"""``netdiag demo``: the whole job on this machine alone, without root, and without a packet that leaves the machine.

A real collect from the customer's address, the agent's own from another one, real bundles, the real analysis.
"""

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from netdiag.cli.analysis import judge, open_source
from netdiag.cli.analyze import render
from netdiag.cli.collect import seal_and_write
from netdiag.cli.demo.stage import AGENT, CUSTOMER, Stage, set_up
from netdiag.cli.demo.stories import STORIES, Story
from netdiag.cli.output import put, say
from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.cli.progress import progress
from netdiag.cli.url import parse_url
from netdiag.evidence.bundle import Options
from netdiag.evidence.keys import SigningKey, signing_key
from netdiag.evidence.source import read_source
from netdiag.evidence.trust import TrustPolicy
from netdiag.probes.collect import CollectRequest, collect
from netdiag.reports.collected import Sealed, collected_text
from netdiag.reports.words import WIDTH, fill

BUDGET_S = 30


def main(name: str | None, *, list_only: bool) -> int:
    """Play the story of this name (the first, when None), or list them. Raises Problem."""
    if list_only:
        put("".join(f"{story.name:<22}{story.title}\n" for story in STORIES))
        return ExitCode.DONE
    story = next((story for story in STORIES if name in (None, story.name)), None)
    if story is None:
        raise usage(f"there is no demo {json.dumps(name)}; there are: {', '.join(one.name for one in STORIES)}")
    folder = Path(tempfile.mkdtemp(prefix="netdiag-demo-"))
    try:
        with set_up(story, folder) as stage:
            play(story, stage, folder)
    except OSError as error:
        raise Problem(f"the demo needs all of 127.0.0.0/8 on loopback: {error.strerror}", ExitCode.FAILED) from None
    return ExitCode.DONE


def play(story: Story, stage: Stage, folder: Path) -> None:
    """Both sides of one ticket, each with its own screen."""
    key = signing_key({**os.environ, "XDG_DATA_HOME": str(folder / "customer-key")})
    agents_key = signing_key({**os.environ, "XDG_DATA_HOME": str(folder / "agent-key")})
    _heading(story.title)
    put("\n".join(fill(story.before)) + "\n")
    _heading(f"The customer's screen: netdiag collect {stage.url}")
    mine = run(stage, CUSTOMER, folder / "customer.zip", key)
    put(collected_text(mine))
    _heading("Meanwhile, on the agent's line: the control run")
    control = run(stage, AGENT, folder / "agent.zip", agents_key)
    _heading("The agent's screen: netdiag analyze customer.zip --control agent.zip")
    now = datetime.now(UTC)
    sources = [
        open_source(name, read_source(Path(one.path)), TrustPolicy(), now=now)
        for name, one in (("main", mine), ("control1", control))
    ]
    put(render(judge(sources, stage.profile), "text"))
    put("\n".join(fill(f"Both bundles and the vendor's profile are in {folder}: try netdiag show and netdiag verify.")))
    put("\n")


def run(stage: Stage, source: str, path: Path, key: SigningKey) -> Sealed:
    """One collect from the local address ``source``, sealed to ``path``."""
    typed = parse_url(stage.url)
    request = CollectRequest(
        typed=typed.typed,
        target=typed.target,
        options=Options(budget_s=BUDGET_S),
        profile=stage.profile,
        source=source,
    )
    with progress(BUDGET_S) as watcher:
        collected = collect(request, watcher)
    return seal_and_write(collected.bundle, key, path)


def _heading(words: str) -> None:
    say("")
    put(f"\n{words}\n{'=' * min(len(words), WIDTH)}\n\n")
