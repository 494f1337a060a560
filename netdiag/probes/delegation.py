"""The name's delegation, walked from the root without recursion: do the zone's own servers answer, and alike?

A resolver turns every fault of a zone into SERVFAIL. Here each server of the zone is asked itself: a lame, a dead and a
refusing one are told apart, and from the resolver's own faults.
"""

import itertools
from collections.abc import Generator, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import ResolverConfig, RouteLookup
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun
from netdiag.probes.base import OutOfTimeError, Probe, Question, World
from netdiag.probes.controls import PUBLIC_RESOLVERS
from netdiag.probes.library.asking import ask
from netdiag.probes.library.hostnames import is_within
from netdiag.probes.library.referral import Referral, alias_in, referral_in
from netdiag.probes.library.together import together


class Server(NamedTuple):
    """A name server at one address."""

    name: str
    address: str


# iana.org/domains/root/servers: four operators are enough, since each holds the whole root zone.
ROOT_SERVERS = (
    Server("a.root-servers.net", "198.41.0.4"),
    Server("k.root-servers.net", "193.0.14.129"),
    Server("l.root-servers.net", "199.7.83.42"),
    Server("a.root-servers.net", "2001:503:ba3e::2:30"),
    Server("k.root-servers.net", "2001:7fd::1"),
)

_BUDGET_NS = 12_000_000_000
# While descending, a silent server is left for the next one soon: TLD and root servers answer within 0.5 s anywhere.
_DESCEND_MS = 1500
_ASK_MS = 2000
_MOST_SILENT = 3
_MOST_SERVERS = 4
_MOST_ZONES = 8
_NOERROR, _NXDOMAIN = 0, 3


def _run(step: Step, world: World) -> Iterator[Observation]:
    walk = _Walk(step, world)
    yield from walk.follow(step.subject)
    if walk.alias is not None:
        # The first zone is what matters; that of its alias (a CDN's, mostly) is walked too, but no further.
        alias, walk.alias = walk.alias, None
        yield from walk.follow(alias)


