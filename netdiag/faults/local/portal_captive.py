"""A captive portal stands before the network.

What is broken
    The network lets nothing through before somebody has signed in, accepted terms, or paid.

How it shows
    Connectivity-check pages over plain HTTP come back as a redirect or another page; TLS to any host fails or shows a
    foreign certificate; the target's name may resolve to the portal.

What looks like it
    A web filter's block page, for one site only. A provider's walled garden (a line that is not paid for, or not set up
    yet), whose portal is beyond the gateway: only a portal in the customer's own network, or answers from the first
    hop, tell them apart. A network that rewrites plain HTTP and leaves encrypted connections alone: then it is not why
    the target fails.

What would settle it
    Two connectivity checks of different owners replaced by something in the customer's network, while no control works.

What to tell the customer
    The network shows a sign-in page instead of what was asked; after the sign-in the check is to be run again.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import customers_own, in_lan, target_reached

USED = ("controls.portal", "controls.any_healthy", "path.target4", "path.target6")
PAGE = "The page itself, in a browser: who asks for what?"


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
    if not (customers_own(facts, portal.value) or ended_at_first_hop(facts)):
        where = "" if (hop := _ended_at(facts)) is None else f", and the target's port from hop {hop}"
        return Finding(
            lean=Lean.SUPPORTS,
            because=(
                f"The connectivity-check pages were answered with {what}{where}: whether this network or the provider "
                "wants something first, a sign-in or a payment, does not show."
            ),
            facts=USED,
            witnesses=portal.witnesses,
            at_most_possible=True,
            settle_next=PAGE,
        )
    return Finding(
        lean=Lean.SETTLES,
        because=f"The connectivity-check pages were answered with {what}: this network wants a sign-in first.",
        facts=USED,
        witnesses=portal.witnesses,
        at_most_likely=facts.controls.any_healthy.value is not False,
        at_most_possible=facts.controls.any_healthy.value is True,
        settle_next=PAGE,
    )


def ended_at_first_hop(facts: Facts) -> bool:
    """The target's service port was answered, or reset, no further away than the gateway."""
    return _ended_at(facts) == 1


def _ended_at(facts: Facts) -> int | None:
    """The nearest hop at which the target's service port was answered or reset; for a host of this network none."""
    walks = (facts.path.target4.value, facts.path.target6.value)
    ends = [
        walk.end_ttl
        for walk in walks
        if walk is not None and walk.end in ("open", "refused") and not in_lan(facts, walk.address)
    ]
    return min((ttl for ttl in ends if ttl is not None), default=None)


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
