"""``python -m tests.corpus``: see the package's docstring."""

import argparse
import json
import sys

from tests.corpus import accuracy
from tests.corpus.case import Case, cases, golden
from tests.corpus.record import record
from tests.netns.lab import ROOT


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus")
    parser.add_argument("command", choices=["record", "golden", "table", "accuracy"])
    parser.add_argument("names", nargs="*", help="scenarios (default: all)")
    parser.add_argument("--network", choices=["home", "office"])
    parser.add_argument("--missing", action="store_true", help="record: only what has no recording yet")
    asked = parser.parse_args(argv)
    chosen = [
        case
        for case in cases()
        if (not asked.names or case.name in asked.names) and asked.network in (None, case.network)
    ]
    if asked.command == "record":
        wrong = record([case for case in chosen if not (asked.missing and case.recorded)])
        write_golden([case for case in chosen if case.recorded])
        print("\n".join(wrong))
        return 1 if wrong else 0
    recorded = [case for case in chosen if case.recorded]
    if asked.command == "golden":
        write_golden(recorded)
        return 0
    rows = accuracy.rows(recorded)
    if asked.command == "accuracy":
        (ROOT / "docs" / "accuracy.md").write_text(accuracy.page(rows))
    print(accuracy.table(rows))
    return 0 if all(row.allowed for row in rows) else 1


def write_golden(chosen: list[Case]) -> None:
    """What the recordings make today becomes what is expected; the diff is for a person to read."""
    for case in chosen:
        case.golden_file.write_text(json.dumps(golden(case), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
