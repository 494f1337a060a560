"""Where a connection is accepted and then fails: data inside it with a limited TTL, and a neutral name beside."""

from collections.abc import Iterator
from itertools import pairwise

from netdiag.evidence.addresses import classify
from netdiag.evidence.bundle import Step
from netdiag.evidence.record import Failure, FailureCode, ObsId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import HopReply, InFlow
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import SMALL_SEGMENTS, Inputs, Seen, is_plain, make_step, stays_here

MAX_ADDRESSES = 2
"""Addresses that are looked into: two connections each, or three."""

NEUTRAL_NAME = "www.example.com"
"""Nobody's service, and known to every filter as harmless: IANA keeps it for examples (RFC 2606 section 3)."""

MAX_TTLS = 5
"""Asked for on one connection: the kernel repeats what expired some six times at once, and then ever more slowly."""

_INNER = {"private", "shared", "link_local"}

_ARRIVED = {"data", "acked", "closed"}
"""What shows that a greeting, or a request, got there whole."""

_ENDED = {FailureCode.RESET, FailureCode.CLOSED}
_CUT_SHORT = {*_ENDED, FailureCode.TIMED_OUT}
_ANSWERS = {"reset", "closed", "data"}
_AFTER_CONNECTING = {"handshake", "send", "receive"}


