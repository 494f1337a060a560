"""What was rewritten of our packets on the way, as routers' quotes show it."""

from typing import Literal

from netdiag.facts.base import Value, Witness

Part = Literal[
    "source_address", "source_port", "destination_address", "destination_port", "tos", "mss", "checksum"
]  # fmt: skip


class Rewrite(Value, frozen=True, kw_only=True):
    """One part of the packets to ``address`` that looked otherwise from some router on.

    It was changed after the router at ``last_kept`` had looked whether the TTL expires (0: this machine, where nothing
    nearer was seen to keep it), and before the one at ``first_changed`` did: by one of the two, or by something between
    them. ``sent`` and ``seen``: before and after, None where that is not known. A router behind a NAT may quote the
    packet as it was before the NAT, so that no rewrite proves that there is none.
    """

    part: Part
    address: str
    protocol: Literal["tcp", "udp", "icmp"]
    mode: Literal["unprivileged", "raw"]
    sent: str | None = None
    seen: str | None = None
    last_kept: int
    last_kept_by: str | None = None
    first_changed: int
    first_changed_by: str
    witnesses: tuple[Witness, ...] = ()
