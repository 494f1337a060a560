"""A route on the customer's machine that refuses the target.

What is broken
    The machine's own route table has an unreachable, prohibit or blackhole route for the target: a VPN client's kill
    switch, a route left behind by a script, or one that a ban tool on the machine added.

How it shows
    The kernel refuses at once with EHOSTUNREACH (unreachable), EACCES (prohibit) or EINVAL (blackhole), with no ICMP
    error and no packet sent; the route lookup says the same.

What looks like it
    A remote ICMP error gives the same errno, but has a sender. EACCES may also come from a local firewall
    (local.firewall.machine), which is on the same side.

What would settle it
    The kernel's answer to the route lookup for the target's address.

What to tell the customer
    A route on the machine itself refuses this address, often from a VPN client; the service was not asked.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import excused


def assess(facts: Facts) -> Finding:
    excuse, refusal = excused(facts), facts.machine.local_refusal
    if excuse is not None:
        return excuse
    if facts.machine.target_leaves.value is True:
        return opposes("Packets to the target leave this machine.", "machine.target_leaves")
    if refusal.value is None:
        return silent("No refusal by this machine's own routes was seen.", "machine.local_refusal")
    if refusal.value.how != "reject_route":
        return opposes("This machine refused the packets for another reason than a route.", "machine.local_refusal")
    errno = "" if refusal.value.errno is None else f" (errno {refusal.value.errno})"
    return Finding(
        lean=Lean.SETTLES,
        because=f"A route on this machine refuses packets to the target{errno}; none was sent.",
        facts=("machine.local_refusal",),
        witnesses=refusal.witnesses,
    )


FAULT = Fault(
    code="local.route.rejected",
    title="A route on the machine refuses the target",
    needs=("machine.own_addresses",),
    masked_by=("local.link.down", "local.route.missing"),
    assess=assess,
    reply=(
        "The machine's own route table refuses packets to our address, so they were never sent. A VPN client that "
        "blocks traffic while it is not connected often adds such a route. Please look for an unreachable, prohibit or "
        "blackhole route to the address in the report, and run netdiag again without it."
    ),
)
