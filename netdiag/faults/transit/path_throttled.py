"""The transfer is throttled by a policer.

What is broken
    A device gives the transfer a fixed rate and drops what comes faster: a tariff's limit, a rule by name or by
    network, a limit at the vendor's border, or a router of the customer's own that divides the line up.

How it shows
    The download begins fast and falls, after a fixed number of bytes, to a constant low rate (a token bucket);
    packets are lost from there on, and round trips stay as short as they were: there is no queue.

What looks like it
    Congestion (transit.path.congested): round trips grow before packets are lost. A server that limits its own
    rate: nothing is lost. Random loss: no fast beginning, no sharp knee.

What would settle it
    The same download from another line, and from another host over this line: who shares the limit tells whose it
    is.

What to tell the customer
    After how many bytes the rate falls, and to what.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.speed import FACTS, OTHER_LINE, body_is_not_slow, controls_words, kilobytes, pace

USED = (*FACTS, "speed.shape", "speed.bucket")


def assess(facts: Facts) -> Finding:
    finding = body_is_not_slow(facts)
    if finding is not None:
        return finding
    speed = facts.speed
    bucket, limit = speed.bucket.value, speed.limited_by.value
    if limit is None:
        return silent(f"{pace(facts)}; what held them up is not known.", *USED)
    if limit != "drops":
        why = "nothing was lost" if limit == "sender" else "round trips grew, so packets waited and were not dropped"
        return opposes(f"{pace(facts)}, and {why}.", *USED, witnesses=speed.slow.witnesses)
    if bucket is None or bucket.policed is not True:
        return silent("Packets are lost, in no pattern that tells a policer from other loss.", *USED)
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{facts.host} works, and is slow: after {bucket.knee:,} bytes the rate falls from "
            f"{kilobytes(bucket.before)} to a constant {kilobytes(bucket.after)} kB/s, with packets lost and round "
            f"trips as short as before: a policer{controls_words(facts)}."
        ),
        facts=USED,
        witnesses=speed.slow.witnesses + speed.bucket.witnesses,
        at_most_likely=True,
        # One end sees the policer's work, and nothing of where it stands.
        at_most_possible=True,
        of="slowness",
        settle_next=OTHER_LINE,
    )


FAULT = Fault(
    code="transit.path.throttled",
    title="The transfer is throttled on the way",
    needs=("speed.slow",),
    assess=assess,
    reply=(
        "The transfer is held at a fixed rate by a device that drops what comes faster. Your measurement shows the "
        "rate and after how many bytes it begins, and not yet whose device it is. We are measuring the same from "
        "another line; please ask your internet provider whether your tariff or your network has such a limit."
    ),
)
