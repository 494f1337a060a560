"""Facts of the target, one state per address: later layers are judged only where the earlier one worked."""

from typing import Literal

from netdiag.evidence.record import Icmp
from netdiag.evidence.tls import Certificate
from netdiag.facts.base import Fact, Share, Value, Witness
from netdiag.facts.pages import PageKind, Refused

SenderPlace = Literal["self", "gateway", "private", "shared", "path", "vendor", "target", "in_its_name"]
"""Where the sender of an ICMP error stands: this machine, its default gateway, private or CGNAT (100.64/10) space
that is not the gateway, a public router, an address in the vendor's prefixes or the hop before the target
(``vendor``), or the target's own address; ``in_its_name``: the error has that address, and came from nearer than other
packets to it are answered from, so that whoever stands there sent it. A router on a walk to a control is the vendor's
by the profile alone, and private or shared space beyond the first public hop is ``path``: somebody's inner numbering,
not the customer's."""


class ConnectState(Value, frozen=True, kw_only=True):
    """How TCP went at one address and port, over all attempts. ``open`` when any attempt worked.

    ``how``: ``open``, ``refused`` (RST), ``icmp`` (see ``icmp``), ``silent``, ``local`` (this machine refused; with
    ``sender_place`` self: by an own ICMP error, or an own reset when ``icmp`` is None), ``reset``. ``icmp`` with sender
    place ``self`` is the kernel's own "host unreachable" after about 3 s: the next hop does not answer ARP or NDP.
    ``icmp`` without an ``icmp``: an error whose sender this machine could not tell (no error queue).
    Of several failing attempts the most telling one counts; attempts after a burst of our own do not count at all.
    ``attempts`` and ``worked`` count the attempts over the run; ``syn_lost`` counts retransmitted SYNs of attempts
    that worked in the end, and SYNs of silent attempts beside one that worked in the same step. ``span_ms`` is the
    time from the first failing attempt to the last: persistence.
    """

    how: Literal["open", "refused", "icmp", "silent", "local", "reset"]
    attempts: int
    worked: int
    syn_lost: int = 0
    span_ms: int = 0
    elapsed_ms: int | None = None
    icmp: Icmp | None = None
    sender_place: SenderPlace | None = None
    errno: int | None = None


class TlsState(Value, frozen=True, kw_only=True):
    """How TLS went. ``how``: ``ok``, ``untrusted`` (handshake done, the certificate rejected), ``alert`` (the peer's),
    ``reset``, ``closed``, ``silent``, ``not_tls``, ``failed`` (anything else).

    Of several handshakes the best counts. ``alert``: never close_notify. ``verify_code`` is OpenSSL's for the system
    store (0 good), ``mozilla_code`` for Mozilla's; ``acked``: the ClientHello reached the peer's TCP, and so did what
    followed a ServerHello. ``leaf`` and ``issuer``: what was presented.
    """

    how: Literal["ok", "untrusted", "alert", "reset", "closed", "silent", "not_tls", "failed"]
    verify_code: int | None = None
    mozilla_code: int | None = None
    alert: int | None = None
    acked: bool | None = None
    server_hello: bool | None = None
    leaf: Certificate | None = None
    issuer: str | None = None
    chain_length: int = 0
    client_certificate_asked: bool | None = None


class Elsewhere(Value, frozen=True, kw_only=True):
    """What the same URL was answered elsewhere at the same time, where that is another answer than this one.

    ``where``: ``way`` (this address, by a second way of this machine), ``line`` (this address, to an agent's run),
    ``address`` (another address of the target, in this run). ``status`` and ``location_host`` are the other answer's;
    with the same status and host it is another page, though each side always gets the same. ``replaced``: a page of
    another kind, or one that differs each time in the same way: not one that is made anew for each visit.
    """

    where: Literal["way", "line", "address"]
    status: int
    location_host: str | None = None
    replaced: bool = False


