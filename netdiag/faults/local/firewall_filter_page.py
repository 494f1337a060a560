"""A web filter near the customer answers in the vendor's place.

What is broken
    The web filter of an office, a school or a filtering resolver has the vendor's name or category on its list, and
    shows its own page, or leads to it.

How it shows
    The answer is a page of a filter product (FortiGuard, Palo Alto, Blue Coat, Umbrella, Meraki, Check Point,
    Forcepoint, Zscaler, Squid, ...), without a certificate that browsers trust for the vendor's name. Or a redirect,
    over plain HTTP, to an address of the customer's own network.

What looks like it
    The same product in front of the vendor's servers (a FortiGate, a reverse Squid): its page comes through the
    vendor's own TLS. A filter of the provider or of a state. A captive portal, which replaces every page
    (local.portal.captive).

What would settle it
    The page's owner: its logo, address and category name whose filter it is. A run from another line gets the vendor.

What to tell the customer
    Which product's page came, and that whoever runs it can allow the name.
"""

from netdiag.facts import AddressState, Facts
from netdiag.facts.places import classify
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import answered_at_first_hop, in_lan

USED = ("target.addresses", "controls.intercepting_issuer")


def assess(facts: Facts) -> Finding:
    states = facts.target.addresses.value
    if states is None:
        return silent("No address of the target is known to have answered.", "target.addresses")
    found = [(state, state.http) for state in states if state.http is not None and state.http.page == "filter"]
    if not found:
        return _led_inside(facts, states) or opposes(
            "No address answers with the page of a web filter.", "target.addresses"
        )
    state, http = found[0]
    said = f"{state.address} answers HTTP {http.status} with a page of {http.product or 'a web filter'}"
    opened = facts.controls.intercepting_issuer.value
    if sealed(state) and not opened:
        because = f"{said}, sealed by a certificate that browsers trust for the vendor's name: it is the vendor's own."
        return opposes(because, *USED, witnesses=state.witnesses)
    if facts.agent.fails_elsewhere.value is True:
        return silent(f"{said}, and so it does to another line: whose filter it is does not show.", *USED)
    near = answered_at_first_hop(facts)
    sign = ""
    if opened:
        sign = f", and certificates of “{opened}” show that encrypted connections are opened on this line"
    elif near:
        sign = ", and what answers is no further away than the gateway"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{said}, a filter that stands near its users as a rule{sign}.",
        facts=USED,
        witnesses=state.witnesses,
        at_most_likely=True,
        # Filters of providers and states show such pages as well.
        at_most_possible=not (opened or near),
        settle_next="The page itself, in a browser: whose filter is it? And a run from another line.",
    )


def _led_inside(facts: Facts, states: tuple[AddressState, ...]) -> Finding | None:
    """A public address that leads to the customer's own gateway or network over plain HTTP, and to no other line: some
    box of that network answers for it. A vendor may name an inner address by mistake, but to everybody."""
    own = facts.machine.gateways.value or ()
    for state in states:
        leads = state.http.location_host if state.http is not None else None
        if leads is None or sealed(state) or classify(leads) != "private" or classify(state.address) != "public":
            continue
        if facts.agent.fails_elsewhere.value is not True and (leads in own or in_lan(facts, leads)):
            return Finding(
                lean=Lean.SUPPORTS,
                because=f"{state.address} answers with a redirect to {leads}, which is in this network.",
                facts=(*USED, "machine.gateways", "agent.fails_elsewhere"),
                witnesses=state.witnesses,
                at_most_likely=True,
                settle_next=f"The page at {leads}, in a browser: whose is it? And a run from another line.",
            )
    return None


def sealed(state: AddressState) -> bool:
    """The page came through TLS whose certificate browsers trust for the vendor's name."""
    return state.tls is not None and state.tls.how == "ok" and state.tls.mozilla_code == 0


FAULT = Fault(
    code="local.firewall.filter_page",
    title="A web filter near the customer answers in the vendor's place",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    assess=assess,
    reply=(
        "What came back was the page of a web filter, not of our service: the report names the product. Such filters "
        "usually belong to the network from which the request was made. Please ask whoever runs it to allow our name; "
        "the page often says which category it was put in."
    ),
)
