"""Pages of the fault catalogue, from the docstring of each fault's own file."""

import inspect
import textwrap
from collections.abc import Iterator, Sequence

from netdiag.faults.base import Fault
from netdiag.reports.encoding import dump
from netdiag.reports.words import WIDTH, two_columns


def listing_text(faults: Sequence[Fault]) -> str:
    """All ``faults`` by side, one line or two each."""
    lines: list[str] = []
    for side in dict.fromkeys(fault.side for fault in faults):
        lines += [*([""] if lines else []), side.value]
        lines += two_columns([(fault.code, fault.title) for fault in faults if fault.side is side], most=34)
    return "\n".join(lines) + "\n"


def rivals(fault: Fault, catalogue: Sequence[Fault]) -> tuple[str, ...]:
    """Those that it names, and those that name it: being a rival is mutual."""
    return tuple(one.code for one in catalogue if one.code in fault.rivals or fault.code in one.rivals)


def page_text(fault: Fault, catalogue: Sequence[Fault]) -> str:
    """The page of one fault, 80 columns where its author kept to them."""
    rows = [("needs", ", ".join(fault.needs) or "nothing")]
    if fault.masked_by:
        rows.append(("explained by", ", ".join(fault.masked_by)))
    if rivals(fault, catalogue):
        rows.append(("looks like", ", ".join(rivals(fault, catalogue))))
    lines = [f"{fault.code}: {fault.title}", "", page(fault), "", *two_columns(rows)]
    return "\n".join(lines) + "\n"


def page(fault: Fault) -> str:
    """The docstring of the file that defines ``fault``, its paragraphs filled to 80 columns."""
    module = inspect.getmodule(inspect.unwrap(getattr(fault.assess, "func", fault.assess)))
    written = inspect.cleandoc(module.__doc__ or "") if module is not None else ""
    return "\n".join(line for group in _groups(written.splitlines()) for line in _filled(group))


def catalogue_json(faults: Sequence[Fault], version: int) -> str:
    """Everything that the catalogue says of ``faults``."""
    return dump(
        {
            "catalogue_version": version,
            "faults": [
                {
                    "code": fault.code,
                    "side": fault.side.value,
                    "title": fault.title,
                    "needs": fault.needs,
                    "masked_by": fault.masked_by,
                    "rivals": fault.rivals,
                    "reply": fault.reply,
                    "page": page(fault),
                }
                for fault in faults
            ],
        }
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _groups(lines: Sequence[str]) -> Iterator[list[str]]:
    """Runs of lines that are one paragraph: as far indented as its first, and no item of a list."""
    group: list[str] = []
    for line in lines:
        if group and (not line.strip() or _indent(line) != _indent(group[0]) or line.lstrip().startswith(("- ", "* "))):
            yield group
            group = []
        group.append(line)
        if not line.strip():
            yield group
            group = []
    if group:
        yield group


def _filled(group: Sequence[str]) -> list[str]:
    indent = " " * _indent(group[0])
    words = " ".join(line.strip() for line in group)
    rest = indent + ("  " if words.startswith(("- ", "* ")) else "")
    return textwrap.wrap(words, width=WIDTH, initial_indent=indent, subsequent_indent=rest, break_on_hyphens=False) or [
        ""
    ]