class HttpState(Value, frozen=True, kw_only=True):
    """How HTTP went. ``how``: ``answered`` (any status), ``silent``, ``reset``, ``closed`` (no byte came), ``failed``,
    ``cut`` (a status below 400 came, and not all of the body that it announced: RFC 9112 section 8).
    An answer that broke off, and came whole over small segments only, counts as ``silent``.

    ``acked``: the request reached the peer's TCP. ``retry_after_s`` and ``limit_headers``: what the answer said of
    limits. ``other_agent_status`` and ``other_agent_page``: the status, and the kind of page, that the customer's or a
    browser's User-Agent got, when asked. ``product``: who made the page, by fingerprint, when known; ``page`` what kind
    of page it is, ``page_code`` the product's own number for it (Cloudflare's 1020) and ``page_says`` what its maker
    means by it; ``refuses``: whom it says that it refuses; ``bare``: a server's default page, which no application
    wrote. ``fronts``: products on the way that put headers on every answer, so that they need not have decided.
    ``pop``: which site of an anycast service answered. ``search_keys``: ids that the vendor can look up.
    ``elsewhere``: another answer to the same question, when there was one. ``failed``: among others, the request's own
    connection did not come about, and ``refused_by`` the ICMP error that ended it, if one did. The first answer to
    netdiag's client is described; ``statuses`` has all of them.
    """

    how: Literal["answered", "silent", "reset", "closed", "failed", "cut"]
    status: int | None = None
    acked: bool | None = None
    retry_after_s: int | None = None
    limit_headers: tuple[str, ...] = ()
    challenge: bool = False
    other_agent_status: int | None = None
    product: str | None = None
    first_byte_ms: int | None = None
    location_host: str | None = None
    statuses: tuple[int, ...] = ()
    search_keys: tuple[tuple[str, str], ...] = ()
    page: PageKind | None = None
    page_code: str | None = None
    page_says: str | None = None
    refuses: Refused | None = None
    other_agent_page: PageKind | None = None
    fronts: tuple[str, ...] = ()
    bare: bool = False
    pop: str | None = None
    refused_by: Icmp | None = None
    elsewhere: Elsewhere | None = None


class AddressState(Value, frozen=True, kw_only=True):
    """One address of the target. ``genuine`` False: it is known to be a lie (resolver, hosts file, portal), so nothing
    measured there speaks of the vendor; None: not known. ``answers_otherwise``: the address itself answered something
    else than this port (echo, another port, UDP or ICMP walk that ends at it). ``works``: the URL's deepest layer
    answered without a fault of the network, TLS or a server error (facts/derivation/exchanges.py, ``works``, for the
    statuses). ``search_keys``: the source port, address and UTC time of the attempt that tells most."""

    address: str
    family: Literal[4, 6]
    source: tuple[Literal["configured", "public", "authority", "hosts", "literal", "system"], ...]
    genuine: bool | None = None
    connect: ConnectState | None = None
    tls: TlsState | None = None
    http: HttpState | None = None
    answers_otherwise: bool | None = None
    echo: Share | None = None
    works: bool | None = None
    failed_at: Literal["connect", "tls", "http"] | None = None
    search_keys: tuple[tuple[str, str], ...] = ()
    witnesses: tuple[Witness, ...] = ()


class TargetFacts(Value, frozen=True, kw_only=True):
    """``addresses`` holds every address that was measured; the others sum them up."""

    scheme: Fact[str] = Fact()
    addresses: Fact[tuple[AddressState, ...]] = Fact()
    works: Fact[bool] = Fact()
    """True: at least one address works and no measured address of a family with a working control fails. False: at
    least one genuine (or not known to be false) address fails. Unknown: no address was measured, or none deep enough.
    Direct connections only, and of the measured addresses, whoever named them: see ``works_by_name`` and
    ``machine.proxy``."""
    works_somewhere: Fact[bool] = Fact()
    """At least one address works. False: every one that is not known to be a lie fails."""
    works_by_name: Fact[bool] = Fact()
    """What an application on this machine meets: the system gives an address that works and is not known to be a lie.
    False: it gives none at all, only lies, only addresses that fail, or one that accepts the connection and then fails:
    a program stays there. Unknown too where it works in plain HTTP, at an address that may be false (DNS intercepted).
    Known only for names."""
    loss: Fact[Share] = Fact()
    """SYN retransmissions and lost echoes towards the target, together."""
    retransmits: Fact[Share] = Fact()
    """Data segments retransmitted over segments sent, from TCP_INFO of target connections."""
