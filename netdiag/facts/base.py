"""What a fact is: a value, on what basis it is known, and who saw it."""

import enum
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

Witness = str
"""An observation with the bundle that holds it: ``main:o12``, ``control1:o7``."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of structured values inside facts."""


class Basis(enum.Enum):
    """On what basis a fact is known. Unknown is a value: only ``SEEN`` facts have one."""

    NOT_LOOKED = "not_looked"
    """No observation bears on it: the probe was not run, was declined, or could not see it."""
    DISCARDED = "discarded"
    """Something was seen, but an earlier layer makes it meaningless (TLS on an address that is not the vendor's)."""
    SEEN = "seen"


class Fact(Value, Generic[T], frozen=True, kw_only=True):
    """``value`` None is "unknown", never "no". ``agree`` of ``looked_at`` observations support the value."""

    value: T | None = None
    basis: Basis = Basis.NOT_LOOKED
    witnesses: tuple[Witness, ...] = ()
    agree: int = 0
    looked_at: int = 0

    @property
    def known(self) -> bool:
        return self.basis is Basis.SEEN

    def __bool__(self) -> bool:
        raise TypeError("a fact is not a truth: compare .value with True, False or None")


def seen(
    value: T, witnesses: tuple[Witness, ...], *, agree: int | None = None, looked_at: int | None = None
) -> Fact[T]:
    """A fact that observations support. ``agree`` and ``looked_at`` default to the number of witnesses."""
    count = len(witnesses)
    return Fact(
        value=value,
        basis=Basis.SEEN,
        witnesses=witnesses,
        agree=count if agree is None else agree,
        looked_at=count if looked_at is None else looked_at,
    )


class Share(Value, frozen=True, kw_only=True):
    """``lost`` of ``sent``, and the 95 % Wilson interval of the true loss share (0 to 1)."""

    sent: int
    lost: int
    low: float
    high: float
