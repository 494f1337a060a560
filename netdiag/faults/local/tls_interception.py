"""Something on the customer's side opens encrypted connections.

What is broken
    A security product or a web proxy ends TLS itself and presents certificates of its own issuer, which the program
    that fails does not trust.

How it shows
    The target's certificate is issued by somebody whom no public store trusts, and so are those of controls of other
    owners; verify code 19 or 20.

What looks like it
    A vendor with a private CA (host.tls.private_ca) or a missing intermediate: controls are fine then. Interception
    by a provider or a state leaves the same trace, unless the system's own store trusts the issuer.

What would settle it
    The same issuer on certificates of hosts that have nothing to do with each other.

What to tell the customer
    The name of the issuer that was found, and that it stands between the machine and every site.
"""

from netdiag.facts import Facts, TlsState
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import answered_at_first_hop, target_reached

FACTS = ("controls.intercepting_issuer", "controls.states", "target.addresses")


def assess(facts: Facts) -> Finding:
    issuer = facts.controls.intercepting_issuer
    spoken = [one.tls for one in facts.controls.states.value or () if one.tls is not None]
    if not issuer.value:
        genuine = any(tls.how == "ok" and tls.mozilla_code in {None, 0} for tls in spoken)
        if genuine:
            return opposes("Certificates of controls come from public issuers.", *FACTS)
        return silent("No issuer was seen that several controls share and nobody trusts.", *FACTS)
    seen = [one.tls for one in facts.target.addresses.value or () if one.tls is not None and one.genuine is not False]
    ours = [tls for tls in seen if shows(tls, issuer.value)]
    if seen and not ours:
        return silent(
            f"Controls present certificates of “{issuer.value}”, but the target's is of another issuer.", *FACTS
        )
    trusted = any(tls.verify_code == 0 for tls in ours + spoken if shows(tls, issuer.value))
    return Finding(
        lean=Lean.SETTLES if ours else Lean.SUPPORTS,
        because=(
            f"Hosts of different owners{', the target among them,' if ours else ''} present certificates issued by "
            f"“{issuer.value}”, which no public store trusts: something on the way opens encrypted connections."
        ),
        facts=FACTS,
        witnesses=issuer.witnesses + facts.target.addresses.witnesses,
        # Neither in the machine's store nor at its first hop: a provider or a state may do this, too.
        at_most_likely=not (trusted or answered_at_first_hop(facts)),
        explains=not target_reached(facts) and any(tls.how == "untrusted" for tls in ours),
        settle_next="Whether the machine's own store holds this issuer: then somebody put it there.",
    )


def shows(tls: TlsState, issuer: str) -> bool:
    """The certificate that was presented is this issuer's."""
    return issuer in (tls.issuer, None if tls.leaf is None else tls.leaf.issuer)


FAULT = Fault(
    code="local.tls.interception",
    title="Encrypted connections are opened on the customer's side",
    needs=("controls.states",),
    masked_by=("local.portal.captive",),
    rivals=("host.tls.private_ca", "host.tls.missing_intermediate", "host.tls.self_signed"),
    assess=assess,
    reply=(
        "A security product or web proxy on this network answers in place of the sites that are asked: sites of "
        "different owners show a certificate from the same issuer, named in the report, which is not ours. Please ask "
        "whoever runs that product to exempt our name, or to have its certificate trusted by the program that fails."
    ),
)
