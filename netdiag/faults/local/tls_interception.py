"""Something on the customer's side opens encrypted connections.

What is broken
    A security product or a web proxy ends TLS itself and presents certificates of its own issuer, which the program
    that fails does not trust; or it answers in the vendor's place.

How it shows
    The target's certificate is issued by somebody whom no public store trusts, and so are those of controls of other
    owners; verify code 19 or 20. Or it is so for this name alone, and another line is shown another certificate by the
    same address, or the port is answered at the first hop.

What looks like it
    A vendor with a private CA (host.tls.private_ca) or a missing intermediate: controls are fine then. Interception
    by a provider or a state leaves the same trace, unless the system's own store trusts the issuer
    (transit.tls.interception). An answer over HTTP that such a box passed on, and the vendor wrote.

What would settle it
    The same issuer on certificates of hosts that have nothing to do with each other; for an answer, the vendor's log.

What to tell the customer
    The name of the issuer that was found, and that it stands between the machine and every site.
"""

from netdiag.facts import AddressState, Facts, TlsState
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.opened import (
    FIRST_HOP,
    OPENERS_LOG,
    answered_nearer,
    answers_of_a_box,
    is_mute,
    served_elsewhere,
    shown,
    shown_another,
    stand_in,
)
from netdiag.faults.reading import answered_at_first_hop, has_a_network_of_its_own, target_reached

FACTS = ("controls.intercepting_issuer", "controls.states", "target.addresses")
NAME_FACTS = ("target.addresses", "path.target4", "path.target6", "agent.runs", "agent.works_elsewhere")


def assess(facts: Facts) -> Finding:
    issuer = facts.controls.intercepting_issuer
    if issuer.value:
        return _of_every_name(facts, issuer.value)
    box = stand_in(facts)
    if box is not None:
        return _stands_in(facts, *box)
    answered = answers_of_a_box(facts)
    if answered:
        return _of_this_name(facts, answered[0])
    spoken = [one.tls for one in facts.controls.states.value or () if one.tls is not None]
    if any(tls.how == "ok" and tls.mozilla_code in {None, 0} for tls in spoken):
        return opposes("Certificates of controls come from public issuers.", *FACTS)
    return silent("No issuer was seen that several controls share and nobody trusts.", *FACTS)


def _of_every_name(facts: Facts, issuer: str) -> Finding:
    """Certificates of controls show it. Where the target is answered through it, it may have written the answer."""
    spoken = [one.tls for one in facts.controls.states.value or () if one.tls is not None]
    seen = [one.tls for one in facts.target.addresses.value or () if one.tls is not None and one.genuine is not False]
    ours = [tls for tls in seen if shows(tls, issuer)]
    if seen and not ours:
        return silent(f"Controls present certificates of “{issuer}”, but the target's is of another issuer.", *FACTS)
    trusted = any(tls.verify_code == 0 for tls in ours + spoken if shows(tls, issuer))
    stopped = any(tls.how == "untrusted" for tls in ours)
    may_have_written = not stopped and bool(ours) and bool(answers_of_a_box(facts))
    return Finding(
        lean=Lean.SETTLES if ours else Lean.SUPPORTS,
        because=(
            f"Hosts of different owners{', the target among them,' if ours else ''} present certificates issued by "
            f"“{issuer}”, which no public store trusts: something on the way opens encrypted connections"
            f"{', and it may have written this answer itself' if may_have_written else ''}."
        ),
        facts=FACTS,
        witnesses=facts.controls.intercepting_issuer.witnesses + facts.target.addresses.witnesses,
        # Neither in the machine's store nor at its first hop: a provider or a state may do this, too.
        at_most_likely=not (trusted or answered_at_first_hop(facts)),
        at_most_possible=may_have_written,
        explains=not target_reached(facts) and (stopped or may_have_written),
        settle_next=OPENERS_LOG
        if may_have_written
        else "Whether the machine's own store holds this issuer: then somebody put it there.",
    )


def _of_this_name(facts: Facts, state: AddressState) -> Finding:
    """The controls show nothing: inspection spares many names, and may mean this one alone. So may a vendor have an
    authority of his own that customers install."""
    issuer = "an issuer" if state.tls is None or state.tls.issuer is None else f"“{state.tls.issuer}”"
    another = shown_another(facts)
    end = answered_nearer(facts, state.address)
    signs = "" if another is None else "; another line is shown a public one by the same address"
    signs += "" if end is None else f"; its port is answered from hop {end}, nearer than the target stands"
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{state.address} presents a certificate issued by {issuer}, which this machine trusts and no public store "
            f"does{signs}: what opens encrypted connections may have written this answer itself."
        ),
        facts=NAME_FACTS,
        witnesses=state.witnesses + (another or ()),
        # Such a box passes most answers on, so the vendor may have written this one.
        at_most_possible=True,
        explains=not target_reached(facts),
        settle_next=OPENERS_LOG if another is not None else CONTROL_RUN,
    )


def _stands_in(facts: Facts, state: AddressState, end: int) -> Finding:
    """TLS with the target fails, and what answered stands nearer than the target. Next to the customer it is his."""
    if end > FIRST_HOP or not has_a_network_of_its_own(facts):
        return silent(
            f"{state.address} is answered for from hop {end}, and not by what is next to this machine.", *NAME_FACTS
        )
    well = served_elsewhere(facts)
    beside = ", while another line reaches the service at the same address" if well else ""
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"Port {facts.port} of {state.address} is answered at the first hop, with {shown(state)}{beside}: what is "
            "next to this machine may answer in the vendor's place."
        ),
        facts=NAME_FACTS,
        witnesses=state.witnesses + facts.agent.works_elsewhere.witnesses,
        at_most_likely=True,
        # A transparent proxy next to the machine passes on what the vendor shows, too, or that he drops it.
        at_most_possible=not well or is_mute(state),
        settle_next=CONTROL_RUN,
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
        "A security product or web proxy on this network answers in place of the sites that are asked: the "
        "report names what it shows instead of our certificate, or who issued it. Please ask "
        "whoever runs that product to exempt our name, or to have its certificate trusted by the program that fails."
    ),
)
