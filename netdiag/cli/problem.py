"""How a command ends when it cannot do what it was asked for: one clear line, and an exit code of the contract."""

import enum


class ExitCode(enum.IntEnum):
    """The exit codes of all commands (design.md, The command line)."""

    DONE = 0
    FAILED = 1
    """Nothing could be written, or an expectation does not hold."""
    USAGE = 2
    UNREADABLE = 3
    """A bundle that is unreadable, unsigned or newer."""
    REJECTED = 4
    """A signature, a hash or the trust asked for does not hold."""
    INTERRUPTED = 130
    TERMINATED = 143


class Problem(Exception):  # noqa: N818 - not every problem is an error: a run can be interrupted
    """Ends the command with ``code`` after one line on stderr."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


def usage(message: str) -> Problem:
    """The command was called wrongly."""
    return Problem(message, ExitCode.USAGE)
