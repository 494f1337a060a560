"""Pages of the fault catalogue, from the docstring of each fault's own file."""

import inspect
import textwrap
from collections.abc import Sequence

from netdiag.faults.base import Fault
from netdiag.reports.words import WIDTH, two_columns


def listing_text(faults: Sequence[Fault]) -> str:
    """All ``faults`` by side, one line or two each."""
    lines: list[str] = []
    for side in dict.fromkeys(fault.side for fault in faults):
        lines += [*([""] if lines else []), side.value]
        lines += two_columns([(fault.code, fault.title) for fault in faults if fault.side is side], most=34)
    return "\n".join(lines) + "\n"


def page_text(fault: Fault) -> str:
    """The page of one fault, 80 columns where its author kept to them."""
    rows = [("needs", ", ".join(fault.needs) or "nothing")]
    if fault.masked_by:
        rows.append(("masked by", ", ".join(fault.masked_by)))
    if fault.rivals:
        rows.append(("looks like", ", ".join(fault.rivals)))
    lines = [f"{fault.code}: {fault.title}", "", page(fault), "", *two_columns(rows)]
    return "\n".join(lines) + "\n"


def page(fault: Fault) -> str:
    """The docstring of the file that defines ``fault``, paragraphs rewrapped to 80 columns."""
    module = inspect.getmodule(inspect.unwrap(getattr(fault.assess, "func", fault.assess)))
    written = inspect.cleandoc(module.__doc__ or "") if module is not None else ""
    return "\n\n".join(_rewrapped(paragraph) for paragraph in written.split("\n\n"))


def _rewrapped(paragraph: str) -> str:
    """A list or a heading keeps its lines; prose is filled again when a line of it is too long."""
    lines = paragraph.splitlines()
    if all(len(line) <= WIDTH for line in lines) or any(line.startswith((" ", "-", "*")) for line in lines):
        return paragraph
    return textwrap.fill(" ".join(lines), width=WIDTH, break_on_hyphens=False)