def look_inside_the_flow(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """The first two addresses that accept a connection and reset it, close it or fall silent before they answered, once
    the walk there, if there is one, has ended.

    One that ends connections is sent both names. One that is silent is sent the neutral name first: only where that
    arrives, which is as large, is the silence about the name, and the vendor's followed, with the same TTLs. Where it
    does not, what is small is tried (sizes.py), and where that is as silent, only ``--deep`` has places enough to look
    on."""
    if stays_here(inputs.target):
        return
    for address, (cause, failure) in _chosen(inputs, seen).items():
        walks = [step for step in seen.steps("walk", "target") if step.address == address]
        if walks and not seen.ended(walks):
            continue
        if failure.code in _ENDED:
            kinds = [{"met": "end"}]
        else:
            kinds = [{"met": "silence", "send": "neutral"}]
            kinds += [{"met": "silence", "send": "vendor"}] if _is_about_the_name(inputs, address, seen) else []
        for kind in kinds:
            if any(step.address == address for step in seen.steps("in_flow", "target", **kind)):
                continue  # what else is learnt meanwhile would make it another step
            params = _named(inputs) | kind | _ttls(address, seen)
            if kind.get("send") == "vendor":
                params["heard"] = ",".join(map(str, _expired(address, seen)))
            yield _look(inputs, address, cause, params)


def may_be_for_size(inputs: Inputs, address: str, seen: Seen) -> bool:
    """What this address keeps silent to may be lost for its size: no other name as large is known to have arrived, or
    is going to be sent first."""
    _, failure = _chosen(inputs, seen).get(address, (None, None))
    if failure is None or failure.code in _ENDED:
        return True
    return seen.ended(_neutral_steps(address, seen)) and not _has_arrived(address, seen)


def walk_beside_a_reset(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Where the walk to the service port ends in a reset, or in an ICMP error in the name of the address: one over
    UDP, whose end tells where the host stands, and whose routers, which of them stands where the refusal comes from. It
    begins with the one before."""
    begun = {step.address for step in seen.steps("walk", "target", protocol="udp")}
    for step, one in seen.of(HopReply, "target"):
        in_its_name = one.answer == "icmp" and one.replier == one.address
        refused = (one.answer == "rst" or in_its_name) and one.ttl > 1 and step.address not in begun
        if step.probe == "walk" and one.protocol == "tcp" and refused:
            begun.add(step.address)
            params = {"protocol": "udp"} | ({"first": str(one.ttl - 1)} if one.ttl > 2 else {})
            yield make_step(
                "walk", "target", subject=step.subject, address=step.address, port=inputs.target.port, params=params
            )


def looked_inside(address: str | None, seen: Seen) -> bool:
    """The vendor's name was sent to this address once more, and what came of it at full TTL, or before, is known."""
    return any(
        one.address == address
        and not one.neutral
        and (one.answer in _ANSWERS or (one.ttl, one.min_ttl) == (None, None))
        for _, one in seen.of(InFlow, "target")
    )


def _chosen(inputs: Inputs, seen: Seen) -> dict[str, tuple[ObsId, Failure]]:
    return dict(list(_cut_short(inputs, seen).items())[:MAX_ADDRESSES])


def _look(inputs: Inputs, address: str, cause: ObsId, params: dict[str, str]) -> Step:
    target = inputs.target
    return make_step(
        "in_flow", "target", subject=target.host, address=address, port=target.port, caused_by=cause, params=params
    )


def _is_about_the_name(inputs: Inputs, address: str, seen: Seen) -> bool:
    """The neutral name arrived where the vendor's is not acknowledged; with ``--deep``: or nothing did, of any size."""
    if _has_arrived(address, seen):
        return True
    small = [step for step in seen.steps("reach", "target", use=SMALL_SEGMENTS) if step.address == address]
    small += [step for step in seen.steps("http", "target", use=SMALL_SEGMENTS) if step.address == address]
    return inputs.options.deep and seen.ended(small) and not _answered(small, seen)


def _neutral_steps(address: str, seen: Seen) -> list[Step]:
    return [step for step in seen.steps("in_flow", "target", send="neutral") if step.address == address]


def _expired(address: str, seen: Seen) -> list[int]:
    """The TTLs with which the neutral name was told to have expired."""
    told = (one for _, one in seen.of(InFlow, "target") if one.address == address and one.neutral)
    return sorted({one.ttl for one in told if one.ttl is not None and one.answer == "expired"})


def _has_arrived(address: str, seen: Seen) -> bool:
    return any(
        one.address == address and one.neutral and one.answer in _ARRIVED for _, one in seen.of(InFlow, "target")
    )


def _cut_short(inputs: Inputs, seen: Seen) -> dict[str, tuple[ObsId, Failure]]:
    """Addresses that accepted a connection and then did not answer, each with the record that says so."""
    found: dict[str, tuple[ObsId, Failure]] = {}
    if inputs.target.scheme == "https":
        for step, handshake in seen.of(Handshake, "target"):
            if not (handshake.server_hello or handshake.first_bytes or _is_only_slow(handshake)):
                _keep(found, inputs, step, handshake.id, handshake.failure)
    else:
        for step, exchange in seen.of(Exchange, "target"):
            silent = exchange.failure is not None and exchange.failure.code is FailureCode.TIMED_OUT
            if exchange.status is None and not (silent and exchange.request_acked is True):
                _keep(found, inputs, step, exchange.id, exchange.failure)
    return found


def _is_only_slow(handshake: Handshake) -> bool:
    """The greeting arrived, and its answer did not come: nothing is stopped on the way there."""
    failure = handshake.failure
    return failure is not None and failure.code is FailureCode.TIMED_OUT and handshake.acked is True


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
    return min((one.ttl for one in _walked(address, seen) if one.answer == "syn_ack"), default=None)


def _walked(address: str, seen: Seen) -> list[HopReply]:
    return [
        one
        for step, one in seen.of(HopReply, "target")
        if step.probe == "walk" and one.address == address and one.protocol == "tcp"
    ]


def _telling_ttls(address: str, distance: int, seen: Seen) -> list[int]:
    """Five TTLs short of the host: what ends between them is told apart by whose network it is. The last two routers;
    the last of the first private ones, and the next; the last that a walk to a control passed, too. Where these are
    fewer, the middle of the largest gap."""
    routers = {one.ttl: one.replier for one in _walked(address, seen) if one.answer == "icmp" and one.ttl < distance}
    others = {one.replier for _, one in seen.of(HopReply, "control") if one.answer == "icmp"}
    inner = 1
    while (router := routers.get(inner + 1)) is not None and classify(router) in _INNER:
        inner += 1
    shared = max((ttl for ttl, router in routers.items() if router in others), default=0)
    chosen = sorted({ttl for ttl in (inner, inner + 1, shared, distance - 2, distance - 1) if 0 < ttl < distance})
    while len(chosen) < min(distance - 1, MAX_TTLS):
        below, above = max(pairwise([0, *chosen]), key=lambda pair: pair[1] - pair[0])
        chosen = sorted({*chosen, (below + above) // 2})
    return chosen


def _named(inputs: Inputs) -> dict[str, str]:
    """What is sent."""
    named = {"neutral": NEUTRAL_NAME} | ({"deep": "yes"} if inputs.options.deep else {})
    if inputs.target.scheme == "https":
        return named | {"payload": "client_hello"}
    return named | {"payload": "request", "path": inputs.target.path}


def _ttls(address: str, seen: Seen) -> dict[str, str]:
    """With which TTLs, where a walk got there."""
    distance = _distance(address, seen)
    if distance is None or distance == 1:
        return {}
    return {"ttls": ",".join(map(str, _telling_ttls(address, distance, seen))), "distance": str(distance)}
