"""One sentence about what was seen, and what stands behind it."""

from typing import TypeVar

import msgspec

from netdiag.facts import Fact, Witness

T = TypeVar("T")


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, and the observations behind it."""

    says: str
    witnesses: tuple[Witness, ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one part of the way."""

    title: str
    sights: tuple[Sight, ...]


def sight(says: str, fact: Fact[T]) -> Sight:
    """``says``, which ``fact`` tells."""
    return Sight(says=says, witnesses=fact.witnesses)
