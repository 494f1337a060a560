"""What second ways out say of the addresses that fail here, in words that a person can read out."""

from collections.abc import Sequence

from netdiag.facts import AddressState, Facts
from netdiag.facts.ways import Trial, WayState
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


def _that_work(facts: Facts, addresses: Sequence[str]) -> list[tuple[WayState, list[Trial]]]:
    """Other ways by which one of ``addresses`` worked, which fails here and did not recover meanwhile."""
    found = [(way, [one for one in way.trials if _works(one, addresses)]) for way in facts.ways.states.value or ()]
    return [(way, trials) for way, trials in found if trials]


def _works(one: Trial, addresses: Sequence[str]) -> bool:
    tells = bool(one.fails_here) and not one.recovered and one.other_way is not False
    return one.works is True and tells and one.address in addresses


def whence(facts: Facts) -> str:
    """From where the addresses that fail here are reached, as a clause: the way, or another line."""
    working = _that_work(facts, facts.ways.works_there.value or ())
    runs = any(run.usable and run.works is True for run in facts.agent.runs.value or ())
    lines = [by(way) for way, _ in working] + (["from another line"] if runs or not working else [])
    return " and ".join(lines)


def for_a_block(facts: Facts, states: Sequence[AddressState]) -> str:
    """The clause that a second way which works deserves, or nothing: it is evidence for a block, and not against; of a
    way by which the vendor may see the same address, only if it does not."""
    working = _that_work(facts, [state.address for state in states])
    if not working:
        return ""
    known = [way for way, trials in working if any(one.other_address for one in trials)]
    short = _SHORT[known[0].kind if known else working[0][0].kind]
    unless = "" if known else ", if the vendor sees another one that way"
    return f"; works {short}, dead from here: that is evidence for a block of this address{unless}"


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
