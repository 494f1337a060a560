"""What a fault is, and what it may say of the facts."""

import enum
from collections.abc import Callable
from typing import Literal

import msgspec

from netdiag.facts import Facts
from netdiag.facts.base import Witness

CONTROL_RUN = (
    "A run of `netdiag collect` for the same URL from another line (the agent's), within 30 minutes, given to "
    "`netdiag analyze` with --control."
)
"""The measurement that decides most often; faults name it in ``settle_next`` by this very sentence."""


class Side(enum.Enum):
    """Whose fault it is (design.md, Sides)."""

    LOCAL = "local"
    TRANSIT = "transit"
    HOST = "host"


class Lean(enum.Enum):
    """What the facts say of one fault. The order is the order of strength."""

    SETTLES = "settles"
    """A distinctive artefact that only this fault leaves: enough alone."""
    SUPPORTS = "supports"
    """It explains what was seen; something else might, too."""
    SILENT = "silent"
    """The facts it needs are known and bear on it neither way: it stays possible, and is no suspect."""
    OPPOSES = "opposes"
    """The facts exclude it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one fault found. ``because`` is one sentence that a support agent can read out; it names what was seen and
    where, in plain words. ``facts`` are the dotted names of the facts relied on. ``at_most_likely``: the evidence
    cannot carry more than the word ``likely``, whatever the rivals (design.md, Judging). ``at_most_possible``: it is a
    suspect, yet something that no entry of the catalogue rules out leaves the same traces; it never becomes ``likely``.
    ``explains`` False: the fault is real, but it is not why the target fails (a stray finding: it never leads a
    verdict). ``of``: what it explains; why a URL that works is slow is judged only where nothing explains a failure.
    ``settle_next``: the one measurement that would decide, when this finding is not settled."""

    lean: Lean
    because: str
    facts: tuple[str, ...]
    witnesses: tuple[Witness, ...] = ()
    at_most_likely: bool = False
    at_most_possible: bool = False
    explains: bool = True
    of: Literal["failure", "slowness"] = "failure"
    settle_next: str | None = None
    search_keys: tuple[tuple[str, str], ...] = ()


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which things break. The file's docstring has five headings: What is broken / How it shows / What
    looks like it / What would settle it / What to tell the customer.

    ``code`` is permanent and append-only: ``side.group.name``. ``needs``: facts that must be known before it may
    speak (else it is ``not_assessed``). ``masked_by``: faults which, when settled or likely, explain this one away.
    ``rivals``: faults that leave the same traces; supporting evidence alone becomes ``likely`` only when every rival of
    another side is opposed or masked. Being a rival is mutual: one of the two need name the other. ``reply``: what to
    tell the customer, for this fault, in two to four sentences.
    """

    code: str
    title: str
    needs: tuple[str, ...]
    assess: Callable[[Facts], Finding]
    reply: str
    masked_by: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()

    @property
    def side(self) -> Side:
        return Side(self.code.split(".", 1)[0])


def silent(because: str, *facts: str) -> Finding:
    """The facts bear on the fault neither way."""
    return Finding(lean=Lean.SILENT, because=because, facts=facts)


def opposes(because: str, *facts: str, witnesses: tuple[Witness, ...] = ()) -> Finding:
    """The facts exclude the fault."""
    return Finding(lean=Lean.OPPOSES, because=because, facts=facts, witnesses=witnesses)
