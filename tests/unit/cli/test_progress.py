"""The live display shows what is done and found, and reads nothing as mark-up."""

import io

import msgspec
import pytest
from rich.console import Console

from netdiag.cli.progress import Plain
from netdiag.cli.screen import Screen
from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import NotRun, ObsId, StepId
from tests.fakes.bundles import sample_bundle


def test_plain_lines_are_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    bundle = sample_bundle()
    steps = {step.id: step for step in bundle.plan}
    plain = Plain()
    for _ in range(2):
        for one in bundle.observations:
            plain.started(steps[one.step])
            plain.observed(steps[one.step], one)
            plain.finished(steps[one.step])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len({line.partition(" s  ")[2] for line in lines})
    assert all(len(line) <= 80 for line in lines)


def test_name_servers_that_agree_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    bundle = sample_bundle()
    lookup = next(one for one in bundle.observations if isinstance(one, Lookup) and one.answers)
    step = next(step for step in bundle.plan if step.id == lookup.step)
    plain = Plain()
    for server in ("192.0.2.1", "192.0.2.2"):
        plain.observed(step, msgspec.structs.replace(lookup, server=server))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_under_way_is_told_by_whom_it_is_about() -> None:
    written = io.StringIO()
    screen = Screen(60, Console(file=written, width=80))
    for probe in ("reach", "walk"):
        screen.started(Step(id=StepId(probe), probe=probe, role="target"))
    screen.started(Step(id=StepId("dns"), probe="dns", role="resolver"))
    screen.finished(Step(id=StepId("walk"), probe="walk", role="target"))
    Console(file=written, width=80).print(screen)
    assert "target: connecting; name servers: asking" in written.getvalue()


def test_the_screen_shows_texts_as_they_are() -> None:
    bundle = sample_bundle()
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, markup=False, emoji=False, highlight=False)
    with Screen(60, console) as screen:
        step = bundle.plan[0]
        screen.started(step)
        for number, trick in enumerate(("[red]x[/red]", ":skull:", "\x1b]0;t\x07", "\u202e")):
            record = NotRun(id=ObsId(f"o{number}"), step=step.id, began_ns=0, ended_ns=1, why="crashed", what=trick)
            screen.observed(step, record)
        screen.finished(msgspec.structs.replace(step))
    shown = written.getvalue()
    assert "[red]x[/red]" in shown
    assert ":skull:" in shown
    assert "\x1b]0" not in shown
    assert "\u202e" not in shown
    assert "s left" in shown
