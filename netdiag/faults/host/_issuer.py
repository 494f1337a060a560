"""The one rule behind the faults of an issuer that is not trusted: private CA, missing intermediate, self-signed."""

from netdiag.facts import AddressState, Facts, TlsState
from netdiag.faults.base import CONTROL_RUN, Finding, Lean, opposes
from netdiag.faults.host._reading import agent, controls, witnesses
from netdiag.faults.host._tls import SELF_SIGNED_LEAF, USED, excused, may_be_a_boxs, unproven


def judge(facts: Facts, state: AddressState, tls: TlsState, because: str) -> Finding:
    """An untrusted issuer is the vendor's when another line is shown it, too; alone, a filter that intercepts this one
    name cannot be excluded, and the word stays ``likely``; where nothing shows that the answer comes from the target's
    own distance, it accuses nobody."""
    doubt = excused(facts, tls)
    if doubt is not None:
        return doubt
    other = agent(facts)
    if other.works:
        return opposes(
            "Another line is shown a trusted certificate by the same address.", *USED, witnesses=other.witnesses
        )
    here = witnesses(facts, state) + controls(facts).witnesses + other.witnesses
    if other.fails:
        return Finding(
            lean=Lean.SETTLES, because=f"{because}; another line is shown the same.", facts=USED, witnesses=here
        )
    fine = "" if unproven(facts) else "; other hosts present certificates that this machine trusts"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{because}{fine}.",
        facts=USED,
        witnesses=here,
        at_most_likely=True,
        # On an address that may be false, a portal's or a filter's own certificate is the commoner reason.
        at_most_possible=unproven(facts)
        or may_be_a_boxs(facts)
        or (tls.verify_code == SELF_SIGNED_LEAF and state.genuine is not True),
        settle_next=CONTROL_RUN,
    )
