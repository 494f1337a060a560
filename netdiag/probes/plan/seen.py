"""What the planner looks at, and how it names a step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from netdiag.evidence.addresses import classify
from netdiag.evidence.bundle import Options, Role, Step, Target, Via
from netdiag.evidence.limits import LimitBudget
from netdiag.evidence.machine import DefaultRoute, ResolverConfig
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Observed, ObsId, StepId
from netdiag.evidence.transport import Connect
from netdiag.probes.controls import Control
from netdiag.probes.ways import Way

R = TypeVar("R", bound=Observed)


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed before the first packet. ``url`` is what is requested (no user info, no query, no fragment).
    ``consented``: a vendor profile says that the name is public, so outside resolvers may be asked even where it
    resolves to a private address. ``ways``: the second ways out that the customer named. ``limits``: what the
    rate section may spend, where there is to be one. ``again``: only what failed in an
    earlier run is repeated, at the addresses of ``only`` (none: at those that the name has now)."""

    target: Target
    url: str
    options: Options
    controls: Sequence[Control]
    public_resolvers: Sequence[str]
    consented: bool = False
    limits: LimitBudget | None = None
    ways: Sequence[Way] = ()
    again: bool = False
    only: Sequence[str] = ()


def stays_here(target: Target) -> bool:
    """The target is this very machine (loopback): nothing that is learned from the network bears on it."""
    return target.is_literal and classify(target.host) == "loopback"


SMALL_SEGMENTS = "small_segments"
"""``params["use"]`` of a connection with a small MSS: an experiment, and no attempt like the others."""


def is_plain(step: Step) -> bool:
    """A step that does what the customer's own programs would do: not one with small segments."""
    return step.params.get("use") != SMALL_SEGMENTS


class Seen:
    """What is known at one moment: steps that were started, those that ended, and every observation so far.

    ``of`` and ``steps`` tell of the machine's own way; what a second way met must be asked for (``by_ways``)."""

    def __init__(
        self, started: Mapping[StepId, Step], finished: frozenset[StepId], observations: Sequence[Observation]
    ) -> None:
        self.started = started
        self.finished = finished
        self.observations = observations

    def of(self, kind: type[R], *roles: Role) -> Iterator[tuple[Step, R]]:
        """Observations of ``kind`` with the step that made them, of these roles (all, when none is named); no connects
        that hide answers on purpose."""
        for one in self.observations:
            if isinstance(one, kind) and not _hides_answers(one):
                step = self.started[one.step]
                if step.via is None and (not roles or step.role in roles):
                    yield step, one

    def by_ways(self, kind: type[R]) -> Iterator[tuple[Step, R]]:
        """Observations of ``kind`` by a second way."""
        for one in self.observations:
            if isinstance(one, kind) and self.started[one.step].via is not None:
                yield self.started[one.step], one

    def steps(self, probe: str, *roles: Role, **params: str) -> list[Step]:
        """Steps that were started, of this probe, roles and params."""
        return [
            step
            for step in self.started.values()
            if step.probe == probe
            and step.via is None
            and (not roles or step.role in roles)
            and all(step.params.get(name) == value for name, value in params.items())
        ]

    def ended(self, steps: Sequence[Step]) -> bool:
        """There are such steps, and all of them have ended."""
        return bool(steps) and all(step.id in self.finished for step in steps)

    def resolvers(self) -> list[str]:
        """The configured name servers, in order, each once."""
        return list(dict.fromkeys(server for _, config in self.of(ResolverConfig) for server in config.servers))

    def knows_routes(self) -> bool:
        """The routes of both families were looked up, or the machine's step has ended without."""
        looked_up = {route.family for _, route in self.of(DefaultRoute)}
        return looked_up == {4, 6} or self.ended(self.steps("machine"))

    def routed_families(self) -> set[int]:
        """Families with a default route; empty when there is none, or the platform does not tell."""
        return {route.family for _, route in self.of(DefaultRoute) if route.exists}


def _hides_answers(one: Observation) -> bool:
    """A connect that sees nothing below some TTL: that it failed is no failure (arriving.py)."""
    return isinstance(one, Connect) and one.min_ttl is not None


def make_step(
    probe: str,
    role: Role,
    *,
    subject: str = "",
    address: str | None = None,
    port: int | None = None,
    proxy: str | None = None,
    again: bool = False,
    caused_by: ObsId | None = None,
    via: Via | None = None,
    params: Mapping[str, str] | None = None,
) -> Step:
    """A step whose id says all that tells it from others (its cause does not: equal work is done once)."""
    params = dict(params or {})
    parts = [probe, role, subject, address or "", str(port or ""), proxy or ""]
    parts += [f"{name}={params[name]}" for name in sorted(params)]
    parts += [f"{via.kind} {via.name}"] if via is not None else []
    parts += ["again"] if again else []
    return Step(
        id=StepId("|".join(part for part in parts if part)),
        probe=probe,
        role=role,
        subject=subject,
        address=address,
        port=port,
        proxy=proxy,
        round=2 if again else 1,
        caused_by=caused_by,
        via=via,
        params=params,
    )
