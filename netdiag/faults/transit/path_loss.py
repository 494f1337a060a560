"""The path loses packets.

What is broken
    A congested or broken link between the customer's network and the vendor's.

How it shows
    Loss that begins between two routers and is seen at all later ones and at the target, by a similar share, while
    those before lose nothing. TCP to the target has to send again.

What looks like it
    Routers that limit their ICMP answers: later hops then lose less, TCP loses nothing, and it is no fault. Loss in the
    local network (local.lan.loss), in which all hops lose; and in the customer's router, which answers for itself and
    loses what it forwards. Loss in the vendor's network (host.path.loss): between the last router outside and the
    first one inside the two are not told apart. A connection-rate rule at the vendor's end, which drops some
    connections: its loss begins there. Forward and return loss look the same from one end, and so do hops whose answers
    are lost on a way back of their own.

What would settle it
    Loss to other hosts behind the same routers, or the same share measured from the vendor's end.

What to tell the customer
    How many packets are lost and between which routers it begins.
"""

from netdiag.facts import Facts
from netdiag.facts.losses import PathLoss
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.losses import explains, is_lossy, sides, to_another, where
from netdiag.faults.reading import share_words

FACTS = ("losses.path", "losses.onset", "losses.shared", "machine.lan_loss")


def assess(facts: Facts) -> Finding:
    path, onset, lan = facts.losses.path, facts.losses.onset, facts.machine.lan_loss.value
    if path.value is None:
        return silent("Losses along the path were not counted.", *FACTS)
    if onset.value is None:
        return _without_onset(path.value)
    lost = where(onset.value)
    if lan is not None and is_lossy(lan) and onset.value.last_clean == 0:
        return opposes(f"{share_words(lan)} packets to the gateway itself are lost: it begins before it.", *FACTS)
    whose = sides(facts, onset.value)
    if "transit" not in whose:
        return opposes(f"The loss does not begin on the way: {lost}.", *FACTS, witnesses=onset.witnesses)
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{lost}{to_another(facts)}.",
        facts=FACTS,
        witnesses=onset.witnesses + facts.losses.shared.witnesses,
        at_most_likely=True,
        at_most_possible=whose != {"transit"} or not onset.value.by_tcp,
        explains=explains(facts, onset.value.beyond),
        settle_next="The same run with `--deep`, which sends three times as many test packets, from this line and from "
        "the agent's.",
    )


def _without_onset(path: PathLoss) -> Finding:
    if path.end is None:
        return silent("The target answers no test packets, and where loss begins does not show.", *FACTS)
    lost = f"{share_words(path.end)} test packets to the target were lost"
    if path.tcp is not None and path.tcp.lost:
        # Connections are other flows than the test packets, and it may be that only some flows lose.
        lost += f", and {share_words(path.tcp)} packets of connections to it"
    elif not path.end.lost:
        return opposes(f"{lost}.", *FACTS, witnesses=path.witnesses)
    return silent(f"{lost}; where that begins does not show.", *FACTS)


FAULT = Fault(
    code="transit.path.loss",
    title="Packets are lost on the way",
    needs=("losses.path",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("local.lan.loss", "host.path.loss"),
    assess=assess,
    reply=(
        "Part of the packets is lost between the local network and ours. The local network itself lost none that would "
        "explain it. Please give the report to the internet provider; it shows how many packets were lost, and between "
        "which routers it begins."
    ),
)
