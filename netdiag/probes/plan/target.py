"""What is measured at the target: every address on its own, layer upon layer; then follow-ups that change one axis."""

from collections.abc import Iterator

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import HostsEntry, SystemLookup
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode, ObsId, StepId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.http import CHECK_LIMIT_MS
from netdiag.probes.plan.in_flow import looked_inside
from netdiag.probes.plan.seen import SMALL_SEGMENTS, Inputs, Seen, is_plain, make_step
from netdiag.probes.walk_plan import is_router

MAX_OWN_ADDRESSES = 4
"""Addresses measured of those that this machine's own resolution gives: enough for every common set, bounded for a
name with hundreds."""

MAX_OTHER_ADDRESSES = 2
"""Addresses measured besides, where independent resolvers or the zone's own servers give others only."""

MAX_PATHS_FOLLOWED = 2
"""Failing addresses of one family to which the path is walked: the first routers are the same for all, and get only so
many probes in all (manners.py)."""

REFUSED_STATUSES = frozenset({403, 406})
"""Refusals that may be meant for netdiag's own client (design.md, Manners): asked once more in other clothes."""

LIMIT_STATUSES = frozenset({429, 503})
"""Answers that may be a limit: not asked again, since a repetition can lengthen a ban (fault-signatures 10)."""


