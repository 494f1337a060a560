"""Helpers of the tests of facts."""

from netdiag.evidence.bundle import Bundle
from netdiag.facts import AddressState, ControlState, Facts, derive
from tests.fakes.records import Story


class Prefixes:
    """A vendor profile, as far as facts read it."""

    def __init__(self, *prefixes: str) -> None:
        self.prefixes = prefixes


def facts_of(story: Story, *agents: Story, profile: Prefixes | None = None) -> Facts:
    """The facts of a story, and of agents' stories."""
    bundles: list[Bundle] = [agent.bundle() for agent in agents]
    return derive(story.bundle(), bundles, profile)


def state_of(facts: Facts, address: str) -> AddressState:
    """The state of one address of the target."""
    return next(state for state in facts.target.addresses.value or () if state.address == address)


def control_of(facts: Facts, address: str) -> ControlState:
    """The state of one control."""
    return next(state for state in facts.controls.states.value or () if state.address == address)
