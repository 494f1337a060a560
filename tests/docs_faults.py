"""``python -m tests.docs_faults``: writes docs/faults/, a page for each fault of the catalogue, from the docstring."""

import inspect
import sys
from collections.abc import Iterator

from netdiag.faults import CATALOGUE, CATALOGUE_VERSION
from netdiag.faults.base import Fault, Side
from netdiag.reports.catalogue import page as page_text
from netdiag.reports.catalogue import rivals
from tests.netns.lab import ROOT

FOLDER = ROOT / "docs" / "faults"
MADE = "<!-- Made by `make docs` from the fault's own file: change it there. -->"
_SIDES = {
    Side.LOCAL: "local: the customer's own machine or network",
    Side.TRANSIT: "transit: the networks between, the customer's provider included",
    Side.HOST: "host: the vendor's side",
}


def pages() -> dict[str, str]:
    """Every file of docs/faults/ by its name."""
    made = {f"{fault.code}.md": page(fault) for fault in CATALOGUE}
    return {"README.md": index(), **made}


def index() -> str:
    """The list of all faults, by side."""
    lines = [
        "<!-- Made by `make docs` from the catalogue: change it there. -->",
        "# Faults that netdiag knows",
        "",
        f"Catalogue version {CATALOGUE_VERSION}: {len(CATALOGUE)} faults. `netdiag faults` prints the same list,",
        "`netdiag faults CODE` one page. Codes are permanent: programs and tickets may rely on them. What",
        "the signs look like on the wire stands in [fault-signatures.md](../fault-signatures.md).",
    ]
    for side, title in _SIDES.items():
        lines += ["", f"## {title}", "", "| code | what it is |", "|---|---|"]
        lines += [f"| {_link(fault.code)} | {fault.title} |" for fault in CATALOGUE if fault.side is side]
    return "\n".join(lines) + "\n"


def page(fault: Fault) -> str:
    """The page of one fault."""
    rows = [
        ("code", f"`{fault.code}`"),
        ("side", _SIDES[fault.side]),
        ("needs", ", ".join(f"`{name}`" for name in fault.needs) or "nothing"),
        ("looks like", ", ".join(map(_link, rivals(fault, CATALOGUE))) or "no other entry"),
        ("explained by", ", ".join(map(_link, fault.masked_by)) or "no other entry"),
        ("file", f"[{_path(fault)}](../../{_path(fault)})"),
    ]
    lines = [MADE, f"# {fault.title}", "", "| | |", "|---|---|", *(f"| {name} | {words} |" for name, words in rows), ""]
    lines += _body(page_text(fault))
    lines += ["", "## The reply", "", *(f"> {line}" for line in fault.reply.splitlines())]
    return "\n".join(lines) + "\n"


def _body(text: str) -> Iterator[str]:
    """The docstring: its headings stand at the margin, what belongs to them is indented."""
    summary, _, rest = text.partition("\n\n")
    yield from summary.splitlines()
    for line in ("", *rest.splitlines()):
        if line and not line.startswith(" "):
            yield f"## {line}"
            yield ""
        else:
            yield line.strip()


def _link(code: str) -> str:
    return f"[{code}]({code}.md)"


def _path(fault: Fault) -> str:
    module = inspect.getmodule(inspect.unwrap(getattr(fault.assess, "func", fault.assess)))
    assert module is not None
    return f"{module.__name__.replace('.', '/')}.py"


def main() -> int:
    """Write what has changed; pages of faults that are no more go."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)
    print(f"{len(made)} pages in {FOLDER.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
