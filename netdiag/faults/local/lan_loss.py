"""The local network loses packets.

What is broken
    Wi-Fi at the edge of its range, a bad cable, a duplex mismatch or an overloaded access point.

How it shows
    TCP connects and echoes to the gateway itself are lost, round trips to it scatter widely, and everything beyond it
    loses at least as much, every control included.

What looks like it
    A gateway that answers slowly or limits its answers: what passes through it is not lost. Loss on the way
    (transit.path.loss): the gateway answers everything then. A gateway that loses what it forwards answers for itself
    without loss, and is not told from the first link of the provider.

What would settle it
    Loss to the gateway and to all controls from this machine, and none over a cable.

What to tell the customer
    How many packets were lost on the first metres, and that this hits every service alike.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.losses import explains, is_lossy, sides, where
from netdiag.faults.reading import share_words

TOO_FEW = 0.2
"""The interval of few packets reaches beyond this: what was lost of them may be chance, and may not."""

SCATTERED, APART_MS = 5, 20
"""Round trips to the gateway scatter when the slow ones take so many times the median, and so much longer."""

FACTS = ("machine.lan_loss", "losses.onset", "losses.beyond_gateway", "controls.loss")


def assess(facts: Facts) -> Finding:
    lan, onset = facts.machine.lan_loss, facts.losses.onset
    if lan.value is None:
        return silent("Loss to the gateway was not measured.", "machine.lan_loss")
    lost = f"{share_words(lan.value)} packets to the gateway were lost"
    if onset.value is not None and "local" not in sides(facts, onset.value):
        return opposes(
            f"The loss does not begin in the local network: {where(onset.value)}.",
            *FACTS,
            witnesses=lan.witnesses + onset.witnesses,
        )
    if not is_lossy(lan.value):
        few = lan.value.lost > 0 and lan.value.high > TOO_FEW
        if few:
            return silent(f"Only {lost}: too few to tell.", "machine.lan_loss")
        return opposes(f"Only {lost}.", "machine.lan_loss", witnesses=lan.witnesses)
    beyond = facts.losses.beyond_gateway if facts.losses.beyond_gateway.known else facts.controls.loss
    if beyond.value is None:
        return silent(f"{lost}; whether hosts beyond it lose packets, too, is not known.", *FACTS)
    others = f"{share_words(beyond.value)} of those that passed it"
    if beyond.value.high < lan.value.low:
        return opposes(f"{lost}, but only {others}: the gateway limits its answers.", *FACTS)
    if not is_lossy(beyond.value):
        return silent(f"{lost}, and {others}: too few to tell whether the gateway only limits its answers.", *FACTS)
    # A gateway that limits what it answers, before a provider that loses packets, looks the same but for its hops:
    # those of a lossy local network lose from the first one on.
    from_the_first_on = onset.value is not None and onset.value.last_clean == 0
    which = (
        "the loss begins in the local network"
        if from_the_first_on
        else "it begins in the local network, or the gateway only limits its answers and it begins beyond"
    )
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{lost}{_scatter(facts)}, and {others}: {which}.",
        facts=FACTS,
        witnesses=lan.witnesses + beyond.witnesses + onset.witnesses,
        at_most_likely=True,
        at_most_possible=not from_the_first_on,
        explains=explains(facts, beyond.value),
        settle_next="The same run over a cable, or close to the access point.",
    )


def _scatter(facts: Facts) -> str:
    times = facts.losses.gateway_ms.value
    if times is None or times[1] < SCATTERED * times[0] or times[1] - times[0] < APART_MS:
        return ""
    return f", its round trips scatter (half take up to {times[0]:.0f} ms, one in twenty {times[1]:.0f} ms or more)"


FAULT = Fault(
    code="local.lan.loss",
    title="The local network loses packets",
    needs=("machine.lan_loss",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("transit.path.loss", "host.path.loss"),
    assess=assess,
    reply=(
        "Packets are lost already between the machine and its own router, and every host is affected in the same way. "
        "Please run netdiag again over a cable or close to the access point. The report shows how many were lost."
    ),
)
