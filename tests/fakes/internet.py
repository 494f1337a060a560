"""Name servers of a small internet, as data: what each address answers without recursion, told as zones."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netdiag.evidence.machine import ResolverConfig, RouteLookup
from netdiag.evidence.names import Lookup, ResourceRecord
from netdiag.evidence.record import Failure, FailureCode
from netdiag.probes.base import Question, Stamp
from netdiag.probes.library.hostnames import is_within

ROOT = "198.41.0.4"


class Reply(NamedTuple):
    """What a server says; ``rcode`` None: nothing."""

    rcode: int | None = 0
    answers: Sequence[str] = ()
    authority: Sequence[str] = ()
    glue: Sequence[str] = ()
    flags: Sequence[str] = ()


SILENT = Reply(rcode=None)
REFUSED = Reply(rcode=5)


def records(lines: Sequence[str]) -> tuple[ResourceRecord, ...]:
    """``name type data`` each."""
    return tuple(
        ResourceRecord(name=name, rrtype=rrtype, data=data, ttl=60)
        for name, rrtype, data in (line.split() for line in lines)
    )


class Internet:
    """Answers questions by server address, then by the longest name that holds the asked one. Others are silent."""

    def __init__(
        self, servers: Mapping[str, Mapping[str, Reply]], *, over_tcp: Mapping[str, Reply] | None = None
    ) -> None:
        self._servers = servers
        self._over_tcp = over_tcp or {}
        self.asked: list[Question] = []

    def query(self, stamp: Stamp, question: Question) -> Lookup:
        """One lookup, at once."""
        self.asked.append(question)
        reply = self._reply(question)
        silent = Failure(op="receive", code=FailureCode.TIMED_OUT) if reply.rcode is None else None
        answers = [line for line in reply.answers if line.split()[1] in {question.rrtype, "CNAME"}]
        return Lookup(
            id=stamp.id,
            step=stamp.step,
            attempt=stamp.attempt,
            caused_by=stamp.caused_by,
            began_ns=0,
            ended_ns=0,
            failure=silent,
            name=question.name,
            rrtype=question.rrtype,
            server=question.server,
            server_class=question.server_class,
            server_name=question.server_name,
            transport=question.transport,
            recursion_desired=question.recursion_desired,
            checking_disabled=question.checking_disabled,
            zone=question.zone,
            rcode=reply.rcode,
            flags=tuple(reply.flags),  # type: ignore[arg-type]
            answers=records(answers),
            authority=records(reply.authority),
            glue=records(reply.glue),
        )

    def _reply(self, question: Question) -> Reply:
        if question.transport == "tcp" and question.server in self._over_tcp:
            return self._over_tcp[question.server]
        zones = self._servers.get(question.server, {})
        fitting = [zone for zone in zones if is_within(question.name, zone)]
        return zones[max(fitting, key=len)] if fitting else SILENT


class ResolvingMachine:
    """As much of a machine as the delegation walk reads: its resolvers, and which families have a route."""

    def __init__(self, *servers: str, families: frozenset[int] = frozenset({4})) -> None:
        self._servers = servers
        self._families = families

    def resolvers(self, stamp: Stamp) -> ResolverConfig:
        return ResolverConfig(id=stamp.id, step=stamp.step, began_ns=0, ended_ns=0, source="x", servers=self._servers)

    def route(self, stamp: Stamp, destination: str) -> RouteLookup:
        version = 6 if ":" in destination else 4
        failure = None if version in self._families else Failure(op="look", code=FailureCode.UNREACHABLE)
        return RouteLookup(
            id=stamp.id, step=stamp.step, began_ns=0, ended_ns=0, destination=destination, failure=failure
        )
