"""The default gateway does not answer.

What is broken
    The first router is off, hangs, or stands in another VLAN; or the link leads to the wrong network.

How it shows
    The gateway's address cannot be resolved (ARP or NDP fails): connections end after about 3 s with EHOSTUNREACH and
    an ICMP error from this machine's own address. Nothing beyond the gateway answers.

What looks like it
    A gateway that drops ICMP and forwards all the same: then hosts beyond it answer. A gateway that lives, behind a
    dead access line (transit.access.outage): then ARP still works.

What would settle it
    The neighbour table after traffic: failed or incomplete for the gateway, with nothing beyond it answering.

What to tell the customer
    The first router on the way gives no sign of life, so no other host can be reached; the service was not asked.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import excused, offline, outside_answers


def assess(facts: Facts) -> Finding:
    machine, excuse = facts.machine, excused(facts)
    names = ("machine.gateway_neighbour_alive", "machine.gateway_answers", "machine.beyond_gateway_answers")
    if outside_answers(facts) or (excuse is not None and excuse.lean is Lean.OPPOSES):
        return opposes("Hosts beyond the gateway answer, so it forwards.", "machine.beyond_gateway_answers")
    if machine.gateway_answers.value is True or machine.gateway_neighbour_alive.value is True:
        return opposes("The gateway answers.", *names[:2], witnesses=machine.gateway_answers.witnesses)
    gateway = ", ".join(machine.gateways.value or ()) or "the default gateway"
    if machine.gateway_neighbour_alive.value is False:
        return Finding(
            lean=Lean.SETTLES if machine.beyond_gateway_answers.value is False or offline(facts) else Lean.SUPPORTS,
            because=f"The first router, {gateway}, does not even answer address resolution (ARP or NDP) on the LAN.",
            facts=names,
            witnesses=machine.gateway_neighbour_alive.witnesses,
            settle_next="A connection to any host beyond the gateway.",
        )
    if machine.gateway_answers.value is False and machine.beyond_gateway_answers.value is False:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"The first router, {gateway}, answered nothing itself, and nothing beyond it answered.",
            facts=names,
            witnesses=machine.gateway_answers.witnesses + machine.beyond_gateway_answers.witnesses,
            settle_next="The state of the gateway's entry in the neighbour table (ip neigh) after an attempt.",
        )
    return silent("Whether the gateway lives was not seen.", *names)


FAULT = Fault(
    code="local.gateway.dead",
    title="The default gateway does not answer",
    needs=("machine.gateways",),
    masked_by=("local.link.down", "local.route.missing"),
    rivals=("transit.access.outage",),
    assess=assess,
    reply=(
        "The first router on the way out gave no answer at all, not even to address resolution on the local network. "
        "Please check that it is powered and that the machine is joined to the right network, then run netdiag again. "
        "Our service was not reached and cannot be judged from this report."
    ),
)
