"""collect cut short: by people, by its own budget, by the disk. What there is gets sealed; no broken file ever."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netdiag.evidence.record import NotRun
from tests.netns.collecting import NETDIAG, NOBODY_ANSWERS, begun, bundle_in, collect_command, crashes
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

AT_ONCE_S = 4.0
"""An interrupted run has 0.5 s for its steps; sealing and a busy machine take the rest."""

# Runs netdiag, and dies in the named call of the module os: a power cut, as far as the file system can tell.
DIES_IN = """
import os, signal, sys
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv.pop(1), die)
from netdiag.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def quiet() -> Iterator[Lab]:
    """A line on which nothing ends by itself, so that there is time to interrupt."""
    with Lab("silence", NOBODY_ANSWERS) as lab:
        yield lab


@pytest.fixture(scope="module")
def healthy() -> Iterator[Lab]:
    """A line on which a run takes a second."""
    with Lab.load("healthy") as lab:
        yield lab


@pytest.mark.parametrize(
    ("signals", "status"),
    [
        ((signal.SIGINT,), 130),
        ((signal.SIGTERM,), 143),
        ((signal.SIGINT, signal.SIGINT), 130),
        ((signal.SIGINT, signal.SIGINT, signal.SIGINT, signal.SIGTERM), 143),
    ],
    ids=lambda value: "-".join(one.name for one in value) if isinstance(value, tuple) else str(value),
)
def test_a_signal_seals_what_there_is(quiet: Lab, signals: tuple[signal.Signals, ...], status: int) -> None:
    output = quiet.home / f"interrupted-{time.monotonic_ns()}.zip"
    process = begun(quiet, output)
    sent = time.monotonic()
    for number in signals:
        quiet.signal_inside(process, number)
        time.sleep(0.01)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < AT_ONCE_S
    assert process.returncode == status, err
    assert str(output) in out
    bundle = bundle_in(output)
    assert bundle.interrupted == "signal"
    assert bundle.observations
    assert any(isinstance(one, NotRun) and one.why == "out_of_time" for one in bundle.observations)
    assert not crashes(bundle)


def test_the_budget_ends_the_run_and_what_there_is_is_sealed(quiet: Lab) -> None:
    began = time.monotonic()
    bundle = bundle_in(quiet.collect("customer", ["--budget", "5"]))
    assert time.monotonic() - began < 5 + AT_ONCE_S
    assert bundle.interrupted == "budget"
    assert bundle.duration_ns < 6_000_000_000
    assert any(isinstance(one, NotRun) and one.why == "out_of_time" for one in bundle.observations)


def _failed_cleanly(done: subprocess.CompletedProcess[str], said: str) -> None:
    """Exit 1, one plain line, no traceback, no path of a bundle that is not there."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert said in done.stderr.lower().splitlines()[-1]
    assert not done.stdout


def test_a_file_size_limit_leaves_no_file(healthy: Lab) -> None:
    folder = healthy.home / "limited"
    folder.mkdir()
    limited = ["prlimit", "--fsize=1000", *collect_command(healthy, folder / "bundle.zip")]
    _failed_cleanly(healthy.run("customer", limited), "no bundle was written")
    assert not list(folder.iterdir())


def test_a_full_disk_leaves_no_file(healthy: Lab) -> None:
    folder = healthy.home / "full"
    folder.mkdir()
    # The mount is the customer's alone: from outside the folder stays as it was.
    mounted = ["mount", "-t", "tmpfs", "-o", "size=8k,mode=0777", "tmpfs", str(folder)]
    made = healthy.run("customer", mounted, ordinary=False)
    assert made.returncode == 0, made.stderr
    _failed_cleanly(healthy.run("customer", collect_command(healthy, folder / "bundle.zip")), "no bundle was written")
    assert not healthy.run("customer", ["ls", "-A", str(folder)]).stdout


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_is_sent(healthy: Lab) -> None:
    folder = healthy.home / "closed"
    folder.mkdir(mode=0o555)
    began = time.monotonic()
    done = healthy.run("customer", collect_command(healthy, folder / "bundle.zip"))
    _failed_cleanly(done, "cannot be written to")
    assert "netdiag will contact" not in done.stderr
    assert time.monotonic() - began < AT_ONCE_S


def test_a_home_that_cannot_be_written_to_gives_a_key_for_one_run(healthy: Lab) -> None:
    home = healthy.home / "closed-home"
    home.mkdir(mode=0o555)
    output = healthy.home / "one-run-key.zip"
    env = {"HOME": str(home), "XDG_DATA_HOME": ""}
    done = healthy.run("customer", collect_command(healthy, output), env=env)
    assert done.returncode == 0, done.stderr
    assert "this run alone" in done.stderr
    assert bundle_in(output).interrupted is None
    assert not list(home.iterdir())


def test_an_existing_file_is_never_overwritten(healthy: Lab) -> None:
    output = healthy.home / "mine.zip"
    output.write_text("mine")
    _failed_cleanly(healthy.run("customer", collect_command(healthy, output)), "exists already")
    assert output.read_text() == "mine"


def test_a_file_that_appears_while_measuring_is_not_overwritten_either(quiet: Lab) -> None:
    output = quiet.home / "late.zip"
    process = begun(quiet, output)
    output.write_text("mine")
    quiet.signal_inside(process, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in {1, 130}, err
    assert "exists already" in err
    assert str(output) not in out
    assert output.read_text() == "mine"


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_killed_while_writing_there_is_no_broken_file(healthy: Lab, call: str) -> None:
    folder = healthy.home / f"killed-{call}"
    folder.mkdir()
    key = healthy.home / "customer" / ".local/share/netdiag/signing_key"
    if not key.exists():  # made by the first run: it is the bundle that shall be cut short
        assert healthy.run("customer", collect_command(healthy, healthy.home / "first.zip")).returncode == 0
    argv = collect_command(healthy, folder / "bundle.zip")[len(NETDIAG) :]
    done = healthy.run("customer", [sys.executable, "-c", DIES_IN, call, *argv])
    assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}, done.stderr
    assert not (folder / "bundle.zip").exists()
    # At most a nameless piece that only its owner can read, and that no command takes for a bundle.
    for piece in folder.iterdir():
        assert piece.name.startswith(".netdiag-")
        assert piece.name.endswith(".part")
        assert piece.stat().st_mode & 0o077 == 0
    assert not list(Path(folder).glob("*.zip"))
