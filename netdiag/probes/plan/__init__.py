"""Pure planning: the target, the machine and what was seen so far -> the steps that should start next.

``next_steps`` is asked again after every observation; a step is started once. The rules stand in the order of the plan
in design.md: own machine; names, controls and target side by side; follow-ups that change one axis; then the failing
check once more; the rate section, if it was asked for; the machine's counters last.
"""

from collections.abc import Callable, Iterable, Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import DefaultRoute
from netdiag.probes.plan.arriving import measure_arriving_ttls
from netdiag.probes.plan.canaries import ask_where_nobody_is
from netdiag.probes.plan.controls import (
    echo_a_control,
    measure_by_proxy,
    measure_controls,
    walk_to_a_control,
    walk_to_a_silent_control,
)
from netdiag.probes.plan.flows import look_at_other_flows
from netdiag.probes.plan.in_flow import look_inside_the_flow, walk_beside_a_reset
from netdiag.probes.plan.limits import look_for_limits
from netdiag.probes.plan.losses import (
    count_more_where_something_is_lost,
    gateway_of,
    knock_where_no_echo_is_allowed,
    sample_losses,
)
from netdiag.probes.plan.names import ask_names, ask_names_again, ask_outside_for_controls
from netdiag.probes.plan.owners import ask_whose_hops
from netdiag.probes.plan.raw_walk import walk_with_raw_packets
from netdiag.probes.plan.seen import Inputs, Seen, make_step, stays_here
from netdiag.probes.plan.sizes import look_for_size_limits
from netdiag.probes.plan.slow import look_at_speed
from netdiag.probes.plan.target import (
    ask_as_another_client,
    check_once_more,
    follow_failed_connects,
    measure_addresses,
    walk_and_echo,
)
from netdiag.probes.plan.via import take_second_ways

__all__ = ["Inputs", "Seen", "next_steps"]

Rule = Callable[[Inputs, Seen], Iterable[Step]]


def look_at_the_machine(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Links, routes, resolvers, overrides, clock; and echo to each gateway."""
    yield make_step("machine", "machine", subject=inputs.target.host)
    for _, route in seen.of(DefaultRoute) if not stays_here(inputs.target) else ():
        address = gateway_of(route)
        if address is not None:
            yield make_step("echo", "gateway", address=address, caused_by=route.id, params={"count": "5"})


def look_at_the_machine_again(inputs: Inputs, _: Seen) -> Iterator[Step]:
    """Counters and neighbour states after the traffic."""
    yield make_step("machine", "machine", subject=inputs.target.host, again=True)


FIRST: tuple[Rule, ...] = (
    look_at_the_machine,
    ask_names,
    ask_outside_for_controls,
    measure_controls,
    measure_by_proxy,
    measure_addresses,
    walk_and_echo,
    walk_to_a_control,
    walk_to_a_silent_control,
    echo_a_control,
    follow_failed_connects,
    ask_as_another_client,
    knock_where_no_echo_is_allowed,
    count_more_where_something_is_lost,
    look_at_other_flows,
    walk_with_raw_packets,
    look_inside_the_flow,
    walk_beside_a_reset,
    measure_arriving_ttls,
    look_for_size_limits,
    sample_losses,
    look_at_speed,
    ask_whose_hops,
    ask_where_nobody_is,
    take_second_ways,
)
AGAIN: tuple[Rule, ...] = (
    # What failed in an earlier run, and what it takes to judge it: the machine, names, hosts for comparison.
    look_at_the_machine,
    ask_names,
    ask_outside_for_controls,
    measure_controls,
    measure_by_proxy,
    measure_addresses,
    follow_failed_connects,
    walk_to_a_control,
    ask_as_another_client,
)
ONCE_MORE: tuple[Rule, ...] = (ask_names_again, check_once_more)
RATE: tuple[Rule, ...] = (look_for_limits,)
LAST: tuple[Rule, ...] = (look_at_the_machine_again,)


def next_steps(inputs: Inputs, seen: Seen) -> tuple[Step, ...]:
    """The steps that should start now. Empty while running steps must end first; empty for good when all is done.

    Each phase begins when nothing of the one before is running or still wanted. The check once more waits for no look
    ``_beside``.
    """
    running = [step for id_, step in seen.started.items() if id_ not in seen.finished]
    first = AGAIN if inputs.again else FIRST
    for rules in (first, ONCE_MORE, RATE, LAST):
        wanted = {step.id: step for rule in rules for step in rule(inputs, seen)}
        fresh = tuple(step for id_, step in wanted.items() if id_ not in seen.started)
        if fresh or any(not _beside(step) or rules is not first for step in running):
            return fresh
    return ()


def _beside(step: Step) -> bool:
    """Does nothing that comes later depend on it? The look at the machine ends with the system's own lookup, which a
    silent name server holds up for seconds; other flows, raw packets and a walk beside a refusal look again at a path
    that was walked; and the names of routers are for the report."""
    beside_a_refusal = step.probe == "walk" and step.role == "target" and step.params.get("protocol") == "udp"
    return step.probe in {"machine", "flows", "reverse"} or beside_a_refusal or step.params.get("mode") == "raw"
