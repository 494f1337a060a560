"""Which TTLs several flows should ask, after what one walk has shown of the path."""

from collections.abc import Mapping, Sequence

from netdiag.evidence.transport import HopReply
from netdiag.probes.walk_plan import goes_round, is_end, is_router

WIDTH = 3
"""TTLs on each side of the break: enough for one silent router on each, and for 8 flows at 3 to a router at once."""

FIRST_TTL = 2
"""The first hop is the own gateway: no equal paths lead there."""


def stretch_beyond(replies: Sequence[HopReply]) -> Mapping[str, str]:
    """The stretch around the break, as ``params`` of a ``flows`` step: over TCP the farthest routers that anything
    proved (no SYN can get to the host from there); over UDP what lies beyond them, or the host itself once its distance
    is known. Empty when no router beyond the first hop is known, or packets go in circles."""
    proven = max((one.ttl for one in replies if is_router(one)), default=0)
    if proven < FIRST_TTL or any(goes_round([one for one in replies if one.protocol == by]) for by in ("tcp", "udp")):
        return {}
    host = min((one.ttl for one in replies if is_end(one) and one.replier == one.address), default=None)
    beyond = range(proven + 1, proven + 1 + WIDTH) if host is None else range(host, host + 1)
    below = range(max(FIRST_TTL, proven - WIDTH + 1), proven + 1)
    # At one TTL alone, a router that is silent by choice could not be told from a dead one.
    return {"udp": _listed(beyond)} | ({"tcp": _listed(below)} if len(below) > 1 else {})


def _listed(ttls: Sequence[int]) -> str:
    return ",".join(map(str, ttls))
