"""Where a connection is accepted and then fails: data inside it with a limited TTL, and a neutral name beside."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import Failure, FailureCode, ObsId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import HopReply, InFlow
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import SMALL_SEGMENTS, Inputs, Seen, is_plain, make_step, stays_here

MAX_ADDRESSES = 2
"""Addresses that are looked into: two connections each."""

NEUTRAL_NAME = "www.example.com"
"""Nobody's service, and known to every filter as harmless: IANA keeps it for examples (RFC 2606 section 3)."""

_ENDED = {FailureCode.RESET, FailureCode.CLOSED}
_CUT_SHORT = {*_ENDED, FailureCode.TIMED_OUT}
_ANSWERS = {"reset", "closed", "data"}
_AFTER_CONNECTING = {"handshake", "send", "receive"}


def look_inside_the_flow(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """The first two addresses that accept a connection and reset it, close it or fall silent before they answered, once
    the walk there, if there is one, has ended. One that is silent is asked with small segments first: where those are
    answered, nobody minds the name."""
    if stays_here(inputs.target):
        return
    for address, (cause, failure) in list(_cut_short(inputs, seen).items())[:MAX_ADDRESSES]:
        walks = [step for step in seen.steps("walk", "target") if step.address == address]
        small = [step for step in seen.steps("reach", "target", use=SMALL_SEGMENTS) if step.address == address]
        small += [step for step in seen.steps("http", "target", use=SMALL_SEGMENTS) if step.address == address]
        if walks and not seen.ended(walks):
            continue
        if failure.code not in _ENDED and (not seen.ended(small) or _answered(small, seen)):
            continue
        yield make_step(
            "in_flow",
            "target",
            subject=inputs.target.host,
            address=address,
            port=inputs.target.port,
            caused_by=cause,
            params=_params(inputs, _distance(address, seen)),
        )


def looked_inside(address: str | None, seen: Seen) -> bool:
    """The vendor's name was sent to this address once more, and what came of it at full TTL, or before, is known."""
    return any(
        one.address == address
        and not one.neutral
        and (one.answer in _ANSWERS or (one.ttl, one.min_ttl) == (None, None))
        for _, one in seen.of(InFlow, "target")
    )


def _cut_short(inputs: Inputs, seen: Seen) -> dict[str, tuple[ObsId, Failure]]:
    """Addresses that accepted a connection and then did not answer, each with the record that says so."""
    found: dict[str, tuple[ObsId, Failure]] = {}
    if inputs.target.scheme == "https":
        for step, handshake in seen.of(Handshake, "target"):
            if not handshake.server_hello and not handshake.first_bytes:
                _keep(found, inputs, step, handshake.id, handshake.failure)
    else:
        for step, exchange in seen.of(Exchange, "target"):
            if exchange.status is None:
                _keep(found, inputs, step, exchange.id, exchange.failure)
    return found


def _keep(
    found: dict[str, tuple[ObsId, Failure]], inputs: Inputs, step: Step, id_: ObsId, failure: Failure | None
) -> None:
    direct = step.proxy is None and step.round == 1 and is_plain(step) and step.port == inputs.target.port
    if not direct or step.address is None or failure is None:
        return
    if failure.op in _AFTER_CONNECTING and failure.code in _CUT_SHORT:
        found.setdefault(step.address, (id_, failure))


def _answered(steps: list[Step], seen: Seen) -> bool:
    ids = {step.id for step in steps}
    shown = any(by.id in ids and one.server_hello for by, one in seen.of(Handshake))
    return shown or any(by.id in ids and one.status is not None for by, one in seen.of(Exchange))


def _distance(address: str, seen: Seen) -> int | None:
    """The smallest TTL with which a SYN was accepted."""
    ttls = [
        one.ttl
        for step, one in seen.of(HopReply, "target")
        if step.probe == "walk" and one.address == address and one.protocol == "tcp" and one.answer == "syn_ack"
    ]
    return min(ttls, default=None)


def _params(inputs: Inputs, distance: int | None) -> dict[str, str]:
    params = {"neutral": NEUTRAL_NAME}
    if inputs.target.scheme == "https":
        params["payload"] = "client_hello"
    else:
        params |= {"payload": "request", "path": inputs.target.path}
    if distance is not None:
        params["distance"] = str(distance)
    if inputs.options.deep:
        params["deep"] = "yes"
    return params
