"""The vendor's server presents a certificate that it signed itself.

What is broken
    The server, or an appliance in front of it, presents a certificate made on the spot: a default site, a factory
    setting, a fallback when the right certificate could not be loaded.

How it shows
    Verification ends with OpenSSL's code 18: a chain of one certificate, signed by its own key.

What looks like it
    A captive portal or a filter that answers in the vendor's place (local.portal.captive, local.tls.interception), or a
    false address from a resolver.

What would settle it
    The same certificate shown to the agent's line.

What to tell the customer
    That the certificate is the vendor's to replace.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._issuer import judge
from netdiag.faults.host._tls import INTERCEPTION_RIVALS, SELF_SIGNED_LEAF, rejected


def assess(facts: Facts) -> Finding:
    for state, tls in rejected(facts, SELF_SIGNED_LEAF):
        subject = "" if tls.leaf is None else f" ({tls.leaf.subject})"
        return judge(facts, state, tls, f"{state.address} presents a certificate{subject} that it signed itself")
    return opposes("No self-signed certificate is presented.", "target.addresses")


FAULT = Fault(
    code="host.tls.self_signed",
    title="The vendor's server presents a self-signed certificate",
    needs=("target.addresses",),
    assess=assess,
    rivals=(*INTERCEPTION_RIVALS, "local.portal.captive"),
    reply=(
        "Your measurement shows that our server presents a certificate which it signed itself. Please do not switch "
        "off certificate checks because of it. We are having the right certificate put in place and will tell you "
        "when that is done."
    ),
)
