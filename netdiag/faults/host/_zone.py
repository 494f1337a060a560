"""What the faults of the vendor's zone share: whether the customer's names fail, and who else says so."""

from netdiag.facts import AuthorityState, Facts, ResolverState, Witness
from netdiag.faults.base import CONTROL_RUN, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import names_fail_for_agent

USED = ("names.authorities", "names.resolvers", "names.parents_answer", "names.delegated", "agent.runs")
NEEDS = ("names.needed", "names.authorities")


def excused(facts: Facts) -> Finding | None:
    """Why the zone is not at fault: no name is needed, or independent servers give its addresses."""
    if facts.names.needed.value is False:
        return opposes("The target is an address, so no name has to be resolved.", "names.needed")
    if facts.names.independent_resolve.value is True:
        return opposes("Servers that are independent of this line resolve the name.", "names.independent_resolve")
    return None


def authorities(facts: Facts) -> tuple[AuthorityState, ...]:
    return facts.names.authorities.value or ()


def public(facts: Facts, *outcomes: str) -> tuple[ResolverState, ...]:
    """Independent resolvers that said one of these of the target, while they answer for other names."""
    return tuple(
        one
        for one in facts.names.resolvers.value or ()
        if one.server_class == "public" and one.target in outcomes and one.control in (None, "answers")
    )


def explains(facts: Facts) -> bool:
    """The customer's machine does not get an address for the name either."""
    return facts.names.system_resolves.value is not True and facts.names.configured_resolve.value is not True


def found(
    facts: Facts,
    because: str,
    *,
    by: tuple[AuthorityState, ...],
    and_by: tuple[ResolverState, ...],
    silence: bool = False,
) -> Finding:
    """A fault of the zone settles when somebody on another network says the same: an independent resolver (it asks
    from its own place), or the agent's run. Else a box on this line may have answered in the servers' place.
    ``silence``: nothing was said at all, which a drop somewhere on the way to the servers does as well."""
    elsewhere = names_fail_for_agent(facts)
    seen: list[Witness] = [witness for one in by for witness in one.witnesses]
    seen.extend(witness for resolver in and_by for witness in resolver.witnesses)
    also = ""
    if elsewhere:
        also = "; it is the same on another line"
    elif and_by:
        also = f"; {and_by[0].server}, an independent resolver, fails on it as well"
    settled = (bool(and_by) or elsewhere) and not silence
    return Finding(
        lean=Lean.SETTLES if settled else Lean.SUPPORTS,
        because=f"{because}{also}.",
        facts=USED,
        witnesses=tuple(dict.fromkeys(seen)),
        at_most_likely=not settled,
        explains=explains(facts),
        settle_next=CONTROL_RUN,
    )


def mixed() -> Finding:
    """Some of the zone's servers answer well, so the name can be had."""
    return silent("The zone's own servers do not agree among themselves.", *USED)


def names_of(states: tuple[AuthorityState, ...]) -> str:
    """The servers for a sentence: at most three."""
    shown = [one.server_name or one.server for one in states[:3]]
    return ", ".join(dict.fromkeys(shown)) + (f" and {len(states) - 3} more" if len(states) > 3 else "")
