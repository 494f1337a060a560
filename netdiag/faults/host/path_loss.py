"""Packets are lost in the vendor's network or at its host.

What is broken
    An overloaded or broken link, firewall or host in the vendor's network drops a part of the packets.

How it shows
    All routers up to the vendor's border answer without loss, and from there on, or at the host alone, a part is lost.
    Other hosts lose nothing.

What looks like it
    Loss on the link to the vendor's border, which is the provider's as much as the vendor's (transit.path.loss). A host
    that limits its ICMP answers, or the new connections of one address: a connection that is open loses nothing then.
    Loss on the way back, by another way than the routers' answers take: one end cannot exclude it.

What would settle it
    The same loss from another line that enters the vendor's network by another link; or a capture at the vendor's
    border.

What to tell the customer
    How many packets were lost, and that the routers up to the vendor's network lost none.
"""

from netdiag.evidence.addresses import family_of
from netdiag.facts import Facts
from netdiag.facts.losses import Onset
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.losses import explains, sides, to_another, where

FACTS = ("losses.path", "losses.onset", "losses.shared", "agent.runs")


def assess(facts: Facts) -> Finding:
    onset = facts.losses.onset
    if onset.value is None:
        return silent("It does not show that packets are lost from some place of the path on.", *FACTS)
    whose = sides(facts, onset.value)
    lost = where(onset.value)
    if "host" not in whose:
        shared = " and other hosts lose packets, too" if facts.losses.shared.value is True else ""
        return opposes(f"The loss does not begin in the vendor's network{shared}: {lost}.", *FACTS)
    elsewhere = _enters_elsewhere(facts)
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{lost}{to_another(facts)}{elsewhere or ''}.",
        facts=FACTS,
        witnesses=onset.witnesses,
        at_most_likely=True,
        at_most_possible=not onset.value.by_tcp or (whose != {"host"} and elsewhere is None),
        explains=explains(facts, onset.value.beyond),
        settle_next=CONTROL_RUN,
    )


def _enters_elsewhere(facts: Facts) -> str | None:
    """Another line loses packets to the same target, too, and its packets enter the vendor's network by another link.

    One router has another address on each link, and answers with one of them (RFC 1812 section 4.3.2.4): that the last
    clean one has another address proves nothing. Only the first router inside, known for both lines at the very next
    hop, tells two links apart, and only in one family."""
    onset = facts.losses.onset.value
    if onset is None or (mine := _first_inside(onset)) is None or onset.last_clean_place not in ("public", "shared"):
        return None
    for run in facts.agent.runs.value or ():
        if not run.usable or run.caps or run.loss is None or run.loss.last_clean_place != "public":
            continue
        theirs = _first_inside(run.loss)
        if theirs is not None and theirs != mine and family_of(theirs) == family_of(mine):
            return f"; another line loses, too, and enters by another link, behind {run.loss.last_clean_address}"
    return None


def _first_inside(onset: Onset) -> str | None:
    is_next = onset.first_lossy is not None and onset.first_lossy == onset.last_clean + 1
    return onset.first_lossy_address if is_next and onset.first_lossy_place == "vendor" else None


FAULT = Fault(
    code="host.path.loss",
    title="Packets are lost in the vendor's network",
    needs=("losses.path",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("transit.path.loss", "local.lan.loss"),
    assess=assess,
    reply=(
        "Part of your packets is lost at our end: the routers up to our network lost none. Please leave everything as "
        "it is. We are looking for the device that drops them; the report shows how many were lost, and from where on."
    ),
)
