"""Facts of the time after the run: until when it was refused, and from when on it was allowed."""

from typing import Literal

from netdiag.facts.base import Value, Witness


class Recovery(Value, frozen=True, kw_only=True):
    """What was seen of one address after the run. Seconds count from the first failure of the run; where nothing failed
    ``after`` a limit was met on purpose, from its first refusal.

    ``refused_until_s``: the last time that it failed; ``allowed_from_s``: the first time that it worked (None: it did
    not until the watch ended). A ban with a fixed end ended between the two. One that every attempt renews lasts for
    longer than ``quiet_refused_s``, the longest quiet after which it was refused all the same, and at most for
    ``quiet_allowed_s``, the quiet before the attempt that worked. ``until`` and ``since``: the two moments in UTC.
    """

    address: str
    level: Literal["connect", "http"]
    attempts: int
    refused_until_s: int
    allowed_from_s: int | None = None
    quiet_refused_s: int = 0
    quiet_allowed_s: int | None = None
    until: str = ""
    since: str | None = None
    after: Literal["failure", "limit"] = "failure"
    witnesses: tuple[Witness, ...] = ()
