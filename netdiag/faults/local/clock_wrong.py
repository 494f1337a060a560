"""The machine's clock is wrong.

What is broken
    The clock of the machine is off by so much that valid certificates look expired or not yet valid.

How it shows
    Verification fails with code 9 (not yet valid) or 10 (expired) for the target and for controls, too; the Date
    headers of several hosts agree with each other and not with the machine.

What looks like it
    A certificate of the vendor that really has expired (host.tls.expired): controls verify then.

What would settle it
    Date headers of two or more hosts that agree, and time errors on controls' certificates.

What to tell the customer
    How far the clock is off, and that certificates cannot be checked before it is right.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import target_reached

TOLERATED_S = 300  # less is common, and makes no certificate fail but in the minutes around its dates
TIME_CODES = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
FACTS = ("machine.clock_offset_s", "controls.tls_time_errors", "target.addresses")


def assess(facts: Facts) -> Finding:
    offset, errors = facts.machine.clock_offset_s, facts.controls.tls_time_errors
    if offset.value is None:
        return silent("Too few Date headers agreed to check the clock against.", "machine.clock_offset_s")
    if abs(offset.value) <= TOLERATED_S:
        return opposes(
            f"The clock agrees with the Date headers of other hosts to {abs(offset.value)} s.",
            "machine.clock_offset_s",
            witnesses=offset.witnesses,
        )
    away = f"{words(abs(offset.value))} {'ahead' if offset.value > 0 else 'behind'}"
    codes = {state.tls.verify_code for state in facts.target.addresses.value or () if state.tls is not None}
    fails = not target_reached(facts) and bool(codes & TIME_CODES)
    if errors.value is not True and not (fails and errors.value is None):
        return Finding(
            lean=Lean.SILENT if fails else Lean.OPPOSES,
            because=f"The clock is {away}, but the certificates of other hosts are still found valid in time.",
            facts=FACTS,
            witnesses=offset.witnesses + errors.witnesses,
        )
    if errors.value is None:
        return silent(f"The clock is {away}; whether other hosts' certificates fail, too, is not known.", *FACTS)
    return Finding(
        lean=Lean.SETTLES,
        because=f"This machine's clock is {away}, and certificates of other hosts, too, are refused for their dates.",
        facts=FACTS,
        witnesses=offset.witnesses + errors.witnesses,
        explains=fails,
    )


def words(seconds: int) -> str:
    """``3 days``, ``5 hours``, ``12 minutes``."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"


FAULT = Fault(
    code="local.clock.wrong",
    title="The machine's clock is wrong",
    needs=("machine.clock_offset_s",),
    rivals=("host.tls.expired", "host.tls.not_yet_valid"),
    assess=assess,
    reply=(
        "The clock of the machine is far from the time that several independent hosts report, so valid certificates "
        "look expired or not yet valid. Please switch automatic time on, check date and time zone, and try again. "
        "Other sites' certificates were refused in the same way."
    ),
)
