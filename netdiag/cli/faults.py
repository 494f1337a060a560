"""``netdiag faults``: the catalogue, and one page of it."""

import difflib
from typing import Literal

from netdiag.cli.output import put
from netdiag.cli.problem import usage
from netdiag.faults import CATALOGUE, CATALOGUE_VERSION
from netdiag.reports.catalogue import catalogue_json, listing_text, page_text


def faults(code: str | None, *, format: Literal["text", "json"]) -> None:  # noqa: A002 - the name of the flag
    """Print all faults, those of one group or side, or the page of one."""
    chosen = [fault for fault in CATALOGUE if code is None or fault.code == code or fault.code.startswith(f"{code}.")]
    if not chosen:
        near = difflib.get_close_matches(str(code), [fault.code for fault in CATALOGUE], n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else "; `netdiag faults` lists them"
        raise usage(f"there is no fault {str(code)[:80]!r}{hint}")
    if format == "json":
        put(catalogue_json(chosen, CATALOGUE_VERSION))
    elif len(chosen) == 1 and chosen[0].code == code:
        put(page_text(chosen[0], CATALOGUE))
    else:
        put(listing_text(chosen))
