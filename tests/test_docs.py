"""The documentation says what is so: generated pages are fresh, commands, flags, make targets and links exist."""

import os
import re
import subprocess
import sys

import pytest

from tests import docs_faults
from tests.netns.lab import ROOT

README = (ROOT / "README.md").read_text()
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = ("collect", "analyze", "recheck", "limits", "trace", "verify", "show", "faults", "demo")


ACCURACY = ROOT / "docs" / "accuracy.md"
"""Made from the corpus: test_corpus asks for it, and that it is fresh."""


def test_the_pages_of_the_faults_are_fresh() -> None:
    """If not: `make docs`."""
    written = {path.name: path.read_text() for path in docs_faults.FOLDER.glob("*.md")}
    assert written == docs_faults.pages()


def help_of(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "netdiag", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
    )
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_and_flags_of_the_readme_exist(command: str) -> None:
    lines = [found for found in re.findall(r"netdiag (\w+)([^\n`|]*(?:\\\n[^\n]*)?)", README) if found[0] == command]
    assert lines, f"the README does not mention {command}"
    known = set(re.findall(r"--[a-z-]+", help_of(command)))
    named = {flag for _, rest in lines for flag in re.findall(r"--[a-z-]+", rest)}
    assert named <= known


def test_the_readme_names_no_command_that_is_not_there() -> None:
    shown = re.findall(
        r"^(?:\$ )?netdiag (\w+)(?= )", "\n".join(re.findall(r"```.*?```", README, re.DOTALL)), re.MULTILINE
    )
    assert set(shown) - {"verdict", "will"} == set(COMMANDS)


def test_what_is_not_yet_there_says_so() -> None:
    named = re.search(r"Not yet there: (.*)", README)
    assert named is not None
    flags = set(re.findall(r"--[a-z-]+", named[1]))
    told = set(re.findall(r"(--[a-z-]+)(?: [A-Z]+)?\s+Not\s+available\s+yet", help_of("collect")))
    assert flags == told


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "docs"} <= targets
    for page in PAGES:
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE))
        assert named <= targets, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: "os.PathLike[str]") -> None:
    path = ROOT / page
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text()):
        if "://" not in link:
            assert (path.parent / link).exists() or path.parent / link == ACCURACY, link


def test_exit_codes_are_those_of_the_readme() -> None:
    from netdiag.cli.problem import ExitCode  # noqa: PLC0415

    told = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE) for code in codes.split(",")}
    assert told == {int(code) for code in ExitCode}
