"""The hosts file sends the target's name elsewhere.

What is broken
    A line of the machine's hosts file gives the target's name an address that is not the vendor's: a leftover of a
    migration or a test, an ad blocker, or malware.

How it shows
    Applications use an address that neither the configured resolvers nor independent ones know, and it does not work.

What looks like it
    Split DNS or another source of names in nsswitch (mdns, LDAP): there the hosts file has no line. A hosts line that
    agrees with DNS: no fault.

What would settle it
    The line itself, its address failing, and the address that DNS gives working from this machine.

What to tell the customer
    A line in the hosts file of the machine sends the name to another address; with the line removed the name resolves.
"""

from netdiag.facts import AddressState, Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent

FACTS = ("machine.hosts_override", "machine.hosts_override_wrong", "target.addresses")


def assess(facts: Facts) -> Finding:
    override, wrong = facts.machine.hosts_override, facts.machine.hosts_override_wrong
    if override.value is None:
        return silent("The hosts file was not read.", "machine.hosts_override")
    if not override.value:
        return opposes("The hosts file has no line for the target's name.", "machine.hosts_override")
    listed = ", ".join(override.value)
    ours = [state for state in facts.target.addresses.value or () if state.address in override.value]
    if any(state.works is True for state in ours):
        return opposes(f"The hosts file names {listed}, which works.", *FACTS)
    if wrong.value is False:
        return opposes(f"The hosts file names {listed}, as DNS does.", *FACTS)
    proxy = facts.machine.proxy.value
    if proxy is not None and proxy.target_ok is True:
        return opposes("The target works through the proxy, which resolves the name itself.", "machine.proxy")
    if wrong.value is None:
        return silent(f"The hosts file names {listed}, and there is no DNS answer to compare it with.", *FACTS)
    return judge(facts, listed, ours)


def judge(facts: Facts, listed: str, ours: list[AddressState]) -> Finding:
    """The line is wrong. It alone is at fault when its address fails and a true one works."""
    true = [
        state
        for state in facts.target.addresses.value or ()
        if state not in ours and state.genuine is not False and set(state.source) != {"hosts"}
    ]
    works = [state for state in true if state.works is True]
    vendor_fails = bool(true) and all(state.works is False for state in true)
    failed = bool(ours) and all(state.works is False for state in ours)
    ending = ""
    if works:
        ending = f", while {works[0].address} works"
    elif vendor_fails:
        ending = f"; but {true[0].address}, which DNS gives, fails as well, so the line is not the only fault"
    return Finding(
        lean=Lean.SETTLES if works and failed else Lean.SUPPORTS,
        because=f"This machine's hosts file sends {facts.host} to {listed}, which DNS does not give{ending}.",
        facts=FACTS,
        witnesses=facts.machine.hosts_override.witnesses + tuple(w for state in ours + works for w in state.witnesses),
        at_most_likely=not works,
        at_most_possible=not failed,
        explains=not vendor_fails,
        settle_next="A connection from this machine to an address that DNS gives for the name.",
    )


FAULT = Fault(
    code="local.hosts.override",
    title="The hosts file sends the name to another address",
    needs=("machine.hosts_override",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead"),
    assess=assess,
    reply=(
        "The hosts file of the machine names an address for our service that is not ours, and applications use that "
        "one. Please remove or comment out the line for our name and try again. The report shows the address."
    ),
)
