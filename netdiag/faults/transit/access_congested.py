"""The line between the customer's gateway and the provider is full.

What is broken
    The access line carries more than it can, in one direction: another program or person behind the same gateway
    uses it up, the line is too slow for what is loaded, or the provider's side of it is overloaded. A long queue
    before it (a full buffer) makes everybody behind it wait.

How it shows
    Round trips to the gateway stay short while a download runs; those to the first router behind it grow, and all
    further ones with them.

What looks like it
    A full local network (local.lan.congested): round trips to the gateway itself grow. Congestion further away
    (transit.path.congested): the provider's first router stays quick. From one end, the customer's own use of his
    line and his provider's overload look the same, so the side stays open.

What would settle it
    The same measurement when nothing else uses the line; the counters of the gateway.

What to tell the customer
    By how much round trips grew, from where on, and that every service is slowed alike.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.speed import AGAIN, FACTS, body_is_not_slow, controls_words, grown, pace


def assess(facts: Facts) -> Finding:
    finding = body_is_not_slow(facts)
    if finding is not None:
        return finding
    speed = facts.speed
    if speed.limited_by.value is None:
        return silent(f"{pace(facts)}; what held them up is not known.", *FACTS)
    if speed.limited_by.value != "access":
        told = any(one.ttl > 1 and one.grew is not None for one in speed.round_trips.value or ())
        if not told:
            return silent("Whether round trips beyond the gateway grew is not known.", *FACTS)
        return opposes(
            "Round trips did not begin to grow behind the gateway.", *FACTS, witnesses=speed.round_trips.witnesses
        )
    if speed.controls_fast.value is True:
        return opposes(f"{grown(facts).capitalize()}, yet other hosts come fast over the same line.", *FACTS)
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{facts.host} works, and is slow: {pace(facts)}, and meanwhile {grown(facts)}: the queue is on the line "
            f"between them{controls_words(facts)}."
        ),
        facts=FACTS,
        witnesses=speed.round_trips.witnesses + speed.slow.witnesses + speed.controls_fast.witnesses,
        at_most_likely=True,
        # Whether the customer's own use fills the line or the provider's does, no measurement of one end tells.
        at_most_possible=True,
        of="slowness",
        settle_next=AGAIN,
    )


FAULT = Fault(
    code="transit.access.congested",
    title="The line to the internet provider is full",
    needs=("speed.slow",),
    assess=assess,
    reply=(
        "While data are loaded, packets wait on the line between your router and your internet provider, and every "
        "service is slowed alike. Please measure once more when nothing else uses the line. If it is as slow then, the "
        "report is for the provider."
    ),
)
