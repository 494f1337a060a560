"""The path loses packets.

What is broken
    A congested or broken link between the customer's gateway and the vendor.

How it shows
    Loss that begins at some hop and is seen at all later hops and at the target, by a similar share.

What looks like it
    Routers that limit their ICMP answers: later hops then lose less, and it is no fault. Loss in the local network
    (local.lan.loss). A connection-rate rule at the vendor's end, which drops some connections: its loss begins there.
    Forward and return loss look the same from one end.

What would settle it
    Loss to other hosts behind the same routers, or the same share measured from the vendor's end.

What to tell the customer
    How many packets are lost and from which hop on.
"""

from netdiag.facts import Facts, Hop
from netdiag.facts.base import Share
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import share_words, target_reached

LOSSY = 0.02
SEVERE = 0.2
"""Below this a connection still comes about, by retransmission: such loss slows a service, and does not cut it off."""
FACTS = ("path.hop_loss_persists", "machine.lan_loss", "controls.loss", "target.loss")


def assess(facts: Facts) -> Finding:
    loss, lan, controls = facts.path.hop_loss_persists, facts.machine.lan_loss.value, facts.controls.loss.value
    if loss.value is None:
        return silent("No loss was seen that goes on from some hop to the end.", *FACTS)
    lost = f"{share_words(loss.value)} packets are lost on the way to the target"
    if loss.value.low <= LOSSY:
        return opposes(f"Only {lost}.", *FACTS, witnesses=loss.witnesses)
    if lan is None:
        return silent(f"{lost}; whether the local network loses them is not known.", *FACTS)
    if lan.low > LOSSY or lan.high >= loss.value.low:
        return silent(f"{lost}, but {share_words(lan)} echoes to the gateway are lost as well.", *FACTS)
    first = onset(facts)
    if first is not None and first.place in {"vendor", "target"}:
        return opposes(f"{lost}, and the loss begins in the vendor's network, at hop {first.ttl}.", *FACTS)
    shared = controls is not None and controls.low > LOSSY
    where = f", from hop {first.ttl} ({', '.join(first.repliers)}) on" if first is not None and first.repliers else ""
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{lost}{where}, while the gateway answers{', and so are those to other hosts' if shared else ''}.",
        facts=FACTS,
        witnesses=loss.witnesses + facts.machine.lan_loss.witnesses,
        at_most_likely=True,
        # Without a control that shares the loss, a rule at the vendor's end that drops some connections looks the same.
        at_most_possible=not shared,
        explains=facts.target.works.value is False and not target_reached(facts) and cuts_off(facts, loss.value),
        settle_next="Loss to other hosts behind the same routers, at one packet a second.",
    )


def cuts_off(facts: Facts, loss: Share) -> bool:
    """So much loss, and no more at the target than on the path, that it explains connections that fail."""
    target = facts.target.loss.value
    return loss.low >= SEVERE and (target is None or target.low <= loss.high)


def onset(facts: Facts) -> Hop | None:
    """The first hop of a walk to the target from which on every hop that answers at all loses probes, two or more."""
    for walk in (facts.path.target4.value, facts.path.target6.value):
        answering = [hop for hop in (walk.hops if walk is not None else ()) if hop.answered > 0]
        lossy: list[Hop] = []
        for hop in reversed(answering):
            if hop.answered >= hop.asked:
                break
            lossy.insert(0, hop)
        if len(lossy) >= 2:
            return lossy[0]
    return None


FAULT = Fault(
    code="transit.path.loss",
    title="Packets are lost on the way",
    needs=("path.hop_loss_persists",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("local.lan.loss",),
    assess=assess,
    reply=(
        "Part of the packets is lost between the local network and ours, to other hosts as well. The local network "
        "itself lost none that would explain it. Please give the report to the internet provider; it shows how many "
        "packets were lost, and from which router on."
    ),
)
