"""Printing: results to stdout, everything else to stderr, colours only where a terminal shows them."""

import os
import sys
from pathlib import Path
from typing import TextIO

from netdiag.cli.problem import ExitCode, Problem
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.files import WriteError, write_new


def say(text: str) -> None:
    """One line to the person at the terminal, on stderr."""
    sys.stderr.write(sanitize_text(text) + "\n")


def complain(message: str) -> None:
    """The one line of an error."""
    say(f"netdiag: {message}")


def put(text: str) -> None:
    """The result of a command, on stdout. ``text`` is safe to show already."""
    sys.stdout.write(text)


def put_or_write(text: str, output: Path | None) -> None:
    """``text`` to stdout, or to the new file ``output``: nothing is overwritten."""
    if output is None:
        put(text)
        return
    try:
        write_new(output, text.encode())
    except WriteError as error:
        raise Problem(str(error), ExitCode.FAILED) from None
    say(f"written to {output}")


def has_colour(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that wants colours (no-color.org; TERM=dumb has none)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
