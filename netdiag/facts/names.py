"""Facts of name resolution: each resolver on its own, and what they add up to."""

from typing import Literal

from netdiag.facts.base import Fact, Value, Witness

Outcome = Literal["answers", "nxdomain", "nodata", "servfail", "refused", "other_rcode", "silent", "unreachable"]
"""``unreachable``: an ICMP error or a TCP refusal came instead of a reply. ``refused`` is the rcode. ``silent``: no
reply; a server that accepted the question over TCP and hung up without a word kept silent, too."""


class ResolverState(Value, frozen=True, kw_only=True):
    """What one resolver said. ``place``: ``own`` (this machine), ``lan`` (private address, inside a LAN prefix or the
    gateway itself), ``private`` (other private or shared space), ``outside``. ``addresses`` are of A and AAAA."""

    server: str
    server_class: Literal["configured", "public"]
    place: Literal["own", "lan", "private", "outside"]
    target: Outcome | None
    addresses: tuple[str, ...] = ()
    extended_errors: tuple[int, ...] = ()
    control: Outcome | None = None
    random_answers: bool | None = None
    """A name that cannot exist was answered with an address."""
    tcp_only: bool = False
    refused_by: tuple[str, ...] = ()
    """Who sent the refusals that came instead of replies: senders of ICMP errors, or the server itself for a reset."""
    accepts: bool = False
    """It accepted a question over TCP: it lives, and what it says (or keeps silent about) may come from behind it."""
    answers_unchecked: bool | None = None
    """With DNSSEC checking disabled (asked after SERVFAIL) the target's name was answered: validation is what fails."""
    witnesses: tuple[Witness, ...] = ()


class AuthorityState(Value, frozen=True, kw_only=True):
    """What one server of the target's own zone said, asked directly. ``lame``: answered, but not with authority."""

    server: str
    server_name: str | None
    outcome: Outcome | Literal["lame"]
    addresses: tuple[str, ...] = ()
    witnesses: tuple[Witness, ...] = ()


class NameFacts(Value, frozen=True, kw_only=True):
    """``needed`` False: the target is an IP literal, nothing here can be at fault."""

    needed: Fact[bool] = Fact()
    resolvers: Fact[tuple[ResolverState, ...]] = Fact()
    authorities: Fact[tuple[AuthorityState, ...]] = Fact()
    parents_answer: Fact[bool] = Fact()
    """Root or TLD servers answered: the machine can speak DNS with the outside."""
    delegated: Fact[bool] = Fact()
    """The parent zone delegates the target's zone; False: the parent itself says NXDOMAIN."""
    system_resolves: Fact[bool] = Fact()
    configured_resolve: Fact[bool] = Fact()
    """At least one configured resolver gave an address for the target."""
    independent_resolve: Fact[bool] = Fact()
    """At least one public resolver, or an authority, gave an address for the target."""
    true_addresses: Fact[tuple[str, ...]] = Fact()
    """The best knowledge of the vendor's addresses: of the authorities, else of the public resolvers that agree."""
    configured_lies: Fact[tuple[str, ...]] = Fact()
    """Addresses only configured resolvers give, which are private/special space or fail TLS for the name, while the
    true addresses differ. Different but TLS-valid answers are CDN variation and never listed here."""
    answer_is_private: Fact[bool] = Fact()
    """A configured resolver gives a private, loopback, shared or unspecified address for a public name."""
    known_elsewhere: Fact[bool] = Fact()
    """An agent's run knows the name's true addresses from independent servers."""
    intercepted: Fact[bool] = Fact()
    """Somebody on the line answers in the place of the root or of a TLD: their "reply" offers recursion, or has the
    target's address itself. Then no answer on this line is independent (as with ``canary_answered``)."""
    canary_answered: Fact[bool] = Fact()
