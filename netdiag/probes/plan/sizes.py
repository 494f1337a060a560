"""Where large packets may be lost: size-limited walks, and small segments beside."""

from collections.abc import Iterator

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Role, Step
from netdiag.evidence.machine import Interface, RouteLookup
from netdiag.evidence.record import Failure, FailureCode, ObsId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.in_flow import may_be_for_size
from netdiag.probes.plan.seen import SMALL_SEGMENTS, Inputs, Seen, is_plain, make_step, stays_here

ETHERNET = 1500
"""What is asked for at most, in bytes of the IP packet: the Internet at large carries no more (RFC 894)."""

MAX_STALLED = 2
"""Stalled addresses of one family that are connected to again with small segments."""

_MSS = {4: 536, 6: 1220}
"""What every path must carry (RFC 9293 section 3.7.1): packets of 576 bytes in IPv4 and of 1280 in IPv6."""

_AFTER_CONNECTING = {"handshake", "send", "receive"}


def look_for_size_limits(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Where a connection stalls after it was accepted, and no other name as large is known to arrive: the same with
    small segments, and how large a packet gets how far towards it and towards a control. The latter too where a smaller
    path MTU was learnt, and with ``--deep``."""
    if stays_here(inputs.target):
        return
    stalled = _stalled(inputs, seen)
    for family in (4, 6):
        mine = [one for one in stalled if family_of(one) == family and may_be_for_size(inputs, one, seen)]
        for address in mine[:MAX_STALLED]:
            yield _again(inputs, address, *stalled[address])
        if mine:
            yield from _control_again(family, seen)
        if mine or _learnt_less(family, seen) or inputs.options.deep:
            yield from _walks(family, seen, ill=bool(mine))


def _stalled(inputs: Inputs, seen: Seen) -> dict[str, tuple[str, ObsId]]:
    """Addresses that accepted a connection and then kept silent, with the probe that met it and its record."""
    found: dict[str, tuple[str, ObsId]] = {}
    for kind, probe in ((Handshake, "reach"), (Exchange, "http")):
        for step, one in seen.of(kind, "target"):
            counts = is_plain(step) and step.round == 1 and step.proxy is None and step.port == inputs.target.port
            if counts and step.address is not None and _is_stall(one.failure):
                found.setdefault(step.address, (probe, one.id))
    return found


def _is_stall(failure: Failure | None) -> bool:
    return failure is not None and failure.code is FailureCode.TIMED_OUT and failure.op in _AFTER_CONNECTING


def _again(inputs: Inputs, address: str, probe: str, cause: ObsId) -> Step:
    target = inputs.target
    https = target.scheme == "https"
    params = {"tls": "yes" if https else "no"} if probe == "reach" else {"url": inputs.url, "user_agent": "netdiag"}
    return make_step(
        probe,
        "target",
        subject=target.host,
        address=address,
        port=target.port,
        caused_by=cause,
        params=params | _small(address),
    )


def _small(address: str) -> dict[str, str]:
    return {"use": SMALL_SEGMENTS, "mss": str(_MSS[family_of(address)])}


def _control_again(family: int, seen: Seen) -> Iterator[Step]:
    """One control that stalls in the same way."""
    for step, one in seen.of(Handshake, "control"):
        if is_plain(step) and step.address and family_of(step.address) == family and _is_stall(one.failure):
            yield make_step(
                "reach",
                "control",
                subject=step.subject,
                address=step.address,
                port=step.port,
                caused_by=one.id,
                params={"tls": "yes"} | _small(step.address),
            )
            return


def _learnt_less(family: int, seen: Seen) -> bool:
    """Did a connection to the target learn that its path carries less than the own link?"""
    learnt = [one.tcp.pmtu for _, one in seen.of(Handshake, "target") if one.tcp and _is_of(family, one, seen)]
    learnt += [one.tcp.pmtu for _, one in seen.of(Exchange, "target") if one.tcp and _is_of(family, one, seen)]
    walked = [step.address for step in seen.steps("walk", "target") if step.address]
    link = next((_link_mtu(address, seen) for address in walked if family_of(address) == family), ETHERNET)
    return any(0 < mtu < link for mtu in learnt)


def _is_of(family: int, one: Handshake | Exchange, seen: Seen) -> bool:
    address = seen.started[one.step].address
    return address is not None and family_of(address) == family


def _link_mtu(address: str, seen: Seen) -> int:
    """The largest packet that this machine can send there, at most Ethernet's."""
    device = next((one.device for _, one in seen.of(RouteLookup) if one.destination == address), None)
    mtu = next((one.mtu for _, one in seen.of(Interface) if one.name == device and one.mtu), ETHERNET)
    return min(mtu, ETHERNET)


def _walks(family: int, seen: Seen, *, ill: bool) -> Iterator[Step]:
    """Towards the first walked address of the target and towards the walked control, as soon as the routers are
    known. What a router must answer is the same for both; sizes in between are asked for on the way to the target."""
    roles: tuple[Role, ...] = ("target", "control")
    for role in roles:
        for walk in seen.steps("walk", role):
            if walk.address is None or family_of(walk.address) != family:
                continue
            ttls = _answered(walk, seen) if walk.id in seen.finished else []
            if ttls:
                params = {"ttls": ",".join(map(str, ttls)), "size": str(_link_mtu(walk.address, seen))}
                params["narrow"] = "yes" if ill and role == "target" else "no"
                yield make_step("sizes", role, subject=walk.subject, address=walk.address, params=params)
            break


def _answered(walk: Step, seen: Seen) -> list[int]:
    """TTLs of the walk at which anybody answered, up to the first at which the address itself did."""
    replies = [one for by, one in seen.of(HopReply) if by.id == walk.id and one.answer not in {"none", "not_sent"}]
    end = min((one.ttl for one in replies if one.answer in {"syn_ack", "rst"}), default=None)
    return sorted({one.ttl for one in replies if end is None or one.ttl <= end})
