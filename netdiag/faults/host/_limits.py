"""What the faults of limits read of a rate section: a URL that worked until it was asked often, on consent."""

from netdiag.facts import Facts
from netdiag.facts.limits import Kind, Refusal
from netdiag.faults.base import Finding, Lean

FACTS = ("limits.refusal", "limits.kinds", "limits.allowed", "limits.recovers")

_HOW = {
    "refused_http": "answered with HTTP {status}",
    "challenge": "answered with a challenge for browsers",
    "closed": "closed without an answer",
    "reset": "reset",
    "silent": "left without an answer",
    "refused": "refused by a reset",
    "icmp": "refused by an ICMP error",
    "failed": "lost on this machine",
    "answered": "answered",
}

OPERATOR_RUN = (
    "`netdiag limits URL --i-operate-this` by who operates the service, or the limiter's own settings and log."
)


def met(facts: Facts, kind: Kind) -> Refusal | None:
    """The first refusal of the rate section, if a limit of this ``kind`` may have made it."""
    return facts.limits.refusal.value if kind in (facts.limits.kinds.value or ()) else None


def told(facts: Facts, kind: Kind, counted: str, *, lean: Lean, vendors: bool) -> Finding:
    """A limit of this ``kind`` was met, or where the refusal shows none (``shown``), may have been. It is not why the
    URL failed, if it did: it was met last, and on purpose. ``vendors`` False: nothing shows that it is the vendor's,
    and not one on the way."""
    refusal = met(facts, kind)
    assert refusal is not None
    things = "requests" if refusal.phase in ("burst_on_one_connection", "paced", "under_way") else "connections"
    how = _HOW[refusal.outcome].format(status=refusal.status)
    alone = facts.limits.kinds.value == (kind,)
    is_shown = facts.limits.shown.value is True
    back = " After a pause one was let pass again." if facts.limits.recovers.value is True else ""
    other = "" if alone else "; another kind of limit would show the same"
    reason = "a lost packet" if refusal.outcome == "silent" else "a busy server, or chance"
    chance = "" if is_shown else f", or {reason}"
    whose = "" if vendors else " Whose limit it is, the service's or one on the way to it, is open."
    return Finding(
        lean=lean if is_shown else Lean.SUPPORTS,
        because=(
            f"Asked on purpose to look for limits, {facts.host} served {_passed(facts, things)}, and the next was "
            f"{how}: a limit on {counted}{chance}{other}.{back}{whose}"
        ),
        facts=FACTS,
        witnesses=facts.limits.refusal.witnesses,
        at_most_possible=not (alone and vendors and is_shown),
        explains=False,
        settle_next=OPERATOR_RUN,
    )


def _passed(facts: Facts, things: str) -> str:
    """How many of the phase that was refused, in what time: ``7 requests in 0.6 s``."""
    one = next((one for one in facts.limits.allowed.value or () if one.refused), None)
    return f"some {things}" if one is None else f"{one.passed} {things} in {one.within_ms / 1000:.1f} s"
