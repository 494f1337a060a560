"""A captive portal stands before the network.

What is broken
    The network lets nothing through before somebody has signed in, accepted terms, or paid.

How it shows
    Connectivity-check pages over plain HTTP come back as a redirect or another page; TLS to any host fails or shows a
    foreign certificate; the target's name may resolve to the portal.

What looks like it
    A web filter's block page, for one site only. A provider's walled garden, whose portal is beyond the gateway. A
    network that rewrites plain HTTP and leaves encrypted connections alone: then it is not why the target fails.

What would settle it
    Two connectivity checks of different owners replaced, while no control works.

What to tell the customer
    The network shows a sign-in page instead of what was asked; after the sign-in the check is to be run again.
"""

from netdiag.facts import Facts
from netdiag.facts.places import classify
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import target_reached


def assess(facts: Facts) -> Finding:
    portal = facts.controls.portal
    if target_reached(facts):
        return opposes("The target itself works, so no portal holds it back.", "target.works")
    if not portal.known:
        return silent("No connectivity-check page was asked for.", "controls.portal")
    if not portal.value:
        return opposes(
            "The connectivity-check pages came back as they should.", "controls.portal", witnesses=portal.witnesses
        )
    what = "another page" if portal.value == "page" else f"a redirect to {portal.value}"
    encrypted = [
        state for state in facts.controls.states.value or () if state.tls is not None and state.tls.how == "ok"
    ]
    if encrypted:
        return opposes(
            f"The connectivity checks got {what}, but encrypted connections to {encrypted[0].host} pass, so no portal "
            "holds the target back.",
            "controls.portal",
            "controls.states",
            witnesses=encrypted[0].witnesses,
        )
    if facts.machine.proxy.value is not None:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"The connectivity checks got {what}, though a proxy applies, whose own page it may be.",
            facts=("controls.portal", "machine.proxy"),
            witnesses=portal.witnesses,
            at_most_possible=True,
            settle_next="The connectivity checks through the proxy.",
        )
    return Finding(
        lean=Lean.SETTLES,
        because=f"The connectivity-check pages were answered with {what}: this network wants a sign-in first.",
        facts=("controls.portal", "controls.any_healthy"),
        witnesses=portal.witnesses,
        # A portal that is not seen to stand in private space may be the provider's walled garden.
        at_most_likely=facts.controls.any_healthy.value is not False or classify(portal.value) != "private",
        at_most_possible=facts.controls.any_healthy.value is True,
        settle_next="The page itself, in a browser: who asks to sign in?",
    )


FAULT = Fault(
    code="local.portal.captive",
    title="A sign-in page (captive portal) stands before the network",
    needs=("controls.portal",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead"),
    assess=assess,
    reply=(
        "The network answered connectivity checks with a page of its own, as hotel, guest and office networks do "
        "before a sign-in. Please open a browser, sign in or accept the terms, and run netdiag again. Until then "
        "every site is held back in the same way."
    ),
)
