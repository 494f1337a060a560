"""What both faults of a dead equal-cost member read: which flows never pass, where they end, whom that explains."""

from netdiag.facts import AddressState, Facts
from netdiag.facts.members import Members
from netdiag.faults.base import Finding, opposes, silent
from netdiag.faults.reading import target_reached

FACTS = ("path.members", "target.addresses")
OF_THE_VENDOR = frozenset({"vendor", "target"})
NEXT = (
    "Connections from one source port, again and again, then from another, captured at the vendor's border: those of "
    "the dead member never arrive there, or their answers never arrive here."
)


def dead_members(facts: Facts) -> tuple[Members, ...]:
    """Where some flows never pass, and the others always do."""
    members = facts.path.members.value or ()
    return tuple(one for one in members if one.dead_member is True and one.never() and one.passing())


def no_member(facts: Facts) -> Finding:
    """Why there is no finding: no split was seen, or too little to tell one."""
    told = facts.path.members.value or ()
    if told and all(_is_undivided(one, told) for one in told):
        return opposes(
            f"{sum(len(one.flows) for one in told)} flows to the target do not differ by their source port.",
            *FACTS,
            witnesses=facts.path.members.witnesses,
        )
    return silent("Several flows to the target do not show that some of them never pass.", *FACTS)


def _is_undivided(members: Members, told: tuple[Members, ...]) -> bool:
    """Its flows all pass; or too few of them were asked, all of which do, and those of another protocol to the same
    address all get at least as far."""
    if members.dead_member is not None:
        return members.dead_member is False
    asked = [flow for flow in members.flows if flow.tries]
    others = [one for one in told if one.address == members.address and one.dead_member is False]
    return all(flow.passes is True for flow in asked) and any(one.far >= members.far for one in others)


def told(members: Members) -> str:
    """``5 of 8 flows to … never pass, in 3 tries each, …``: what was seen, and where the flows end."""
    never, passing = members.never(), members.passing()
    tries = min(flow.tries for flow in never)
    last = f"{' and '.join(members.last_seen_addresses) or 'this machine'} at hop {members.last_seen}"
    ports = ", ".join(str(flow.source_port) for flow in never[:4]) + (" …" if len(never) > 4 else "")
    return (
        f"{len(never)} of {len(never) + len(passing)} {members.protocol.upper()} flows to {members.address} (from "
        f"source ports {ports}) never get beyond {last} in {tries} tries each, while the others always get to hop "
        f"{members.far}"
    )


def explains(facts: Facts, members: Members) -> bool:
    """The target fails, and connections to that address came to nothing. Where it works, trying again has helped."""
    if target_reached(facts):
        return False
    return any(
        state.address == members.address and (_silent_at_times(state) or _request_failed(state))
        for state in facts.target.addresses.value or ()
    )


def _silent_at_times(state: AddressState) -> bool:
    return state.connect is not None and (
        state.connect.how == "silent" or (state.connect.how == "open" and state.connect.worked < state.connect.attempts)
    )


def _request_failed(state: AddressState) -> bool:
    return state.http is not None and state.http.how == "failed"
