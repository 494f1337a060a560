"""The local network loses packets.

What is broken
    Wi-Fi at the edge of its range, a bad cable, a duplex mismatch or an overloaded access point.

How it shows
    Echoes to the gateway itself are lost, and the loss goes on to every control.

What looks like it
    A gateway that answers pings slowly or limits them: its loss is not seen at any host beyond. Loss on the way
    (transit.path.loss): the gateway answers everything then.

What would settle it
    Loss to the gateway and to all controls from this machine, and none over a cable.

What to tell the customer
    How many packets were lost on the first metres, and that this hits every service alike.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import share_words, target_reached

LOSSY = 0.02
"""The lower end of the 95 % interval must exceed this: one echo lost of ten does not."""
SEVERE = 0.2
"""Below this a connection still comes about, by retransmission: such loss slows a service, and does not cut it off."""
FACTS = ("machine.lan_loss", "controls.loss", "target.loss")


def assess(facts: Facts) -> Finding:
    lan, controls, target = facts.machine.lan_loss, facts.controls.loss.value, facts.target.loss.value
    if lan.value is None:
        return silent("Loss to the gateway was not measured.", "machine.lan_loss")
    lost = f"{share_words(lan.value)} echoes to the gateway were lost"
    if lan.value.low <= LOSSY:
        few = lan.value.lost > 0 and lan.value.high > SEVERE
        if few:
            return silent(f"Only {lost}: too few to tell.", "machine.lan_loss")
        return opposes(f"Only {lost}.", "machine.lan_loss", witnesses=lan.witnesses)
    if controls is None:
        return silent(f"{lost}; whether hosts beyond it lose packets, too, is not known.", *FACTS)
    if controls.low <= 0 or controls.high < lan.value.low:
        return opposes(
            f"{lost}, but {share_words(controls)} packets to controls: the gateway only limits its answers.", *FACTS
        )
    cuts_off = lan.value.low >= SEVERE and (target is None or target.low <= lan.value.high)
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{lost}, and {share_words(controls)} packets to other hosts: the loss begins in the local network.",
        facts=FACTS,
        witnesses=lan.witnesses + facts.controls.loss.witnesses,
        explains=facts.target.works.value is False and not target_reached(facts) and cuts_off,
        settle_next="The same run over a cable, or close to the access point.",
    )


FAULT = Fault(
    code="local.lan.loss",
    title="The local network loses packets",
    needs=("machine.lan_loss",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("transit.path.loss",),
    assess=assess,
    reply=(
        "Packets are lost already between the machine and its own router, and every host is affected in the same way. "
        "Please run netdiag again over a cable or close to the access point. The report shows how many were lost."
    ),
)