def measure_addresses(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Route, TCP and TLS to every address; HTTP where TLS (or TCP, for plain HTTP) worked."""
    target = inputs.target
    for address, cause in target_addresses(inputs, seen).items():
        yield make_step("route", "target", address=address, caused_by=cause)
        yield _reach(inputs, address, cause)
    ready = seen.of(Handshake, "target") if target.scheme == "https" else seen.of(Connect, "target")
    for step, one in ready:
        if one.failure is None and step.port == target.port and step.round == 1 and is_plain(step):
            yield make_step(
                "http",
                "target",
                subject=target.host,
                address=step.address,
                port=target.port,
                caused_by=one.id,
                params={"url": inputs.url, "user_agent": "netdiag"},
            )


def walk_and_echo(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """One walk to the service port for each family that has a route, to its first address; and two echoes."""
    routed = seen.routed_families()
    for address in _first_of_each_family(target_addresses(inputs, seen)):
        if routed and family_of(address) not in routed:
            continue
        yield _walk(inputs, address)
        yield _echo(inputs, address)


def follow_failed_connects(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Where TCP to an address fails: did the packet leave, does the address answer on another port, and where does the
    path end (a walk that ends in silence asks UDP and ICMP by itself)."""
    routed = seen.routed_families()
    walked = list(dict.fromkeys(step.address or "" for step in seen.steps("walk", "target")))
    tested = [step.address or "" for step in seen.steps("egress")]
    for address in ailing_addresses(inputs, seen):
        if routed and family_of(address) not in routed:
            continue
        yield make_step(
            "reach",
            "target",
            subject=inputs.target.host,
            address=address,
            port=other_port(inputs.target.port),
            params={"tls": "no", "use": "other_port"},
        )
        yield _echo(inputs, address)
        if _is_among(walked, address, MAX_PATHS_FOLLOWED):
            yield _walk(inputs, address)
            yield from _walk_to_another_port(inputs, address, seen)
        control = next((one for _, one in seen.of(Connect, "control") if _same_family(one.address, address)), None)
        # The gateway answers a few packets at once: asked about more, it would be silent.
        if control is not None and _is_among(tested, address, 1):
            params = {"control_address": control.address, "control_port": str(control.port)}
            yield make_step("egress", "machine", address=address, port=inputs.target.port, params=params)


def ask_as_another_client(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """One repeat of a refused request with the customer's own User-Agent (a browser's, when none was given), so that
    "refuses netdiag's client" is not called a block. Addresses that refuse alike are asked at the first one alone."""
    refused: set[tuple[int | None, str | None]] = set()
    for step, exchange in seen.of(Exchange, "target"):
        asked = exchange.status in REFUSED_STATUSES and exchange.method != "CONNECT"
        if asked and step.round == 1 and is_plain(step) and (exchange.status, step.proxy) not in refused:
            refused.add((exchange.status, step.proxy))
            other = "customer" if inputs.options.user_agent else "browser"
            yield make_step(
                "http",
                "target",
                subject=step.subject,
                address=step.address,
                port=step.port,
                proxy=step.proxy,
                caused_by=exchange.id,
                params={"url": inputs.url, "user_agent": other},
            )


def check_once_more(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """What failed, once more at the end and one attempt only: persistence. Not where the vendor's name was sent again
    inside another connection, or failed with small segments, too: that was the attempt. Requests that failed alike are
    repeated at the first address alone, since each costs the vendor one and the customer a second."""
    small = seen.steps("reach", "target", use=SMALL_SEGMENTS)
    failed_again = {step.address for step in small if not _reached(step, seen)}
    for step in seen.steps("reach", "target"):
        if looked_inside(step.address, seen) or step.address in failed_again:
            continue
        plain = step.port == inputs.target.port and step.round == 1 and is_plain(step)
        if plain and not _reached(step, seen):
            yield make_step(
                "reach",
                "target",
                subject=step.subject,
                address=step.address,
                port=step.port,
                again=True,
                caused_by=step.caused_by,
                # After a second way worked, this is the other half of the comparison.
                params={**step.params, "patient": "yes"} if inputs.ways else step.params,
            )
    repeated: set[int | FailureCode | None] = set()
    for step, exchange in seen.of(Exchange, "target"):
        direct = step.proxy is None and not looked_inside(step.address, seen)
        how = exchange.status or (None if exchange.failure is None else exchange.failure.code)
        if _may_persist(exchange) and step.round == 1 and direct and is_plain(step) and how not in repeated:
            repeated.add(how)
            yield make_step(
                "http",
                "target",
                subject=step.subject,
                address=step.address,
                port=step.port,
                again=True,
                caused_by=exchange.id,
                params=step.params,
            )


def _may_persist(exchange: Exchange) -> bool:
    """It failed, and whether it still does can be seen within the check's time: a tarpit's answer takes longer."""
    took_ms = (exchange.ended_ns - exchange.began_ns) // 1_000_000
    if exchange.status is None:
        return True
    return exchange.status >= 500 and exchange.status not in LIMIT_STATUSES and took_ms < CHECK_LIMIT_MS


def target_addresses(inputs: Inputs, seen: Seen) -> dict[str, ObsId | None]:
    """The addresses to measure, in order, with the record that gave each.

    First what this machine's own resolution gives (hosts file, getaddrinfo, configured resolvers), since that is
    where the customer's packets go; then, where those are wanting or fail, a few that only independent servers give
    (answers that merely differ are how every CDN works, and measuring them would only cost the vendor requests).
    """
    target = inputs.target
    if target.is_literal:
        return {target.host: None}
    if inputs.only:
        return dict.fromkeys(inputs.only)
    own: dict[str, ObsId | None] = {}
    for _, hosts in seen.of(HostsEntry):
        own.update(dict.fromkeys(hosts.addresses, hosts.id))
    for _, system in seen.of(SystemLookup):
        own = {**dict.fromkeys(system.addresses, system.id), **own}
    others: dict[str, ObsId | None] = {}
    for step, lookup in seen.of(Lookup):
        if step.params.get("use") == "target" or lookup.server_class == "authority":
            found = own if lookup.server_class == "configured" else others
            for record in lookup.answers:
                if record.rrtype in {"A", "AAAA"}:
                    found.setdefault(record.data, lookup.id)
    chosen = dict(list(own.items())[:MAX_OWN_ADDRESSES])
    wanted = _families_in_doubt(list(chosen), seen)
    new = [(address, cause) for address, cause in others.items() if address not in own and family_of(address) in wanted]
    return chosen | dict(new[:MAX_OTHER_ADDRESSES])


def _families_in_doubt(own: list[str], seen: Seen) -> set[int]:
    """Families in which this machine has no address of the target, or has one where TCP or TLS failed."""
    failed = {one.address for _, one in seen.of(Connect, "target") if one.failure is not None}
    failed |= {step.address or "" for step, one in seen.of(Handshake, "target") if one.failure is not None}
    without = {4, 6} - {family_of(address) for address in own}
    return without | {family_of(address) for address in own if address in failed}


def ailing_addresses(inputs: Inputs, seen: Seen) -> list[str]:
    """Addresses where a connection to the service port failed, or where the walk has ended without arriving: what is
    silent is found ill by the walk before a patient connect gives up."""
    port = inputs.target.port
    connects = [one for step, one in seen.of(Connect, "target") if step.port == port and step.round == 1]
    connected = {one.address for one in connects if one.failure is None}
    failed = [one.address for one in connects if one.failure is not None]
    failed += [
        step.address or ""
        for step in seen.steps("walk", "target")
        if step.id in seen.finished and not _arrived(step, seen)
    ]
    return [address for address in dict.fromkeys(failed) if address not in connected]


def other_port(port: int) -> int:
    """Another port of the same host that usually answers: 80, or 443 when the service is on 80 itself."""
    return 443 if port == 80 else 80


def _connected(step: StepId, seen: Seen) -> bool:
    return any(one.failure is None for by, one in seen.of(Connect) if by.id == step)


def _reached(step: Step, seen: Seen) -> bool:
    """TCP worked, and TLS where it was asked for; a rejected certificate is an answer, and the same a second time."""
    handshakes = [one for by, one in seen.of(Handshake) if by.id == step.id]
    tls_worked = step.params.get("tls") == "no" or any(one.failure is None or one.chain for one in handshakes)
    return _connected(step.id, seen) and tls_worked


def _arrived(walk: Step, seen: Seen) -> bool:
    return any(one.answer in {"syn_ack", "rst"} for by, one in seen.of(HopReply) if by.id == walk.id)


def _reach(inputs: Inputs, address: str, cause: ObsId | None) -> Step:
    return make_step(
        "reach",
        "target",
        subject=inputs.target.host,
        address=address,
        port=inputs.target.port,
        caused_by=cause,
        params={"tls": "yes" if inputs.target.scheme == "https" else "no"},
    )


def _walk(inputs: Inputs, address: str, *, port: int | None = None, first: int = 1) -> Step:
    """``first``: the TTL to begin with, where another walk has shown the way there."""
    target = inputs.target
    params = {"protocol": "tcp"} | ({"first": str(first)} if first > 1 else {})
    return make_step("walk", "target", subject=target.host, address=address, port=port or target.port, params=params)


def _walk_to_another_port(inputs: Inputs, address: str, seen: Seen) -> Iterator[Step]:
    """Another port of the address accepts, and no walk has arrived there yet: one to that port shows what stands
    between the address and the end of the first one, and begins where that one has shown the way."""
    port = other_port(inputs.target.port)
    walks = [step for step in seen.steps("walk", "target", protocol="tcp") if step.address == address]
    begun = any(step.port == port for step in walks)
    if not begun and seen.ended(walks) and _hides_its_distance(address, port, seen):
        routers = [one.ttl for step, one in seen.of(HopReply, "target") if step in walks and is_router(one)]
        yield _walk(inputs, address, port=port, first=max(routers, default=1))


def _hides_its_distance(address: str, port: int, seen: Seen) -> bool:
    """Another port of the address accepts, and no walk has arrived there yet."""
    made = [one for _, one in seen.of(Connect, "target") if (one.address, one.port) == (address, port)]
    walked = [one for step, one in seen.of(HopReply, "target") if step.probe == "walk" and step.port != port]
    arrived = any(one.replier == one.address == address and one.answer != "rst" for one in walked)
    return any(one.failure is None for one in made) and not arrived


def _echo(inputs: Inputs, address: str) -> Step:
    return make_step("echo", "target", subject=inputs.target.host, address=address, params={"count": "2"})


def _first_of_each_family(addresses: dict[str, ObsId | None]) -> list[str]:
    first: dict[int, str] = {}
    for address in addresses:
        first.setdefault(family_of(address), address)
    return list(first.values())


def _is_among(chosen: list[str], address: str, most: int) -> bool:
    """Is ``address`` one of the ``most`` of its family that are ``chosen``, or is there room to choose it now?"""
    if address not in chosen and sum(_same_family(one, address) for one in chosen) < most:
        chosen.append(address)
    return address in chosen


def _same_family(one: str, other: str) -> bool:
    return family_of(one) == family_of(other)
