"""The live display shows what is done and found, and reads nothing as mark-up."""

import io

import msgspec
import pytest
from rich.console import Console

from netdiag.cli.progress import Plain
from netdiag.cli.screen import Screen
from netdiag.evidence.record import NotRun, ObsId
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


def test_the_screen_shows_texts_as_they_are() -> None:
    bundle = sample_bundle()
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=80, markup=False, emoji=False, highlight=False)
    with Screen(60, console) as screen:
        step = bundle.plan[0]
        screen.started(step)
        for number, trick in enumerate(("[red]x[/red]", ":skull:", "\x1b]0;t\x07", "\u202e")):
            record = NotRun(id=ObsId(f"o{number}"), step=step.id, began_ns=0, ended_ns=1, why="declined", what=trick)
            screen.observed(step, record)
        screen.finished(msgspec.structs.replace(step))
    shown = written.getvalue()
    assert "[red]x[/red]" in shown
    assert ":skull:" in shown
    assert "\x1b]0" not in shown
    assert "\u202e" not in shown
    assert "s left" in shown
