"""Facts of whose a router is, by its name."""

from netdiag.facts.base import Value, Witness


class HopName(Value, frozen=True, kw_only=True):
    """The reverse name of a router. ``confirmed``: the name resolves to the address in return (False: to others only or
    to none; None: nobody said)."""

    address: str
    name: str
    confirmed: bool | None = None
    witnesses: tuple[Witness, ...] = ()
