"""What the certificate faults share: whether a rejected certificate can be the vendor's at all."""

from netdiag.facts import AddressState, Facts, TlsState
from netdiag.faults.base import Finding, opposes, silent
from netdiag.faults.host._reading import CLOCK_TOLERANCE_S, agent, controls, reached

INTERCEPTION_RIVALS = ("local.tls.interception",)
FALSE_ADDRESS_RIVALS = (
    "local.tls.interception",
    "local.portal.captive",
    "local.hosts.override",
    "local.resolver.lying",
    "transit.resolver.lying",
)

# OpenSSL's X509_V_ERR_*: the issuer's certificate was not found (2, 20), or the leaf stands alone (21).
ISSUER_MISSING = (2, 20, 21)
SELF_SIGNED_LEAF = 18
SELF_SIGNED_IN_CHAIN = 19
NOT_YET_VALID = 9
EXPIRED = 10
NAME_MISMATCH = (62, 64)

USED = (
    "target.addresses",
    "controls.states",
    "controls.intercepting_issuer",
    "controls.tls_time_errors",
    "machine.clock_offset_s",
    "agent.runs",
    "path.proxy_in_path",
)


def rejected(facts: Facts, *codes: int) -> tuple[tuple[AddressState, TlsState], ...]:
    """Addresses whose certificate the system's store rejects with one of these codes."""
    return tuple(
        (state, state.tls)
        for state in reached(facts)
        if state.tls is not None and state.tls.how == "untrusted" and state.tls.verify_code in codes
    )


def excused(facts: Facts, tls: TlsState) -> Finding | None:
    """Why the certificate is not the vendor's to answer for: someone else's, or rejected by this machine alone."""
    on_line = controls(facts)
    issuers = (tls.issuer, None if tls.leaf is None else tls.leaf.issuer)
    if on_line.interceptor is not None and on_line.interceptor in issuers:
        return opposes(
            f"The certificate is issued by {on_line.interceptor}, which other hosts show on this line, too.",
            *USED,
            witnesses=on_line.witnesses,
        )
    if tls.mozilla_code == 0:
        return opposes("Mozilla's list of authorities trusts this certificate; this machine's list does not.", *USED)
    if on_line.tls_works is False:
        return silent(
            "TLS with other hosts fails on this line, too, so the vendor's certificate cannot be judged.", *USED
        )
    return None


def may_be_a_boxs(facts: Facts) -> bool:
    """What stands on the way may have answered in the vendor's place: nothing shows that the answer comes from where
    the target stands, or it is known to come from nearer, or the address is served otherwise by another way."""
    return facts.path.proxy_in_path.value is not False or agent(facts).capped_works


def clock_doubt(facts: Facts) -> Finding | None:
    """Why no date can be judged: other hosts' certificates fail on their dates, too."""
    if facts.controls.tls_time_errors.value is True:
        return silent("Other hosts' certificates fail on their dates, too, so this machine's clock is in doubt.", *USED)
    return None


def clock_off(facts: Facts) -> bool:
    """The machine's clock is known to be off by more than certificates forgive."""
    offset = facts.machine.clock_offset_s.value
    return offset is not None and abs(offset) > CLOCK_TOLERANCE_S


def unproven(facts: Facts) -> bool:
    """No control spoke TLS on this line, so interception and the machine's own store are not excluded."""
    return controls(facts).tls_works is None
