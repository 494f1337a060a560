"""What holds for every fault of the customer's side and of the path."""

import importlib
import inspect
import re

import msgspec
import pytest

from netdiag.facts import Facts, Proxy
from netdiag.faults.base import Fault, Lean
from netdiag.faults.local import FAULTS as LOCAL
from netdiag.faults.transit import FAULTS as TRANSIT
from tests.unit.faults.local.stage import (
    DEAD,
    HEADINGS,
    HEALTHY,
    controls,
    facts,
    failing,
    judged,
    known,
    machine,
    names,
    opened,
    target,
    word,
)

FAULTS = LOCAL + TRANSIT
CODE = re.compile(r"(local|transit)\.[a-z0-9]+\.[a-z0-9_]+")
each_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)


@each_fault
def test_the_docstring_has_the_five_headings_in_order(fault: Fault) -> None:
    doc = inspect.getdoc(importlib.import_module(fault.assess.__module__)) or ""
    found = [line for line in doc.splitlines() if line in HEADINGS]
    assert found == list(HEADINGS)
    assert doc.splitlines()[0].endswith(".")


@each_fault
def test_code_title_and_reply(fault: Fault) -> None:
    assert CODE.fullmatch(fault.code)
    assert not fault.title.endswith(".")
    sentences = re.findall(r"[.:;]?[^.]+\.(?:\s|$)", fault.reply)
    assert 2 <= len(sentences) <= 4, fault.reply
    assert "restart" not in fault.reply.lower()


@each_fault
def test_needs_and_links_name_real_things(fault: Fault) -> None:
    codes = {one.code for one in FAULTS}
    for need in fault.needs:
        section, _, field = need.partition(".")
        assert hasattr(getattr(Facts(), section), field), need
    for other in (*fault.masked_by, *fault.rivals):
        assert other != fault.code
        assert other in codes or other.startswith("host."), other


@each_fault
def test_knows_nothing_and_says_nothing(fault: Fault) -> None:
    assert judged(fault, Facts()).lean is Lean.SILENT


@each_fault
def test_values_that_are_known_to_be_none_accuse_nobody(fault: Fault) -> None:
    """A fact may be seen and have no value ("looked, and there is none")."""
    given = Facts()
    for section in ("machine", "names", "controls", "target", "path", "agent"):
        held = getattr(given, section)
        empty = {name: known(None) for name in held.__struct_fields__}
        given = msgspec.structs.replace(given, **{section: msgspec.structs.replace(held, **empty)})
    assert judged(fault, given).lean in {Lean.SILENT, Lean.OPPOSES}


@each_fault
def test_a_healthy_run_accuses_nobody(fault: Fault) -> None:
    given = facts(
        machine=machine(
            link_up=True,
            default_route4=True,
            default_route6=False,
            global_ipv6=False,
            gateway_answers=True,
            beyond_gateway_answers=True,
            target_leaves=True,
            clock_offset_s=0,
            hosts_override=(),
        ),
        names=names(needed=True, configured_resolve=True, system_resolves=True, configured_lies=()),
        controls=controls(**HEALTHY, portal=None, intercepting_issuer=None, tls_time_errors=False),
        target=target(opened(), works=True),
    )
    assert judged(fault, given).lean in {Lean.SILENT, Lean.OPPOSES}


@each_fault
def test_a_vendor_that_fails_alone_does_not_settle_on_the_customer_or_the_path(fault: Fault) -> None:
    """All is well here but the target, silent, with no walk and no TTL-1 test: nothing may be said of anybody."""
    given = facts(controls=controls(**HEALTHY), target=target(failing()), names=names(configured_resolve=True))
    assert word(judged(fault, given)) in {"silent", "opposes"}


@each_fault
def test_all_direct_controls_fail_beside_a_proxy_that_was_not_tried(fault: Fault) -> None:
    given = facts(
        machine=machine(proxy=Proxy(where="proxy.corp.example:3128"), gateway_answers=True, link_up=True),
        controls=controls(**DEAD),
        target=target(failing()),
    )
    assert word(judged(fault, given)) in {"silent", "opposes"}


def test_no_fault_masks_itself_in_a_circle() -> None:
    masks = {fault.code: set(fault.masked_by) for fault in FAULTS}

    def above(code: str, seen: frozenset[str]) -> set[str]:
        assert code not in seen, code
        found = {one for direct in masks.get(code, set()) for one in above(direct, seen | {code})}
        return found | masks.get(code, set())

    for code in masks:
        above(code, frozenset())


def test_codes_are_unique() -> None:
    assert len({fault.code for fault in FAULTS}) == len(FAULTS)
