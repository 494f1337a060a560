"""The rate section alone, for who asks for nothing else: what ``netdiag limits`` runs."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from netdiag import __version__
from netdiag.evidence.bundle import Bundle, Options, ProfileUse, Step, Target
from netdiag.evidence.limits import LimitBudget
from netdiag.evidence.observation import Observation
from netdiag.evidence.profile import Profile
from netdiag.evidence.record import StepId
from netdiag.probes import limits
from netdiag.probes.base import OutOfTimeError
from netdiag.probes.cleaning import redactor_for
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import features
from netdiag.probes.library.machine import machine_for_this_platform
from netdiag.probes.library.web import Identity
from netdiag.probes.plan.limits import budget_for
from netdiag.probes.world import LiveWorld

OPERATOR = LimitBudget(requests=300, connections=100, rate=20.0, refusals=6, by="operator")
"""What ``--i-operate-this`` allows: enough to tell the rate of a limit to 15 %, and less than any service minds that is
its operator's own to ask. A profile's ceilings are for other people's services."""


class LimitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, at which of its addresses. ``typed``: the URL as it was typed, whose secrets must be found nowhere
    again. ``operator``: who asks says that he runs the service himself."""

    typed: str
    target: Target
    address: str
    budget_s: int
    operator: bool = False
    profile: Profile | None = None

    @property
    def budget(self) -> LimitBudget:
        """What may be spent."""
        allowed = OPERATOR if self.operator else budget_for(self.target.url, self.profile)
        return msgspec.structs.replace(allowed, seconds=self.budget_s)


class Limiting:
    """One rate section while it runs: ``bundle`` may be asked at any time, from any thread."""

    def __init__(self, request: LimitRequest, changed: Callable[[], None] = lambda: None) -> None:
        self.request = request
        self.interrupted: Literal["signal", "budget"] | None = None
        self._changed = changed
        self._clock = Clock(request.budget_s)
        self._began_at = datetime.now(UTC)
        self._run_id = secrets.token_hex(8)
        self._found: list[Observation] = []
        self._step = Step(
            id=StepId("limits"),
            probe=limits.PROBE.name,
            role="target",
            subject=request.target.host,
            address=request.address,
            port=request.target.port,
            params={"url": request.target.url, **request.budget.params()},
        )

    def run(self) -> None:
        """Ask until it is over. Ctrl-C and the budget end it early, and keep what was found."""
        machine = machine_for_this_platform(self._clock, features.found())
        world = LiveWorld(self._clock, machine, Identity(run_id=self._run_id))
        try:
            for one in limits.PROBE.run(self._step, world):
                self._found.append(one)
                self._changed()
        except OutOfTimeError:
            self.interrupted = "budget"
        except KeyboardInterrupt:
            self._clock.stop()
            self.interrupted = "signal"

    def bundle(self) -> Bundle:
        """What was found so far."""
        profile = self.request.profile
        return Bundle(
            run_id=self._run_id,
            began_at=self._began_at,
            duration_ns=self._clock.now_ns(),
            tool=f"netdiag {__version__}",
            target=self.request.target,
            options=Options(rate_limit=True, budget_s=self.request.budget_s),
            profile=None if profile is None else ProfileUse(sha256=profile.sha256, vendor=profile.name),
            interrupted=self.interrupted,
            probe_versions={limits.PROBE.name: limits.PROBE.version},
            plan=(self._step,),
            observations=tuple(self._found),
        )

    def to_keep(self) -> Bundle:
        """``bundle``, cleaned of what is private."""
        redactor = redactor_for([self.request.typed])
        cleaned = redactor.redact(self.bundle())
        return msgspec.structs.replace(cleaned, removed=redactor.removed)
