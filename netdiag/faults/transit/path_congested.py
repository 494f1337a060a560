"""A link between the provider and the vendor is full.

What is broken
    A link beyond the provider's first router carries more than it can, often at certain hours (an interconnection
    between two networks, a provider's own core). Its queue makes everybody wait whose packets pass it.

How it shows
    Round trips to the nearer routers, one of the provider's among them, stay short while a download runs; those to
    some router grow, and all further ones with them.

What looks like it
    A full access line (transit.access.congested): the provider's first router is slow, too. A full link of the
    vendor's own: round trips grow only there. Routers that answer slowly while others behind them are quick: no
    queue.

What would settle it
    The same download from the agent's line, and at another time of day.

What to tell the customer
    Between which routers packets wait, and by how much.
"""

from netdiag.facts import Facts
from netdiag.facts.places import classify, family
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import customers_own
from netdiag.faults.speed import FACTS, OTHER_LINE, body_is_not_slow, controls_words, grown, pace
from netdiag.faults.transit._signs import CUSTOMERS_HOPS


def assess(facts: Facts) -> Finding:
    finding = body_is_not_slow(facts)
    if finding is not None:
        return finding
    speed = facts.speed
    limit = speed.limited_by.value
    if limit is None:
        return silent(f"{pace(facts)}; what held them up is not known.", *FACTS)
    if limit not in {"path", "end"}:
        return opposes(
            "Round trips did not begin to grow beyond the provider's first router.",
            *FACTS,
            witnesses=speed.round_trips.witnesses,
        )
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{facts.host} works, and is slow: {pace(facts)}, and meanwhile {grown(facts)}: "
            f"packets wait there{controls_words(facts)}."
        ),
        facts=FACTS,
        witnesses=speed.round_trips.witnesses + speed.slow.witnesses,
        at_most_likely=True,
        # At the vendor's routers the queue may be the vendor's own; nearby it may be the customer's.
        at_most_possible=limit == "end" or not _is_the_provider_quick(facts),
        of="slowness",
        settle_next=OTHER_LINE,
    )


def _is_the_provider_quick(facts: Facts) -> bool:
    """A router that stayed quick is the provider's: NAT shows where the customer's network ends, or a second router
    lies in between. The first public router of a line without NAT may be the customer's own."""
    between = facts.speed.held_between.value
    quick = next((one for one in facts.speed.round_trips.value or () if between and one.router == between[0]), None)
    if quick is None or quick.router is None or customers_own(facts, quick.router):
        return False
    own = [one for one in facts.machine.own_addresses.value or () if family(one) == 4]
    has_nat = family(quick.router) == 4 and bool(own) and all(classify(one) == "private" for one in own)
    return has_nat or quick.ttl > CUSTOMERS_HOPS


FAULT = Fault(
    code="transit.path.congested",
    title="A link on the way is full",
    needs=("speed.slow",),
    rivals=("local.lan.congested",),
    assess=assess,
    reply=(
        "While data are loaded, packets wait on a link between your internet provider and us; your own network is "
        "quick. Please give the report to the provider: it shows between which routers they wait, and how long."
    ),
)
