"""What second ways out say of the addresses that fail here, in words that a person can read out."""

from collections.abc import Sequence

from netdiag.facts import AddressState, Facts
from netdiag.facts.ways import WayState
from netdiag.faults.base import CONTROL_RUN

SECOND_WAY = (
    "The same by a second way out in one run (`netdiag collect --via`): a phone's line as another interface, or a "
    "proxy on another network."
)

_BY = {
    "proxy": "through the proxy {}",
    "interface": "by the interface {}",
    "source": "from the local address {}",
}
_SHORT = {"proxy": "through the proxy", "interface": "by the other interface", "source": "from the other local address"}


def by(way: WayState) -> str:
    """``through the proxy 203.0.113.9:3128``."""
    return _BY[way.kind].format(way.name)


def _that_work(facts: Facts, addresses: Sequence[str]) -> list[WayState]:
    """Ways by which one of ``addresses`` worked, which fails here and did not recover meanwhile."""
    return [
        way
        for way in facts.ways.states.value or ()
        if any(one.works and one.fails_here and not one.recovered and one.address in addresses for one in way.trials)
    ]


def whence(facts: Facts) -> str:
    """From where the addresses that fail here are reached, as a clause: the way, or another line."""
    working = _that_work(facts, facts.ways.works_there.value or ())
    runs = any(run.usable and run.works is True for run in facts.agent.runs.value or ())
    lines = [by(way) for way in working] + (["from another line"] if runs or not working else [])
    return " and ".join(lines)


def for_a_block(facts: Facts, states: Sequence[AddressState]) -> str:
    """The clause that a second way which works deserves, or nothing: it is evidence for a block, and not against."""
    working = _that_work(facts, [state.address for state in states])
    if not working:
        return ""
    return f"; works {_SHORT[working[0].kind]}, dead from here: that is evidence for a block of this address"


def fails_there(facts: Facts, states: Sequence[AddressState]) -> str | None:
    """The way by which these addresses fail, too, although the vendor sees another address by it and a control works:
    then it is less about this address. None: there is no such way."""
    there = set(facts.ways.fails_there.value or ())
    if not states or not all(state.address in there for state in states):
        return None
    return next(
        (by(way) for way in facts.ways.states.value or () if way.other_address and any(t.alike for t in way.trials)),
        None,
    )


def next_measurement(facts: Facts) -> str:
    """What tells a block of this address from a drop for everyone: another line, and a second way where none was
    taken."""
    return CONTROL_RUN if facts.ways.states.known else f"{CONTROL_RUN} {SECOND_WAY}"
