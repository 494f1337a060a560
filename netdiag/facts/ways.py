"""Facts of second ways out of the customer's network: the same target at the same minutes, from elsewhere."""

from typing import Literal

from netdiag.facts.base import Fact, Value, Witness

WayKind = Literal["interface", "source", "proxy", "family"]


class Trial(Value, frozen=True, kw_only=True):
    """The target once by one way. ``address`` None: the proxy chose it. ``works`` None: it says nothing, since the
    proxy did not let the question through, or this machine did not send it.

    ``failed_at``: ``connect``, ``tls``, ``http``, or ``proxy`` (it let the question through and could not reach the
    target). ``fails_here``: the very address fails by the machine's own way. ``alike``: and at the same layer.
    ``outlasted``: it was tried by the own way again after this, and failed again: so it had not recovered meanwhile.
    ``recovered``: it was, and worked.

    ``other_way``: False where this left by the interface, or from the address, by which the machine goes to the target
    anyway: then it is one more attempt, and what it shows is no difference between ways. ``other_address``: the vendor
    sees another address than by the own way; False: the same; None: unknown, which is usual, since two addresses of one
    network often share one public address.
    """

    address: str | None
    works: bool | None
    failed_at: Literal["connect", "tls", "http", "proxy"] | None = None
    status: int | None = None
    fails_here: bool | None = None
    alike: bool | None = None
    outlasted: bool | None = None
    recovered: bool = False
    other_way: bool | None = None
    other_address: bool | None = None
    witnesses: tuple[Witness, ...] = ()


class WayState(Value, frozen=True, kw_only=True):
    """One second way. ``name``: the interface, the local address, or the proxy's ``host:port``. ``control_works``: a
    host that works by the own way works by this one, too; where it does not, failures by this way say nothing.

    ``other_address``: that of its trials, where all agree.
    """

    kind: WayKind
    name: str
    trials: tuple[Trial, ...] = ()
    control_works: bool | None = None
    other_address: bool | None = None
    witnesses: tuple[Witness, ...] = ()


class WayFacts(Value, frozen=True, kw_only=True):
    """Summed up over all ways."""

    states: Fact[tuple[WayState, ...]] = Fact()
    works_there: Fact[tuple[str, ...]] = Fact()
    """Addresses that fail here and worked by a second way at the same minutes, over HTTP; and did not recover here."""
    outlasted: Fact[tuple[str, ...]] = Fact()
    """Those of them that failed here once more afterwards."""
    seen_elsewhere: Fact[tuple[str, ...]] = Fact()
    """Those of ``outlasted`` that worked from an address that the vendor is known to see as another. Of the rest it may
    see one and the same address both times: then the ways differ in nothing that a block could tell apart."""
    fails_there: Fact[tuple[str, ...]] = Fact()
    """Addresses that fail here and fail at the same layer by a way from which the vendor sees another address, while a
    control works by it."""
    other_family_works: Fact[bool] = Fact()
    """Every address of one family fails here, and the service works over the other one: another address of the
    customer, but of the vendor, too."""