class _Walk:
    """One descent at a time. ``alias`` is the name to which the last one's answer points out of its zone."""

    def __init__(self, step: Step, world: World) -> None:
        self._step = step
        self._world = world
        self._ends_ns = world.now_ns() + _BUDGET_NS
        self.alias: str | None = None
        self._families = {4: self._has_route("198.41.0.4"), 6: self._has_route("2001:503:ba3e::2:30")}
        self._resolvers = self._configured_and_public()

    def follow(self, name: str) -> Iterator[Observation]:
        """Walk from the root to the zone of ``name``; then ask each of its servers."""
        zone = "."
        servers: Sequence[Server] = self._usable(ROOT_SERVERS)
        for _ in range(_MOST_ZONES):
            if not servers:
                yield self._not_run("prerequisite_failed", f"no server of {zone} has an address that this line can use")
                return
            if self._is_late():
                yield self._not_run("out_of_time", f"the servers of {zone}")
                return
            asked: list[Lookup] = []
            try:
                for lookup in self._ask(name, zone, servers):
                    asked.append(lookup)  # noqa: PERF402 - what was seen must outlive the deadline
            except OutOfTimeError:
                yield from asked
                raise
            referral = next((found for one in asked if (found := referral_in(one, name, zone)) is not None), None)
            if referral is None:
                yield from asked
                self.alias = next((end for one in asked if (end := alias_in(one, name, zone)) is not None), None)
                return
            # Who refers on is a parent, and so are those of the same zone that did not.
            yield from (msgspec.structs.replace(one, server_class="parent") for one in asked)
            zone = referral.zone
            servers = yield from self._servers_of(referral)

    def _ask(self, name: str, zone: str, servers: Sequence[Server]) -> Iterator[Lookup]:
        """At the root and the top-level domains one server, and two others when it does not help; of a zone below, all
        servers at once, for A and AAAA: it may be the last one."""
        if _is_nobodys(zone):
            (first,) = self._descend(name, zone, servers[0])
            yield first
            if first.rcode not in {_NOERROR, _NXDOMAIN}:
                yield from together(self._descend(name, zone, server) for server in servers[1:_MOST_SILENT])
            return
        yield from together(
            ask(self._step, self._world, self._question(name, rrtype, server, zone, _ASK_MS))
            for server in servers
            for rrtype in ("A", "AAAA")
        )

    def _descend(self, name: str, zone: str, server: Server) -> Iterator[Lookup]:
        question = self._question(name, "A", server, zone, _DESCEND_MS)
        yield self._world.query(self._world.stamp(self._step), question)

    def _servers_of(self, referral: Referral) -> Generator[Observation, None, list[Server]]:
        """The zone's servers at usable addresses, each name once before any twice; glue first, else by a resolver."""
        found: list[list[Server]] = []
        for name in referral.names[:_MOST_SERVERS]:
            addresses = self._usable([Server(name, address) for address in referral.glue.get(name, ())])
            if not addresses and not is_within(name, referral.zone):
                addresses = yield from self._resolve(name)
            found.append(addresses)
        ranked = itertools.chain.from_iterable(itertools.zip_longest(*found))
        return [server for server in ranked if server is not None][:_MOST_SERVERS]

    def _resolve(self, name: str) -> Generator[Observation, None, list[Server]]:
        """The addresses of a server that came without glue, from the configured resolver or else a public one."""
        for rrtype, version in (("A", 4), ("AAAA", 6)):
            for resolver, server_class in list(self._resolvers) if self._families[version] else ():
                if self._is_late():
                    return []
                stamp = self._world.stamp(self._step)
                question = Question(
                    name=name, rrtype=rrtype, server=resolver, server_class=server_class, limit_ms=_ASK_MS
                )
                lookup = self._world.query(stamp, question)
                yield lookup
                if lookup.failure is not None:
                    # Not asked again for the next name: its silence would eat the time.
                    self._resolvers.remove((resolver, server_class))
                addresses = [record.data for record in lookup.answers if record.rrtype == rrtype]
                if addresses:
                    return [Server(name, address) for address in addresses]
        return []

    def _configured_and_public(self) -> list[tuple[str, Literal["configured", "public"]]]:
        config = self._world.machine.resolvers(self._world.stamp(self._step))
        configured = config.servers[:1] if isinstance(config, ResolverConfig) else ()
        public = [address for address in PUBLIC_RESOLVERS if self._families[family_of(address)]][:1]
        return [*((server, "configured") for server in configured), *((server, "public") for server in public)]

    def _question(self, name: str, rrtype: str, server: Server, zone: str, limit_ms: int) -> Question:
        return Question(
            name=name,
            rrtype=rrtype,
            server=server.address,
            server_name=server.name,
            server_class="parent" if _is_nobodys(zone) else "authority",
            recursion_desired=False,
            zone=zone,
            limit_ms=limit_ms,
        )

    def _usable(self, servers: Sequence[Server]) -> list[Server]:
        return [server for server in servers if self._families[family_of(server.address)]]

    def _has_route(self, address: str) -> bool:
        """Would the kernel send there? A line without IPv6 must not make servers look dead."""
        route = self._world.machine.route(self._world.stamp(self._step), address)
        return not isinstance(route, RouteLookup) or route.failure is None

    def _is_late(self) -> bool:
        return self._world.now_ns() >= self._ends_ns

    def _not_run(self, why: Literal["out_of_time", "prerequisite_failed"], detail: str) -> NotRun:
        return self._world.stamp(self._step).not_run(why, "the delegation", self._world.now_ns(), detail=detail)


def _is_nobodys(zone: str) -> bool:
    """The root and the top-level domains are no vendor's own zones, also when none of their servers says so."""
    return "." not in zone.strip(".")


PROBE = Probe(name="delegation", version=1, run=_run)
