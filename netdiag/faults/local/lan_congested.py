"""The local network is full.

What is broken
    The link between the machine and its own router carries more than it can: weak or shared Wi-Fi, a slow cable,
    another program or person that uses it up. Its queue makes everybody wait.

How it shows
    Round trips to the gateway itself grow while a download runs, those to every router behind it with them, and
    every host is as slow.

What looks like it
    A router that answers slowly while it is busy: then round trips to the routers behind it stay short. A full line
    to the provider (transit.access.congested): round trips to the gateway stay short then.

What would settle it
    The same download over a cable, or close to the access point.

What to tell the customer
    How much longer the first metres took while data came, and that this slows every service alike.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.speed import FACTS, body_is_not_slow, controls_words, grown, pace


def assess(facts: Facts) -> Finding:
    finding = body_is_not_slow(facts)
    if finding is not None:
        return finding
    speed = facts.speed
    if speed.limited_by.value is None:
        return silent(f"{pace(facts)}; what held them up is not known.", *FACTS)
    gateway = next((one for one in speed.round_trips.value or () if one.ttl == 1), None)
    if speed.limited_by.value != "lan":
        if gateway is None or gateway.grew is None:
            return silent("Whether round trips to the gateway grew is not known.", *FACTS)
        return opposes("Round trips to the gateway stayed short.", *FACTS, witnesses=speed.round_trips.witnesses)
    if speed.controls_fast.value is True:
        return opposes(f"{grown(facts).capitalize()}, yet other hosts come fast over it.", *FACTS)
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{facts.host} works, and is slow: {pace(facts)}, and meanwhile {grown(facts)}: "
            f"the queue is in the local network{controls_words(facts)}."
        ),
        facts=FACTS,
        witnesses=speed.round_trips.witnesses + speed.slow.witnesses + speed.controls_fast.witnesses,
        at_most_likely=True,
        at_most_possible=speed.controls_fast.value is not False,
        of="slowness",
        settle_next="The same run over a cable, or close to the access point.",
    )


FAULT = Fault(
    code="local.lan.congested",
    title="The local network is full",
    needs=("speed.slow",),
    assess=assess,
    reply=(
        "Packets already wait between the machine and its own router while data are loaded, and every service is "
        "slowed alike. Please run netdiag again over a cable or close to the access point, when nobody else uses the "
        "network."
    ),
)
