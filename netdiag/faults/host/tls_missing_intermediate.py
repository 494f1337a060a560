"""The vendor's server does not send the intermediate certificate.

What is broken
    The server sends its own certificate alone. Browsers often fetch or remember the missing link; API clients do not.

How it shows
    Verification ends with OpenSSL's code 20 or 21, with the platform's list and with Mozilla's, and the chain holds one
    certificate, which names the address where its issuer's certificate can be fetched.

What looks like it
    A private authority whose leaf is sent alone (host.tls.private_ca), when the leaf names no such address.
    Interception that sends the leaf alone (local.tls.interception): its issuer shows on other hosts, too.

What would settle it
    The same single certificate shown to the agent's line; fetching the issuer from the address in the leaf.

What to tell the customer
    That the vendor's server must send the whole chain, and that a browser working proves nothing here.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._issuer import judge
from netdiag.faults.host._tls import INTERCEPTION_RIVALS, ISSUER_MISSING, rejected


def assess(facts: Facts) -> Finding:
    for state, tls in rejected(facts, *ISSUER_MISSING):
        if tls.chain_length > 1 or (tls.leaf is not None and tls.leaf.self_signed):
            continue
        link = tls.leaf.issuer_url if tls.leaf is not None else None
        fetch = f", and says that its issuer is found at {link}" if link else ""
        because = f"{state.address} sends its certificate (by {tls.issuer or 'an unknown issuer'}) alone{fetch}"
        return judge(facts, state, tls, because)
    return opposes("No certificate is sent alone by an issuer that is not known.", "target.addresses")


FAULT = Fault(
    code="host.tls.missing_intermediate",
    title="The vendor's server leaves out the intermediate certificate",
    needs=("target.addresses",),
    assess=assess,
    rivals=(*INTERCEPTION_RIVALS, "host.tls.private_ca"),
    reply=(
        "Your measurement shows that our server sends its certificate without the intermediate one, so that "
        "programs cannot check it, even though browsers often can. Nothing on your side causes this. We are having "
        "the server's chain completed and will tell you when that is done."
    ),
)
