"""How a bundle can be refused. Every message is one line for a person, safe to print."""

from netdiag.evidence.display import sanitize_text

MAX_MESSAGE = 300
"""Characters of a message: parts of it may come from the file that is refused."""


class BundleError(Exception):
    """The bundle is refused, and nothing of it may be used. ``str(error)`` is one line without control characters."""

    def __init__(self, message: str) -> None:
        line = sanitize_text(message)
        super().__init__(line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…")


class BundleMalformed(BundleError):  # noqa: N818 - the names of design.md
    """It is not a bundle that this analyzer can read: damaged, unsigned, or newer. Exit code 3."""


class SignatureRejected(BundleError):  # noqa: N818 - the names of design.md
    """It is a bundle, but its signature, a hash, or the trust asked for does not hold. Exit code 4."""
