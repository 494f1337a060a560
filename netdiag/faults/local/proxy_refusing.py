"""The customer's proxy refuses the target.

What is broken
    The proxy's rules do not allow the target's name or port, or it wants a sign-in that the program did not give.

How it shows
    The proxy itself answers 403 or 407 (or another 4xx) to the request for the target.

What looks like it
    A 403 by the vendor that the proxy hands on: inside TLS it cannot be the proxy's, and over plain HTTP only the
    proxy's own marks tell. A proxy that says 502, 503 or 504
    for this target alone: it tried, and failed somewhere beyond itself.

What would settle it
    The proxy's own status to CONNECT, while a control passes through it or gets the same.

What to tell the customer
    Which proxy refused, with which status, and that whoever runs it can allow the name.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent

MEANINGS = {403: "forbidden by its rules", 407: "proxy sign-in required"}  # RFC 9110, 15.5.4 and 15.5.8


def assess(facts: Facts) -> Finding:
    proxy, witnesses = facts.machine.proxy.value, facts.machine.proxy.witnesses
    if proxy is None:
        return silent("No proxy is known to apply to the target.", "machine.proxy")
    if proxy.target_ok is True:
        return opposes(f"The target works through the proxy {proxy.where}.", "machine.proxy", witnesses=witnesses)
    if proxy.connects is False:
        return opposes(f"The proxy {proxy.where} does not answer at all.", "machine.proxy", witnesses=witnesses)
    if proxy.doubtful is not None:
        return Finding(
            lean=Lean.SILENT,
            because=(
                f"What came through the proxy {proxy.where} is HTTP {proxy.doubtful} over plain HTTP: it, or the "
                "vendor, may have answered so."
            ),
            facts=("machine.proxy",),
            witnesses=witnesses,
            settle_next="The proxy's own log for this URL: did it pass the request on?",
        )
    if proxy.refusal is None:
        return silent(f"The proxy {proxy.where} is not known to have refused the target.", "machine.proxy")
    said = f"The proxy {proxy.where} itself answers {proxy.refusal} for the target"
    if proxy.refusal >= 500:
        return silent(f"{said}: it tried and failed, here or beyond.", "machine.proxy")
    meaning = f" ({MEANINGS[proxy.refusal]})" if proxy.refusal in MEANINGS else ""
    both = ", and the same for other hosts" if proxy.control_refusal == proxy.refusal else ""
    alone = ", while other hosts pass through it" if proxy.control_ok is True else both
    return Finding(
        lean=Lean.SETTLES,
        because=f"{said}{meaning}{alone}.",
        facts=("machine.proxy",),
        witnesses=witnesses,
    )


FAULT = Fault(
    code="local.proxy.refusing",
    title="The customer's proxy refuses the target",
    needs=("machine.proxy",),
    assess=assess,
    reply=(
        "The proxy of this network refused the request itself, with the status that the report shows; it was not "
        "passed on to our service. Please ask whoever runs the proxy to allow our name and "
        "port, or to check the sign-in."
    ),
)
