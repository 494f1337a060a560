"""Where a verified bundle comes from, as far as that can be told, in fields and in words."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from netdiag.evidence.bundle import Bundle

CLOCK_TOLERANCE = timedelta(minutes=2)
"""How far a bundle may be from the future before it is said: two ordinary clocks differ by less."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of one bundle. It exists only for a bundle whose signature and hashes hold.

    ``key`` is the fingerprint as ssh-keygen prints it. ``key_trust``: ``trusted`` (an allowed signer; ``principals``
    says whose key) or ``unknown`` (nobody was asked). ``made_at`` is the measuring machine's own clock; ``age_s`` the
    seconds from then to now by the reader's clock, negative for a bundle from the future, which ``from_future`` says
    beyond CLOCK_TOLERANCE. ``ticket_matches`` is None when no ticket was asked for. ``sha256`` is that of the
    container, also when an unpacked folder was read. ``proves`` and ``does_not_prove`` are sentences for a person.
    """

    signature: Literal["valid"] = "valid"
    key: str
    key_trust: Literal["trusted", "unknown"]
    principals: str | None
    made_at: datetime
    age_s: int
    from_future: bool
    ticket: str | None
    ticket_matches: bool | None
    sha256: str
    proves: tuple[str, ...]
    does_not_prove: tuple[str, ...]


def describe(
    bundle: Bundle,
    *,
    fingerprint: str,
    principals: str | None,
    sha256: str,
    ticket_asked: str | None,
    now: datetime,
) -> Provenance:
    """The provenance of a bundle that was verified with the key ``fingerprint``, which is that of ``principals``."""
    age = now - bundle.began_at
    proves = [
        "These are the bytes that were sealed: nothing in the bundle has changed since.",
        f"They were sealed by a holder of the key {fingerprint}.",
    ]
    does_not_prove = [
        "That the machine which measured was honest: the holder of a key can sign anything.",
        "When it was measured: the time is that machine's own.",
    ]
    if principals is None:
        does_not_prove.insert(0, "Whose key it is: anyone can make one, and no list of trusted keys was given.")
    else:
        proves.append(f"That key is trusted as {principals}.")
    return Provenance(
        key=fingerprint,
        key_trust="unknown" if principals is None else "trusted",
        principals=principals,
        made_at=bundle.began_at,
        age_s=int(age.total_seconds()),
        from_future=-age > CLOCK_TOLERANCE,
        ticket=bundle.ticket,
        ticket_matches=None if ticket_asked is None else bundle.ticket == ticket_asked,
        sha256=sha256,
        proves=tuple(proves),
        does_not_prove=tuple(does_not_prove),
    )
