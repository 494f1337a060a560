"""Readings of what size-limited walks and small segments met, for the faults that place a hole for large packets.

A hole is taken for granted only where connections that stall come about at once with a small MSS, and something besides
says size: large packets that vanish on the way there, or a peer that acknowledged what it was sent. Without that, a
filter that reads names and misses those that are cut in two looks the same.
"""

from collections.abc import Callable

from netdiag.facts import Facts
from netdiag.facts.sizes import SizeWalk, Stall
from netdiag.faults.base import Finding, Lean, opposes, silent
from netdiag.faults.reading import customers_own, excused, weakest

FACTS = ("sizes.stalls", "target.addresses", "controls.states")
NEXT = (
    "A packet capture at the vendor's border while the customer connects: do the large packets of the answer leave, "
    "and does a router say that they are too big? And the MTU of the links between the routers named."
)


def stalls_of(facts: Facts, address: str) -> Stall | None:
    """What packets of other sizes met at this address; None: it was not looked at."""
    return next((stall for stall in facts.sizes.stalls.value or () if stall.address == address), None)


def is_no_matter_of_size(facts: Facts, address: str) -> bool:
    """The address is as silent to small segments."""
    stall = stalls_of(facts, address)
    return stall is not None and stall.small == "fails"


def is_matter_of_size(facts: Facts, address: str) -> bool:
    """With small segments the address answers."""
    stall = stalls_of(facts, address)
    return stall is not None and stall.small == "works"


def assess(facts: Facts, judge: Callable[[Facts, Stall], Finding]) -> Finding:
    """``judge`` each address that stalls for its size; the weakest finding counts, since it must explain them all."""
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    lies = {state.address for state in facts.target.addresses.value or () if state.genuine is False}
    stalls = [stall for stall in facts.sizes.stalls.value or () if stall.address not in lies]
    if not stalls:
        return silent("No connection that stalls was looked at with packets of other sizes.", *FACTS)
    failing = [stall for stall in stalls if stall.small == "fails"]
    if failing:
        return opposes(
            f"{failing[0].address} is as silent to small packets as to large ones.",
            *FACTS,
            witnesses=failing[0].witnesses,
        )
    told = [stall for stall in stalls if stall.small == "works"]
    if not told:
        return silent("Whether small packets fare better is not known.", *FACTS)
    found = weakest(judge(facts, stall) if _is_size(stall) else _doubtful(stall) for stall in told)
    assert found is not None
    return found


def _is_size(stall: Stall) -> bool:
    return stall.direction == "forward" or stall.acked is True


def _doubtful(stall: Stall) -> Finding:
    return silent(
        f"{stall.address} answers when what is sent is cut into small pieces, and no large packet is known to be lost: "
        "a filter that reads them may be evaded by that.",
        *FACTS,
    )


def supports(stall: Stall, where: str, *, at_most_possible: bool, settles: bool = False) -> Finding:
    """A suspicion: what was seen, and ``where`` the hole lies."""
    what = "TLS" if stall.layer == "tls" else "the request"
    return Finding(
        lean=Lean.SETTLES if settles else Lean.SUPPORTS,
        because=f"{stall.address} accepts the connection and keeps silent to {what}, and answers as soon as both ends "
        f"send small packets only; {where}.",
        facts=FACTS,
        witnesses=stall.witnesses,
        at_most_likely=not settles,
        at_most_possible=at_most_possible,
        settle_next=NEXT,
    )


def gap(walk: SizeWalk) -> str:
    """Where large packets vanish, as a clause: an interval, never one hop."""
    last = "this machine" if walk.large_last_seen == 0 else f"{walk.last_address} (hop {walk.large_last_seen})"
    limit = "" if walk.largest_passed is None else f", while those of {walk.largest_passed} bytes pass"
    return (
        f"packets of {walk.smallest_lost or walk.size} bytes vanish between {last} and {walk.missing_address} (hop "
        f"{walk.first_missing}){limit}, and no router says that they are too big"
    )


def begins_inside(facts: Facts, walk: SizeWalk) -> bool:
    """The last place that large packets were seen at is this machine or a router of the customer's."""
    return walk.large_last_seen == 0 or walk.last_place == "gateway" or _is_own(facts, walk.last_address)


def may_begin_inside(walk: SizeWalk) -> bool:
    """A private or shared address that nothing ties to the customer: his, or his provider's (design.md, Sides)."""
    return walk.last_place in ("private", "shared")


def ends_inside(facts: Facts, walk: SizeWalk) -> bool:
    """The first place that they do not get to is a router of the customer's."""
    return walk.missing_place == "gateway" or _is_own(facts, walk.missing_address)


def begins_at_vendor(walk: SizeWalk) -> bool:
    """The last place that large packets were seen at is in the vendor's network."""
    return walk.last_place in ("vendor", "target")


def ends_at_vendor(walk: SizeWalk) -> bool:
    """The first place that they do not get to is."""
    return walk.missing_place in ("vendor", "target")


def _is_own(facts: Facts, address: str | None) -> bool:
    return address is not None and customers_own(facts, address)
