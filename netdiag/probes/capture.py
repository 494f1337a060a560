"""Which of the packets that were caught are the run's own, and the file of them (``capture.pcapng``).

A packet is the run's own when a record names its local port (for echoes the identifier) and the other end, at that
time; so is an ICMP error that quotes such a packet. What no record names, another program sent: it is left out.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from netdiag.evidence.addresses import is_address, parse
from netdiag.evidence.machine import LocalSend
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import ObsId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import ArrivingTtl, Connect, Echo, HopReply, InFlow, Transfer
from netdiag.evidence.web import Exchange
from netdiag.probes.kernel.capture import Caught, Haul
from netdiag.probes.library import pcapng
from netdiag.probes.library.dissect import Headers, Protocol, dissect

MOST_PACKETS = 20_000
"""In one file: a walk with all its follow-ups has a few hundred, a download of 1 MB some 1,500."""

_BEFORE_NS = 50_000_000  # a record may begin a moment after its packet left
_AFTER_NS = 3_000_000_000  # what comes back when nobody waits any more
_DNS = 53

_WHAT = (
    "Packets of this run alone, both directions, and ICMP errors about them. Each comment names the observations in "
    "evidence.json that it belongs to. What follows the transport header is cut off; inside ICMP errors it is zeros."
)


class _Owner(NamedTuple):
    """A record that had packets. ``remote`` None: the address was a proxy's, which the record does not name.
    ``ttl`` and ``replier``: of a packet of a walk, whose flow other records share."""

    id: ObsId
    began_ns: int
    ended_ns: int
    remote: str | None
    remote_port: int
    ttl: int | None = None
    replier: str | None = None


_Flow = tuple[Protocol, int, _Owner]
"""How it went, from which local port, and whose it is."""

_Owners = Mapping[tuple[Protocol, int], Sequence[_Owner]]


def capture_file(
    haul: Haul, observations: Sequence[Observation], *, application: str, clean: Callable[[str], str], most_bytes: int
) -> bytes:
    """The packets of ``observations`` as pcapng, at most ``most_bytes`` of it.

    ``clean`` gives a name or an address as it may be told: a pseudonym takes the place of an address in all headers.
    """
    owners = _owners(observations)
    own = [
        (one, headers, ids)
        for one in haul.packets
        if (headers := dissect(one.data)) and (ids := _of(headers, one, owners))
    ]
    devices = list(dict.fromkeys(one.device for one, _, _ in own))
    hidden = _hidden([headers for _, headers, _ in own], clean)
    shown = [
        pcapng.Packet(
            wall_ns=one.wall_ns,
            interface=devices.index(one.device),
            outgoing=one.outgoing,
            length=headers.length,
            data=_without_payload(one.data, headers, hidden),
            comment=", ".join(ids),
        )
        for one, headers, ids in own[:MOST_PACKETS]
    ]
    notes = [_WHAT]
    if haul.missed:
        notes.append(f"{haul.missed} packets, of anybody, were too many or came too fast to be looked at.")
    if len(own) > MOST_PACKETS:
        notes.append(f"Only the first {MOST_PACKETS} packets are here.")
    found = pcapng.section(application, " ".join(notes), [clean(name) for name in devices])
    for block in pcapng.packets(shown):
        if len(found) + len(block) > most_bytes:
            break
        found += block
    return found


def _owners(observations: Sequence[Observation]) -> _Owners:
    found: dict[tuple[Protocol, int], list[_Owner]] = defaultdict(list)
    by_id: dict[ObsId, _Flow] = {}
    for record in observations:
        flow = _flow(record, by_id)
        if flow is not None:
            protocol, port, owner = by_id[record.id] = flow
            found[protocol, port].append(owner)
    return found


def _flow(record: Observation, earlier: Mapping[ObsId, _Flow]) -> _Flow | None:
    """The protocol and local port of ``record``'s packets. What went on inside a connection has those of the connection
    that caused it."""

    def owner(remote: str | None, port: int, *, ttl: int | None = None, replier: str | None = None) -> _Owner:
        plain = str(parse(remote)) if remote is not None and is_address(remote) else None
        return _Owner(record.id, record.began_ns, record.ended_ns, plain, port, ttl, replier)

    match record:
        case Connect(source_port=int(port)) | Transfer(source_port=int(port)):
            return "tcp", port, owner(record.address, record.port)
        case Exchange(source_port=int(port)):
            return "tcp", port, owner(record.address, _proxy_port(record.via_proxy) or record.port or 0)
        case Lookup(source_port=int(port)):
            return record.transport, port, owner(record.server, _DNS)
        case LocalSend(source_port=int(port)):
            return "udp", port, owner(record.address, record.port)
        case Echo(identifier=int(identifier)):
            return "icmp", identifier, owner(record.address, 0)
        case HopReply(source_port=int(port)):
            to = 0 if record.protocol == "icmp" else record.port
            return record.protocol, port, owner(record.address, to, ttl=record.ttl, replier=record.replier)
        case Handshake() | InFlow() | ArrivingTtl():
            cause = earlier.get(record.caused_by) if record.caused_by is not None else None
            if cause is None:
                return None
            protocol, port, connection = cause
            own = connection._replace(id=record.id, began_ns=record.began_ns, ended_ns=record.ended_ns)
            return protocol, port, own
        case _:
            return None


def _proxy_port(via_proxy: str | None) -> int | None:
    return None if via_proxy is None else int(via_proxy.rpartition(":")[2])


def _of(headers: Headers, packet: Caught, owners: _Owners) -> list[ObsId]:
    """The records that a packet belongs to: those of its flow that were being made when it came or left, and of these,
    on a walk, the one with its TTL or the router that answers; else the one before."""
    ends = headers.ends
    near: list[_Owner] = []
    for local, remote, remote_port in (
        (ends.source_port, ends.destination, ends.destination_port),
        (ends.destination_port, ends.source, ends.source_port),
    ):
        near += [
            one
            for one in owners.get((ends.protocol, local), ())
            if one.remote_port == remote_port
            and one.remote in {None, str(parse(remote))}
            and one.began_ns - _BEFORE_NS <= packet.at_ns <= one.ended_ns + _AFTER_NS
        ]
    now = [one for one in near if one.began_ns <= packet.at_ns <= one.ended_ns]
    now = now or sorted(near, key=lambda one: one.began_ns)[-1:]
    if headers.error:
        exact = [one for one in now if one.replier == headers.sender]
    else:
        exact = [one for one in now if packet.outgoing and one.ttl == headers.ttl]
    return list(dict.fromkeys(one.id for one in exact or now))


def _hidden(all_headers: Sequence[Headers], clean: Callable[[str], str]) -> dict[bytes, bytes]:
    """The addresses that are not told as they are (IPv6 ones made of MAC addresses), and what stands for them."""
    addresses = {
        one for headers in all_headers for one in (headers.ends.source, headers.ends.destination, headers.sender)
    }
    told = {address: clean(address) for address in addresses}
    return {
        ipaddress.ip_address(address).packed: ipaddress.ip_address(new).packed if is_address(new) else bytes(16)
        for address, new in told.items()
        if new != address
    }


def _without_payload(data: bytes, headers: Headers, hidden: Mapping[bytes, bytes]) -> bytes:
    begin, end = headers.payload
    kept = data[:begin] + (bytes(end - begin) + data[end:] if end < len(data) else b"")
    for address, told in hidden.items():
        kept = kept.replace(address, told)
    return kept
