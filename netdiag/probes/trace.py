"""The walk alone, for engineers: ``trace(TraceRequest(...))`` returns its records, as ``netdiag trace`` shows them."""

import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

import msgspec

from netdiag import __version__
from netdiag.evidence.bundle import Bundle, Options, Step, Target
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes import flows, walk
from netdiag.probes.base import OutOfTimeError, Walker
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import features
from netdiag.probes.kernel.raw_craft import load
from netdiag.probes.manners import DEEP_SCALE, Governor
from netdiag.probes.path_world import PathWorld
from netdiag.probes.stretch import FIRST_TTL, stretch_beyond
from netdiag.probes.walk_plan import is_end, is_router

SPLIT_FLOWS = 8
"""Flows where a walk over TCP ended in silence and nobody said how many."""

_FAMILIES: Mapping[int | None, socket.AddressFamily] = MappingProxyType(
    {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
)


class TraceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Where to, and how. ``flows``: 1 is the walk and nothing else; more are sent to every hop; None: more are sent
    only where the walk ends in silence (or ``deep``). ``raw``: packets of netdiag's own making, with privilege."""

    host: str
    address: str
    port: int = 443
    protocol: Literal["tcp", "udp", "icmp"] = "tcp"
    flows: int | None = None
    raw: bool = False
    deep: bool = False
    budget_s: int = 30


def resolve(host: str, family: Literal[4, 6] | None = None) -> list[str]:
    """The addresses that this machine's own resolution gives, in its order, each once. Raises ``OSError``."""
    found = socket.getaddrinfo(host, None, _FAMILIES[family], socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]).partition("%")[0] for *_, where in found))


def prepare(request: TraceRequest) -> None:
    """Load what this trace needs beside this module, before its clock runs: scapy for ``raw``, a third of a second
    where this process may send raw packets. Every trace does it first; called before, it saves the first one that."""
    if request.raw and features.has_scapy() and features.may_send_icmp(raw=True):
        load()


def trace(request: TraceRequest) -> Bundle:
    """Walk, and return the records. Blocks for at most ``budget_s`` seconds beside what ``prepare`` takes; what fails
    is in the records."""
    tracing = Tracing(request)
    tracing.run()
    return tracing.bundle()


class Tracing:
    """One trace while it runs: ``bundle`` may be asked at any time, from any thread."""

    def __init__(self, request: TraceRequest, changed: Callable[[], None] = lambda: None) -> None:
        prepare(request)
        self.request = request
        self.interrupted: Literal["signal", "budget"] | None = None
        self._changed = changed
        self._clock = Clock(request.budget_s)
        self._began_at = datetime.now(UTC)
        self._run_id = secrets.token_hex(8)
        self._steps: list[Step] = []
        self._found: list[Observation] = []

    def run(self) -> None:
        """Walk, then send several flows if wanted. Ctrl-C and the budget end it early, and keep what was found."""
        world = PathWorld(self._clock, Governor(DEEP_SCALE if self.request.deep else 1))
        try:
            self._do(walk.run, self._walk(), world)
            flows_step = self._flows()
            if flows_step is not None:
                self._do(flows.run, flows_step, world)
        except OutOfTimeError:
            self.interrupted = "budget"
        except KeyboardInterrupt:
            self.interrupted = "signal"

    def _do(self, run: Callable[[Step, Walker], Iterator[Observation]], step: Step, world: Walker) -> None:
        self._steps.append(step)
        for one in run(step, world):
            self._found.append(one)
            self._changed()

    def bundle(self) -> Bundle:
        """What was found so far."""
        request = self.request
        return Bundle(
            run_id=self._run_id,
            began_at=self._began_at,
            duration_ns=self._clock.now_ns(),
            tool=f"netdiag {__version__}",
            target=Target(
                scheme="https", host=request.host, port=request.port, is_literal=request.host == request.address
            ),
            options=Options(deep=request.deep, budget_s=request.budget_s),
            interrupted=self.interrupted,
            probe_versions={probe.name: probe.version for probe in (walk.PROBE, flows.PROBE)},
            plan=tuple(self._steps),
            observations=tuple(self._found),
        )

    def _walk(self) -> Step:
        return self._step("walk", {"protocol": self.request.protocol, "look": "wide"})

    def _flows(self) -> Step | None:
        replies = [one for one in self._found if isinstance(one, HopReply)]
        own = [one for one in replies if one.protocol == self.request.protocol]
        wanted = self.request.flows
        if wanted is None:
            silent = any(one.answer == "none" for one in own) and not any(is_end(one) for one in own)
            stretch = stretch_beyond(replies) if self.request.protocol == "tcp" else {}
            if not stretch or not (silent or self.request.deep):
                return None
            count = SPLIT_FLOWS * (DEEP_SCALE if self.request.deep else 1)
            return self._step("flows", {"flows": str(count), "look": "split", **stretch})
        # No SYN may go beyond the last router that is proven; UDP and ICMP may as well go where none of them does.
        last = max((one.ttl for one in replies if is_router(one)), default=0)
        ttls = ",".join(map(str, range(FIRST_TTL, last + 1)))
        if wanted == 1 or not ttls:
            return None
        return self._step("flows", {"flows": str(wanted), "look": "whole", self.request.protocol: ttls})

    def _step(self, probe: str, params: Mapping[str, str]) -> Step:
        mode = {"mode": "raw"} if self.request.raw else {}
        return Step(
            id=StepId(probe),
            probe=probe,
            role="target",
            subject=self.request.host,
            address=self.request.address,
            port=self.request.port,
            params={**params, **mode},
        )
