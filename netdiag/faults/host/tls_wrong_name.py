"""The vendor's certificate is for another name.

What is broken
    The server behind the address presents a certificate that does not name the host: a default site, a forgotten
    alternative name, a load balancer with the wrong certificate.

How it shows
    The handshake completes and verification ends with OpenSSL's code 62 (64 for an address); the chain is trusted.

What looks like it
    A box on the way that answers in the vendor's place, with a block page under its own name (transit.tls.interception,
    local.tls.interception): it answers from nearer than the target stands. An address that is not the vendor's: a
    resolver that lies, an entry in the hosts file, a captive portal. Or an old address of the vendor, since given to
    someone else. A URL with an address instead of the host name: no fault of the vendor's, who has certificates for
    names.

What would settle it
    The same address given by the zone's own name servers or by the agent's run, with the same certificate.

What to tell the customer
    That the certificate is the vendor's to correct.
"""

from netdiag.facts import AddressState, Facts, TlsState
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes
from netdiag.faults.host._reading import agent, controls, listed, witnesses
from netdiag.faults.host._tls import (
    FALSE_ADDRESS_RIVALS,
    NAME_MISMATCH,
    USED,
    excused,
    may_be_a_boxs,
    rejected,
    unproven,
)


def assess(facts: Facts) -> Finding:
    found = rejected(facts, *NAME_MISMATCH)
    if not found:
        return opposes("No certificate is rejected for its name.", "target.addresses")
    state, tls = next(((state, tls) for state, tls in found if state.genuine is True), found[0])
    doubt = excused(facts, tls)
    if doubt is not None:
        return doubt
    if facts.names.needed.value is False:
        return literal(facts, state, tls)
    other = agent(facts)
    if other.works:
        return opposes(
            "Another line is shown a certificate for the right name by the same address.",
            *USED,
            witnesses=other.witnesses,
        )
    names = listed(tls.leaf.names[:3]) if tls.leaf is not None and tls.leaf.names else "other names"
    # A filter or sign-in page that answers for this name alone, and lets the connectivity checks pass, looks the same.
    settled = other.fails
    sound = state.genuine is True and not unproven(facts)
    return Finding(
        lean=Lean.SETTLES if settled or sound else Lean.SUPPORTS,
        because=f"{state.address} presents a certificate for {names}, not for {facts.host}"
        + ("; the address itself is the right one." if state.genuine is True else "."),
        facts=USED,
        witnesses=witnesses(facts, state) + controls(facts).witnesses + other.witnesses,
        at_most_likely=not settled,
        at_most_possible=not settled and may_be_a_boxs(facts),
        settle_next=CONTROL_RUN,
    )


def literal(facts: Facts, state: AddressState, tls: TlsState) -> Finding:
    """The URL has an address where certificates have names: hardly any certificate is made out to an address, so this
    is the URL's fault as much as the vendor's, whoever else sees it."""
    held = tls.leaf.names[:3] if tls.leaf is not None else ()
    names = f"is for {listed(held)}" if held else "is for a name"
    instead = f" Use the host name ({held[0]}) in the URL." if held else " Use the host name in the URL."
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"The URL has the address {state.address} instead of a host name, and the certificate there {names}.",
        facts=USED,
        witnesses=witnesses(facts, state),
        at_most_possible=True,
        settle_next=f"The same run with the host name in the URL, which certificates are made out to.{instead}",
    )


FAULT = Fault(
    code="host.tls.wrong_name",
    title="The vendor's certificate is for another name",
    needs=("target.addresses",),
    assess=assess,
    rivals=FALSE_ADDRESS_RIVALS,
    reply=(
        "Your measurement shows that our server presents a certificate which is made out to another name. Nothing "
        "on your side causes this, and please do not switch off certificate checks because of it. We are having the "
        "certificate corrected and will tell you when that is done."
    ),
)
