"""One download inside a strict budget, with how it went along."""

from netdiag.evidence.transport import Transfer
from netdiag.probes.base import Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.web import Identity


def transfer(
    clock: Clock,
    stamp: Stamp,
    request: Request,
    identity: Identity,
    *,
    limit_bytes: int,
    syn_retries: int = 1,
) -> Transfer:
    """``World.transfer``."""
    raise NotImplementedError
