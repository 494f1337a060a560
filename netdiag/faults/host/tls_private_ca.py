"""The vendor's certificate is issued by an authority that is not publicly trusted.

What is broken
    The vendor's server presents a certificate of a private authority (an internal one, a test one), which customers'
    machines do not know.

How it shows
    Verification ends with OpenSSL's code 19 (the chain holds its own unknown root) or 20 (the root is neither sent nor
    known), with more than the leaf in the chain. Other hosts' certificates are accepted.

What looks like it
    TLS interception by a filter or security software (local.tls.interception), which shows its own issuer on other
    hosts, too, unless it inspects this one name only. A missing intermediate (host.tls.missing_intermediate), when the
    leaf comes alone. An outdated list of authorities on the customer's machine: Mozilla's list then accepts the chain.

What would settle it
    The same issuer shown to the agent's line.

What to tell the customer
    That the certificate is the vendor's to replace, or which authority the vendor means customers to install.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._issuer import judge
from netdiag.faults.host._tls import INTERCEPTION_RIVALS, ISSUER_MISSING, SELF_SIGNED_IN_CHAIN, rejected


def assess(facts: Facts) -> Finding:
    for state, tls in rejected(facts, SELF_SIGNED_IN_CHAIN, *ISSUER_MISSING):
        alone = tls.verify_code != SELF_SIGNED_IN_CHAIN and tls.chain_length <= 1
        if alone and tls.leaf is not None and tls.leaf.issuer_url is not None:
            continue  # a leaf that says where to fetch its issuer: host.tls.missing_intermediate
        sent = "without the certificate of its issuer" if alone else f"in a chain of {tls.chain_length}"
        issuer = tls.issuer or "an unknown issuer"
        because = f"{state.address} presents a certificate by {issuer}, {sent}, which no known authority vouches for"
        return judge(facts, state, tls, because)
    return opposes("No certificate of an unknown authority is presented.", "target.addresses")


FAULT = Fault(
    code="host.tls.private_ca",
    title="The vendor's certificate comes from a private authority",
    needs=("target.addresses",),
    assess=assess,
    rivals=(*INTERCEPTION_RIVALS, "host.tls.missing_intermediate"),
    reply=(
        "Your measurement shows that our server presents a certificate from an authority which is not publicly "
        "trusted. Please do not switch off certificate checks because of it. We are having the certificate checked "
        "and will tell you when it is replaced, or which authority is meant to be installed."
    ),
)
