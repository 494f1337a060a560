"""One whole run: what will be contacted, the measuring, and the records of it, already cleaned of what is private."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

import msgspec

from netdiag import __version__
from netdiag.evidence.bundle import Bundle, Options, ProfileUse, Reference, Step, Target
from netdiag.evidence.container import CAPTURE, MAX_MEMBER
from netdiag.evidence.limits import LimitBudget
from netdiag.evidence.machine import ResolverConfig
from netdiag.evidence.observation import Observation
from netdiag.evidence.profile import Profile
from netdiag.evidence.record import StepId
from netdiag.evidence.redact import Redactor
from netdiag.probes import (
    arriving,
    canary,
    delegation,
    dns,
    echo,
    egress,
    flows,
    http,
    in_flow,
    knock,
    limits,
    machine,
    nat64,
    paced,
    reach,
    reverse,
    route,
    sizes,
    slow,
    walk,
    watch,
    way,
)
from netdiag.probes.base import Probe
from netdiag.probes.capture import capture_file
from netdiag.probes.cleaning import redactor_for
from netdiag.probes.clock import Clock
from netdiag.probes.controls import PUBLIC_RESOLVERS, Control, controls_for
from netdiag.probes.kernel import capture as capturing
from netdiag.probes.kernel import features
from netdiag.probes.library.machine import machine_for_this_platform
from netdiag.probes.library.web import Identity
from netdiag.probes.manners import DEEP_SCALE, Governor
from netdiag.probes.plan import Inputs, Seen, next_steps
from netdiag.probes.plan.limits import budget_for
from netdiag.probes.plan.recovery import MAX_ATTEMPTS, what_to_watch
from netdiag.probes.plan.seen import make_step
from netdiag.probes.run import Outcome, Watcher, run
from netdiag.probes.ways import Way
from netdiag.probes.world import LiveWorld

PROBES: Mapping[str, Probe] = MappingProxyType(
    {
        one.PROBE.name: one.PROBE
        for one in (
            machine,
            route,
            dns,
            delegation,
            nat64,
            reach,
            http,
            echo,
            knock,
            limits,
            walk,
            flows,
            in_flow,
            arriving,
            sizes,
            paced,
            slow,
            reverse,
            canary,
            egress,
            way,
            watch,
        )
    }
)

SEALING_S = 1.0
"""Kept back of the budget: handing over, sealing and writing must end inside it, too."""


WATCH_SPARE_S = 10.0
"""Over the duration of a watch: for its last attempt to end."""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run, of which only the failures are repeated: ``addresses`` that failed (none: no name was resolved),
    and the hosts for comparison that worked."""

    reference: Reference
    addresses: tuple[str, ...]
    controls: tuple[str, ...]


RECHECK_CONTROLS = 2
"""Hosts for comparison in a recheck: of those that worked, so that two of different operators are left."""


class CollectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer asked for. ``typed`` is the URL as it was typed, whose secrets must be found nowhere again.
    ``source`` binds every connection to that local address (None: the kernel chooses). ``ways``: the second ways, and
    ``typed_ways`` how they were typed, with what may be secret in it."""

    typed: str
    target: Target
    options: Options
    profile: Profile | None = None
    ticket: str | None = None
    source: str | None = None
    ways: tuple[Way, ...] = ()
    typed_ways: tuple[str, ...] = ()
    earlier: Earlier | None = None


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """The records of a run, and the redactor that cleaned them, for whatever else is shown of it. ``capture``: its
    packets as pcapng, where that was asked for and could be."""

    bundle: Bundle
    redactor: Redactor
    capture: bytes | None = None


def controls_of(request: CollectRequest) -> Sequence[Control]:
    """The controls of this run: the profile's own; else the default ones, but none for a private target."""
    urls = [] if request.profile is None else list(request.profile.controls)
    known = () if request.target.private and not urls else controls_for(urls)
    if request.earlier is None:
        return known
    worked = [control for control in known if control.host in request.earlier.controls]
    return sorted(worked or known, key=lambda control: control.is_page)[:RECHECK_CONTROLS]


def limit_budget(request: CollectRequest) -> LimitBudget:
    """What ``--rate-limit`` may spend on this target."""
    return budget_for(request.target.url, request.profile)


def contacts(request: CollectRequest) -> list[str]:
    """What will be contacted, by name or class, for the person to agree to before anything is sent."""
    target = request.target
    earlier = request.earlier
    at = f" at {', '.join(earlier.addresses)}" if earlier is not None and earlier.addresses else ""
    where = f"{target.host}{at}, port {target.port} (and one other port, if that fails)"
    own = "this machine's own gateway, name servers (if something fails, also for the names of routers) and proxy"
    listed = [f"the target: {where}", own]
    if not (target.private or target.is_literal):
        listed.append(f"public name servers: {', '.join(PUBLIC_RESOLVERS[:3])}")
        listed.append(f"the Internet's root name servers and those of {target.host}")
    hosts = list(dict.fromkeys(control.host for control in controls_of(request)))
    if hosts:
        listed.append(f"for comparison: {', '.join(hosts)}")
    listed += [
        f"the target and one of these hosts again by a second way out, {one.via.kind} {one.via.name}"
        for one in request.ways
    ]
    if request.options.watch_s:
        listed.append(f"if the target refuses or drops: the target again, {MAX_ATTEMPTS} times at most, once a while")
    listed.append("routers on the way, by packets that expire there")
    if not target.private:
        listed.append(
            "if it fails: addresses where nobody is (192.0.2.0/24, 2001:db8::/32), to find proxies in between"
        )
    return listed


