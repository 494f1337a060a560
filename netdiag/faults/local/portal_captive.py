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
from netdiag.faults.reading import answered_at_first_hop, target_reached


def assess(facts: Facts) -> Finding:
    portal = facts.controls.portal
    if target_reached(facts):
        return opposes("The target itself works, so no portal holds it back.", "target.works")
    states = facts.controls.states.value or ()
    encrypted = [state for state in states if state.tls is not None and state.tls.how == "ok"]
    expected = [state for state in states if state.page == "expected"]
    if encrypted or (expected and not portal.value):
        passed = (encrypted or expected)[0]
        how = "an encrypted connection to it works" if encrypted else "its connectivity check came back as it should"
        return opposes(
            f"No portal holds back {passed.host}: {how}.",
            "controls.states",
            "controls.portal",
            witnesses=passed.witnesses,
        )
    if not portal.value:
        return silent("No connectivity-check page was seen to be replaced.", "controls.portal")
    what = "another page" if portal.value == "page" else f"a redirect to {portal.value}"
    if facts.machine.proxy.value is not None:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"The connectivity checks got {what}, though a proxy applies, whose own page it may be.",
            facts=("controls.portal", "machine.proxy"),
            witnesses=portal.witnesses,
            at_most_possible=True,
            settle_next="The connectivity checks through the proxy.",
        )
    near = classify(portal.value) == "private" or answered_at_first_hop(facts)
    return Finding(
        lean=Lean.SETTLES,
        because=f"The connectivity-check pages were answered with {what}: this network wants a sign-in first.",
        facts=("controls.portal", "controls.any_healthy"),
        witnesses=portal.witnesses,
        # A portal that is not seen to stand in the customer's network may be the provider's walled garden.
        at_most_likely=facts.controls.any_healthy.value is not False or not near,
        at_most_possible=facts.controls.any_healthy.value is True,
        settle_next="The page itself, in a browser: who asks to sign in?",
    )


FAULT = Fault(
    code="local.portal.captive",
    title="A sign-in page (captive portal) stands before the network",
    needs=("controls.states",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead"),
    assess=assess,
    reply=(
        "The network answered connectivity checks with a page of its own, as hotel, guest and office networks do "
        "before a sign-in. Please open a browser, sign in or accept the terms, and run netdiag again. Until then "
        "every site is held back in the same way."
    ),
)
