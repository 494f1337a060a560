"""The catalogue tests itself: what every fault must be, whatever it judges."""

import importlib
import inspect
import pkgutil
import re
import sys
import tomllib
import typing
from pathlib import Path

import msgspec
import pytest

from netdiag import faults
from netdiag.facts import Fact, Facts
from netdiag.faults import CATALOGUE, CATALOGUE_VERSION
from netdiag.faults.base import Fault, Lean, Side

ROOT = Path(__file__).resolve().parents[1]
HEADINGS = (
    "What is broken",
    "How it shows",
    "What looks like it",
    "What would settle it",
    "What to tell the customer",
)
BY_CODE = {fault.code: fault for fault in CATALOGUE}
each_fault = pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.code)


def fact_names(kind: typing.Any = Facts, prefix: str = "") -> set[str]:
    """Every dotted name that a fault may rely on: ``host``, ``names.needed``."""
    found: set[str] = set()
    for name, hint in typing.get_type_hints(kind).items():
        found.add(prefix + name)
        if not prefix and typing.get_origin(hint) is None and name not in plain_fields():
            found |= fact_names(hint, f"{name}.")
    return found


def plain_fields() -> set[str]:
    """The fields of Facts that are single values."""
    return {name for name, hint in typing.get_type_hints(Facts).items() if hint in (str, int, bool)}


FACT_NAMES = fact_names()


def module_of(fault: Fault) -> typing.Any:
    return sys.modules[fault.assess.__module__]


def headed(docstring: str) -> dict[str, str]:
    """The text under each line that is not indented and stands alone, in order."""
    parts = re.split(r"(?m)^(\S[^\n]*)\n(?=    )", docstring)
    return {head.strip(): body.strip() for head, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_the_version_is_a_number() -> None:
    assert CATALOGUE_VERSION >= 1


def test_codes_are_unique() -> None:
    assert len(BY_CODE) == len(CATALOGUE)


def test_every_fact_has_a_name() -> None:
    assert {"names.needed", "target.addresses", "machine.egress4", "agent.runs", "path.target6", "host"} <= FACT_NAMES


@each_fault
def test_the_code_is_side_group_name(fault: Fault) -> None:
    assert re.fullmatch(r"(local|transit|host)(\.[a-z][a-z0-9_]*){2}", fault.code)
    assert fault.side is Side(fault.code.split(".")[0])


@each_fault
def test_one_fault_one_file_named_by_its_code(fault: Fault) -> None:
    side, group, name = fault.code.split(".")
    assert fault.assess.__module__ == f"netdiag.faults.{side}.{group}_{name}"
    written = module_of(fault).FAULT
    assert inspect.unwrap(fault.assess) is inspect.unwrap(written.assess)
    assert msgspec.structs.replace(fault, assess=written.assess) == written
    assert len(Path(module_of(fault).__file__).read_text().splitlines()) <= 160


def test_every_file_of_a_fault_is_registered() -> None:
    found = {
        module.FAULT
        for info in pkgutil.walk_packages(faults.__path__, "netdiag.faults.")
        if isinstance(getattr(module := importlib.import_module(info.name), "FAULT", None), Fault)
    }
    assert {fault.code for fault in found} == set(BY_CODE)


@each_fault
def test_the_docstring_has_its_five_headings(fault: Fault) -> None:
    found = headed(module_of(fault).__doc__)
    assert tuple(found) == HEADINGS
    assert all(found.values())
    assert module_of(fault).__doc__.splitlines()[0].endswith(".")


@each_fault
def test_the_docstring_names_only_real_faults(fault: Fault) -> None:
    for code in re.findall(r"\b(?:local|transit|host)\.[a-z0-9_]+\.[a-z0-9_]+\b", module_of(fault).__doc__):
        assert code in BY_CODE


@each_fault
def test_needs_are_facts(fault: Fault) -> None:
    assert set(fault.needs) <= FACT_NAMES
    for need in fault.needs:
        section, _, name = need.partition(".")
        assert not name or isinstance(getattr(getattr(Facts(), section), name), Fact), f"{need} is always known"


@each_fault
def test_rivals_and_masks_are_other_faults(fault: Fault) -> None:
    assert set(fault.rivals) | set(fault.masked_by) <= set(BY_CODE) - {fault.code}
    assert not set(fault.rivals) & set(fault.masked_by)
    assert len(set(fault.rivals)) == len(fault.rivals)
    assert len(set(fault.masked_by)) == len(fault.masked_by)


def test_masks_have_no_cycle() -> None:
    done: set[str] = set()

    def visit(code: str, above: tuple[str, ...]) -> None:
        assert code not in above, " <- ".join((*above, code))
        if code not in done:
            for other in BY_CODE[code].masked_by:
                visit(other, (*above, code))
            done.add(code)

    for code in BY_CODE:
        visit(code, ())


@each_fault
def test_where_nothing_is_known_nothing_is_suspected(fault: Fault) -> None:
    """Also without its needs: no fault takes the unknown for a sign."""
    assert fault.assess(Facts()).lean in (Lean.SILENT, Lean.OPPOSES)


@each_fault
def test_findings_rely_on_facts_that_exist_and_say_one_sentence(fault: Fault) -> None:
    finding = fault.assess(Facts())
    assert set(finding.facts) <= FACT_NAMES
    assert finding.because.endswith(".")
    assert "\n" not in finding.because


@each_fault
def test_the_title_names_the_problem(fault: Fault) -> None:
    assert fault.title[0].isupper()
    assert not fault.title.endswith(".")


@each_fault
def test_the_reply_is_two_to_four_adult_sentences(fault: Fault) -> None:
    sentences = re.split(r"(?<=[.?!])\s+(?=[A-Z])", fault.reply)
    assert 2 <= len(sentences) <= 4, sentences
    assert "restart your router" not in fault.reply.lower()
    assert "!" not in fault.reply


@each_fault
def test_a_block_of_an_address_is_never_a_block_of_a_person(fault: Fault) -> None:
    """The address may be shared: an office, a provider's NAT."""
    if fault.code.startswith(("host.block.", "host.limit.")):
        assert not re.search(r"\byou (?:are|were|have been) (?:block|bann|limit)", fault.reply.lower())
        assert "block you" not in fault.reply.lower()


def test_every_fault_has_a_scenario() -> None:
    truths = set()
    for path in sorted((ROOT / "bundles").glob("*/scenario.toml")):
        truths.add(tomllib.loads(path.read_text())["truth"]["fault"])
    missing = sorted(set(BY_CODE) - truths)
    assert not missing, f"no scenario in bundles/ has truth.fault = {', '.join(missing)}"
