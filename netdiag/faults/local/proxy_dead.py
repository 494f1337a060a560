"""The proxy that the machine is set to use does not work.

What is broken
    The configured proxy does not accept connections, or accepts them and reaches nothing; often it is a setting left
    over from another network.

How it shows
    No TCP connection to the proxy; or it answers 502, 503 or 504 for controls as well, while controls work directly.

What looks like it
    A dead line or gateway: then nothing works directly either. A proxy that refuses this target alone
    (local.proxy.refusing), or that cannot reach the vendor while controls work through it: then it is alive.

What would settle it
    A connection to the proxy's own address and port that fails, while the line works.

What to tell the customer
    Which proxy is set, that it does not answer, and that connections which use it cannot work.
"""

from netdiag.facts import Facts
from netdiag.facts.places import classify
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import host_of, in_lan

FACTS = ("machine.proxy", "controls.any_healthy")


def assess(facts: Facts) -> Finding:
    proxy, line_works = facts.machine.proxy.value, facts.controls.any_healthy.value is True
    witnesses = facts.machine.proxy.witnesses
    if proxy is None:
        return silent("No proxy is known to apply to the target.", "machine.proxy")
    if proxy.control_ok is True or proxy.target_ok is True:
        return opposes(f"The proxy {proxy.where} works.", "machine.proxy", witnesses=witnesses)
    if proxy.connects is None:
        return silent(f"Whether the proxy {proxy.where} accepts connections was not tried.", "machine.proxy")
    if not proxy.connects:
        host = host_of(proxy.where)
        near = classify(host) == "loopback" or in_lan(facts, host) or host in (facts.machine.gateways.value or ())
        return Finding(
            lean=Lean.SETTLES if line_works or near else Lean.SUPPORTS,
            because=(
                f"The proxy {proxy.where}, which this machine is set to use, accepts no connection"
                f"{', while other hosts answer directly' if line_works else ''}."
            ),
            facts=FACTS,
            witnesses=witnesses,
            at_most_possible=not (line_works or near),
            settle_next="A connection to any other host, directly.",
        )
    useless = proxy.control_ok is False and (proxy.control_refusal or 500) >= 500
    if not useless:
        return opposes(f"The proxy {proxy.where} accepts connections and answers.", *FACTS, witnesses=witnesses)
    status = "no answer" if proxy.control_refusal is None else f"status {proxy.control_refusal}"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"The proxy {proxy.where} accepts connections and gives {status} for other hosts, too.",
        facts=FACTS,
        witnesses=witnesses,
        at_most_likely=True,
        at_most_possible=not line_works,
        settle_next="The proxy's own log, or the same request from another machine that uses it.",
    )


FAULT = Fault(
    code="local.proxy.dead",
    title="The configured proxy does not work",
    needs=("machine.proxy",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead"),
    rivals=("transit.access.outage",),
    assess=assess,
    reply=(
        "The machine is set to use a proxy that does not work, so programs that follow this setting cannot reach any "
        "site. Please have the proxy named in the report checked, or remove the setting if it belongs to another "
        "network, and try again."
    ),
)
