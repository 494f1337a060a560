"""What every observation has: an id, the step that caused it, its times, and how it failed.

Records say what happened, with numbers; never what it means. Unknown is a value: a field that was not measured is
``None``, never 0, False or an empty string.
"""

import enum
from typing import Annotated, Literal, NewType

import msgspec

ObsId = NewType("ObsId", str)
"""``o17``: unique inside one bundle."""

StepId = NewType("StepId", str)
"""The plan step that caused an observation, unique inside one bundle: ``s12``."""

UInt = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all that is sealed: immutable, named fields only, unknown fields refused."""


class FailureCode(enum.Enum):
    """How one operation failed. A closed list: a new member is a new bundle format."""

    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    RESET = "reset"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    DENIED_LOCALLY = "denied_locally"
    PROTOCOL = "protocol"
    NAME_NOT_FOUND = "name_not_found"
    CERT_REJECTED = "cert_rejected"
    RATE_LIMITED = "rate_limited"
    TOO_BIG = "too_big"
    UNCLASSIFIED = "unclassified"


class Icmp(Struct, frozen=True, kw_only=True, tag_field="native", tag="icmp"):
    """An ICMP error as the kernel's error queue gave it. ``sender`` is the router or host that sent it."""

    type: Byte
    code: Byte
    sender: str
    version: Literal[4, 6] = 4


class Native(Struct, frozen=True, kw_only=True, tag_field="native", tag="number"):
    """A number in the words of the layer that failed: errno, DNS rcode, TLS alert, or HTTP status."""

    kind: Literal["errno", "rcode", "tls-alert", "http"]
    number: UInt


class Failure(Struct, frozen=True, kw_only=True):
    """Why an operation did not work. ``text`` is the library's own words: for people, never parsed.

    ``native`` keeps the ICMP type, code and sender where there was one, since errno alone is ambiguous
    (EHOSTUNREACH is six different ICMP codes, a failed ARP and a local route; fault-signatures 2.1).
    ``errno`` is kept beside it.
    """

    op: Literal["resolve", "connect", "handshake", "send", "receive", "look"]
    code: FailureCode
    native: Native | Icmp | None = None
    errno: UInt | None = None
    text: str = ""


class Observed(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One operation. ``began_ns`` and ``ended_ns`` are monotonic nanoseconds from the start of the run."""

    id: ObsId
    step: StepId
    attempt: UInt = 1
    began_ns: UInt
    ended_ns: UInt
    caused_by: ObsId | None = None
    failure: Failure | None = None


Why = Literal["no_privilege", "unsupported", "declined", "out_of_time", "prerequisite_failed", "crashed"]
"""Why a step, or a part of one, did not run."""


class NotRun(Observed, frozen=True, kw_only=True, tag="not_run"):
    """Silence is recorded too: a step, or a part of one, that did not run, and why.

    ``what`` names the part that is missing (``the error queue``, ``ICMP echo``); ``detail`` is for people.
    """

    why: Why
    what: str
    detail: str = ""
