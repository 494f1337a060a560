"""Readings of loss that the three faults of loss share: where it begins, whose that place can be, what it explains."""

from math import comb

from netdiag.facts import AddressState, Facts
from netdiag.facts.base import Share
from netdiag.facts.losses import Onset
from netdiag.faults.reading import share_words

LOSSY = 0.02
"""The lower end of the 95 % interval must exceed this: one echo lost of ten does not."""

_CHANCE = 0.01
"""So much loss explains attempts that failed when they are no less probable than this."""

_SYNS = 2
"""Packets lost in a connection attempt that failed: its SYN and the one repetition (design.md, Manners)."""

_TRIES = 4
"""And in an exchange that fell silent: what TCP sends again in the seconds that it is waited for (RFC 6298)."""

_CUSTOMERS = ("gateway", "private")
"""A hop of these places may stand in the customer's own network. It answers before it forwards, so that what is lost
behind it may be lost in it (fault-signatures section 8, 3)."""


def sides(facts: Facts, onset: Onset) -> frozenset[str]:
    """On whose side the loss may begin: every side that a part of the interval belongs to. What other hosts suffer as
    well does not begin at the vendor's."""
    last, first = onset.last_clean_place, onset.first_lossy_place
    found = set()
    if onset.last_clean == 0 or last in _CUSTOMERS or last is None:
        found.add("local")
    if last != "vendor" and not (onset.last_clean == 0 and onset.first_lossy == 1):
        found.add("transit")
    if first in ("vendor", "target", None) and facts.losses.shared.value is not True:
        found.add("host")
    return frozenset(found)


def is_lossy(share: Share) -> bool:
    """More than a healthy line loses, and more than one packet: that one may be chance."""
    return share.lost > 1 and share.low > LOSSY


def where(onset: Onset) -> str:
    """The interval and what was lost on both sides of it, for a person."""
    beyond = (
        "the target itself"
        if onset.first_lossy is None
        else f"hop {onset.first_lossy} ({onset.first_lossy_address}) and beyond"
    )
    lost = f"{share_words(onset.beyond)} test packets to {beyond} were lost, there or back"
    if onset.first_lossy == 1:
        return lost
    if onset.last_clean == 0 or onset.before is None:
        return f"{lost}; which hops before that lose none does not show"
    last = f"hop {onset.last_clean} ({onset.last_clean_address})"
    return f"{lost}, and {share_words(onset.before)} of those up to {last}, so the loss begins between the two"


def to_another(facts: Facts) -> str:
    """What another host lost in the same seconds, where that tells whether it shares the loss."""
    control, shared = facts.losses.control.value, facts.losses.shared.value
    if control is None or shared is None:
        return ""
    return f"; to another host {share_words(control)} were lost{', too' if shared else ''}"


def explains(facts: Facts, loss: Share) -> bool:
    """Attempts at the target failed, in full or some of them, in a way in which lost packets make them fail, and as
    often as this share makes probable. Traffic through a proxy is none of the path's."""
    if facts.machine.proxy.value is not None:
        return False
    hurt = [state for state in facts.target.addresses.value or () if _is_hurt(state)]
    return bool(hurt) and all(_by_chance(state, loss.high) >= _CHANCE for state in hurt)


def loss_explains(facts: Facts) -> bool:
    """Loss was found that TCP suffers from, and it is enough for all that failed."""
    onset = facts.losses.onset.value
    return onset is not None and onset.by_tcp and explains(facts, onset.beyond)


def _is_hurt(state: AddressState) -> bool:
    """An attempt failed that left this machine, at an address that is not known to be a lie."""
    connect = state.connect
    if state.genuine is False or connect is None or connect.how == "local":
        return False
    return state.works is False or (connect.how == "open" and connect.worked < connect.attempts)


def _by_chance(state: AddressState, rate: float) -> float:
    """How probable it is that loss alone makes this address fail so."""
    connect = state.connect
    if connect is None or connect.how not in ("open", "silent"):
        return 0.0
    failed = connect.attempts - connect.worked
    found = comb(connect.attempts, failed) * rate ** (_SYNS * failed)
    if connect.how == "open" and state.works is False:
        fell_silent = state.tls if state.failed_at == "tls" else state.http
        return found * rate**_TRIES if fell_silent is not None and fell_silent.how in ("silent", "failed") else 0.0
    return found
