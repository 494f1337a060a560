"""Records of raw DNS: one question to one server over one transport."""

from typing import Literal

from netdiag.evidence.record import Observed, Port, Struct, UInt


class ResourceRecord(Struct, frozen=True, kw_only=True):
    """One record of an answer, in presentation form. ``ttl`` in seconds."""

    name: str
    rrtype: str
    data: str
    ttl: UInt


class ExtendedError(Struct, frozen=True, kw_only=True):
    """An Extended DNS Error (RFC 8914): the INFO-CODE and the server's own text."""

    code: UInt
    text: str = ""


class Lookup(Observed, frozen=True, kw_only=True, tag="lookup"):
    """One DNS question. A reply of any rcode is a working lookup: ``failure`` is set only when no usable reply came
    (timed out, refused by ICMP, malformed), and, for convenience of nobody, never derived from ``rcode``.

    ``server_class``: ``configured`` (the machine's own), ``public`` (independent), ``authority`` (a server of the
    name's own zone), ``parent`` (a server of a zone above, or a root server), ``canary`` (an address that must not
    answer: documentation space).  ``zone`` names the zone cut that an authority or parent was asked for.
    ``authority`` and ``glue`` (the additional section's addresses) are kept of replies without an answer: referrals
    and denials.
    ``flags`` holds those of AA TC RA AD CD that were set. ``rcode`` None: no reply.
    """

    name: str
    rrtype: str
    server: str
    server_class: Literal["configured", "public", "authority", "parent", "canary"]
    server_name: str | None = None
    transport: Literal["udp", "tcp"] = "udp"
    source_port: Port | None = None
    recursion_desired: bool = True
    checking_disabled: bool = False
    zone: str | None = None
    rcode: UInt | None = None
    flags: tuple[Literal["AA", "TC", "RA", "AD", "CD"], ...] = ()
    answers: tuple[ResourceRecord, ...] = ()
    authority: tuple[ResourceRecord, ...] = ()
    glue: tuple[ResourceRecord, ...] = ()
    extended_errors: tuple[ExtendedError, ...] = ()
