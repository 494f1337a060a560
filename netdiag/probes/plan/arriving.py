"""Where the service port is refused by a reset: with which TTL it arrives, beside an answer of another port."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.transport import Connect
from netdiag.probes.plan.seen import Inputs, Seen, make_step

MAX_ADDRESSES = 2
"""Addresses that are looked at: two ports, some nine connections each."""


def measure_arriving_ttls(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """With ``--deep``, once the other port has been asked and has answered, be it by a reset."""
    if not inputs.options.deep:
        return
    port = inputs.target.port
    asked = [(step, one) for step, one in seen.of(Connect, "target") if step.probe == "reach" and step.round == 1]
    reset = dict.fromkeys(one.address for _, one in asked if one.port == port and _is_reset(one))
    for address in list(reset)[:MAX_ADDRESSES]:
        others = [one for _, one in asked if one.address == address and one.port != port]
        for other in others[:1] if others and (others[0].failure is None or _is_reset(others[0])) else ():
            for one in (port, other.port):
                yield make_step("arriving", "target", subject=inputs.target.host, address=address, port=one)


def _is_reset(one: Connect) -> bool:
    failure = one.failure
    return failure is not None and failure.code is FailureCode.REFUSED and not isinstance(failure.native, Icmp)
