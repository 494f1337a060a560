"""No network link on the customer's machine.

What is broken
    No interface of the machine is up with a carrier: a cable is out, Wi-Fi is off or not joined, flight mode is on.

How it shows
    No interface but loopback is up; every connection fails at once with ENETUNREACH, and nothing leaves the machine.

What looks like it
    A VPN client that takes its interface down while it is not connected (a kill switch). A machine that is reached by
    a way that the list of interfaces does not show: then something beyond the gateway answers all the same.

What would settle it
    The list of interfaces alone: none that is up has a carrier.

What to tell the customer
    The machine has no link at this moment; the vendor cannot be judged from it before it has one.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import outside_answers, target_reached


def assess(facts: Facts) -> Finding:
    link = facts.machine.link_up
    if link.value is None:
        return silent("Whether the machine has a link is not known.", "machine.link_up")
    if link.value:
        return opposes(
            "A network interface of the machine is up and has a carrier.", "machine.link_up", witnesses=link.witnesses
        )
    if target_reached(facts) or outside_answers(facts):
        return opposes(
            "Hosts beyond this machine answered, so it has a link, whatever the list of interfaces says.",
            "machine.link_up",
            "controls.any_healthy",
        )
    return Finding(
        lean=Lean.SETTLES,
        because="No network interface of this machine is up with a carrier, so no packet can leave it.",
        facts=("machine.link_up",),
        witnesses=link.witnesses,
    )


FAULT = Fault(
    code="local.link.down",
    title="The machine has no network link",
    needs=("machine.link_up",),
    assess=assess,
    reply=(
        "When the report was made, no network interface of the machine had a link: no cable, or no Wi-Fi network "
        "joined. Please join a network, check that flight mode is off, and run netdiag again. Nothing can be said of "
        "our service from this report."
    ),
)