def collect(request: CollectRequest, watcher: Watcher) -> Collected:
    """Measure, and return cleaned records. What fails on the network is in them; ``KeyboardInterrupt`` ends the
    measuring early, and what there is comes back (``Bundle.interrupted``)."""
    began_at = datetime.now(UTC)
    clock = Clock(max(SEALING_S, request.options.budget_s - SEALING_S))
    recorder = capturing.begin(clock) if request.options.capture else None
    run_id = secrets.token_hex(8)
    world = LiveWorld(
        clock,
        machine_for_this_platform(clock, features.found()),
        Identity(run_id=run_id, customer_agent=request.options.user_agent),
        Governor(DEEP_SCALE if request.options.deep else 1),
        source=request.source,
        ways=request.ways,
    )
    inputs = Inputs(
        target=request.target,
        url=request.target.url,
        options=request.options,
        controls=controls_of(request),
        public_resolvers=PUBLIC_RESOLVERS,
        consented=request.profile is not None and not request.profile.internal,
        limits=limit_budget(request) if request.options.rate_limit else None,
        ways=request.ways,
        again=request.earlier is not None,
        only=() if request.earlier is None else request.earlier.addresses,
    )
    outcome = run(
        lambda started, finished, seen: next_steps(inputs, Seen(started, finished, seen)), PROBES, world, clock, watcher
    )
    if outcome.interrupted is None and request.options.watch_s:
        outcome = _watched(inputs, outcome, world, clock, watcher)
    redactor = _redactor(request, outcome.observations)
    capture: bytes | None = None
    if recorder is not None:
        application = f"netdiag {__version__}, run {run_id}"
        outcome, capture = _with_capture(recorder, outcome, world, application=application, clean=redactor.text)
    steps, observations = _with_short_ids(outcome)
    bundle = Bundle(
        run_id=run_id,
        began_at=began_at,
        duration_ns=clock.now_ns(),
        tool=f"netdiag {__version__}",
        target=request.target,
        options=request.options,
        ticket=request.ticket,
        profile=None if request.profile is None else _use_of(request.profile),
        interrupted=outcome.interrupted,
        rechecks=None if request.earlier is None else request.earlier.reference,
        probe_versions={name: probe.version for name, probe in PROBES.items()},
        plan=steps,
        observations=observations,
    )
    cleaned = redactor.redact(bundle)
    removed = msgspec.structs.replace(cleaned, removed=redactor.removed)
    return Collected(bundle=removed, redactor=redactor, capture=capture)


def _watched(inputs: Inputs, outcome: Outcome, world: LiveWorld, clock: Clock, watcher: Watcher) -> Outcome:
    """The run, and after it the watch for recovery, where something failed. That this was interrupted leaves the run
    whole: the step that did not end says so itself."""
    ids = {step.id: step for step in outcome.steps}
    step = what_to_watch(inputs, Seen(ids, frozenset(ids), outcome.observations))
    if step is None:
        return outcome
    clock.extend(inputs.options.watch_s + WATCH_SPARE_S)
    watch = run(lambda started, _ended, _seen: () if started else (step,), PROBES, world, clock, watcher)
    steps, observations = (*outcome.steps, *watch.steps), (*outcome.observations, *watch.observations)
    return msgspec.structs.replace(outcome, steps=steps, observations=observations)


def _with_capture(
    recorder: capturing.Recorder | capturing.Why,
    outcome: Outcome,
    world: LiveWorld,
    *,
    application: str,
    clean: Callable[[str], str],
) -> tuple[Outcome, bytes | None]:
    """The run's packets as pcapng; without them ``outcome`` gets the record that says why. A bug in here must not cost
    the records."""
    why: Literal["no_privilege", "unsupported", "crashed"]
    detail = ""
    if isinstance(recorder, str):
        why = recorder
    else:
        try:
            haul, most = recorder.stop(), MAX_MEMBER[CAPTURE]
            return outcome, capture_file(
                haul, outcome.observations, application=application, clean=clean, most_bytes=most
            )
        except Exception as error:  # noqa: BLE001 - see above
            why, detail = "crashed", type(error).__name__
    step = make_step("capture", "machine")
    record = world.stamp(step).not_run(why, "packet capture", world.now_ns(), detail=detail)
    steps, observations = (*outcome.steps, step), (*outcome.observations, record)
    return msgspec.structs.replace(outcome, steps=steps, observations=observations), None


def _with_short_ids(outcome: Outcome) -> tuple[tuple[Step, ...], tuple[Observation, ...]]:
    """Steps as ``s1``, ``s2`` …: the planner's own ids tell equal work, are long, and stand in every record."""
    short = {step.id: StepId(f"s{number}") for number, step in enumerate(outcome.steps, start=1)}
    steps = (msgspec.structs.replace(step, id=short[step.id]) for step in outcome.steps)
    return tuple(steps), tuple(msgspec.structs.replace(one, step=short[one.step]) for one in outcome.observations)


def _use_of(profile: Profile) -> ProfileUse:
    return ProfileUse(sha256=profile.sha256, vendor=profile.name)


def _redactor(request: CollectRequest, observations: Sequence[Observation]) -> Redactor:
    searched = [name for one in observations if isinstance(one, ResolverConfig) for name in one.search]
    return redactor_for((request.typed, *request.typed_ways), searched)
