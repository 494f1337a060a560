"""DNS and system lookups -> NameFacts."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.machine import HostsEntry, Nat64, SystemLookup
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode, Icmp, Observed
from netdiag.facts.base import Basis, Fact, seen
from netdiag.facts.derivation.book import Book, Entry
from netdiag.facts.derivation.elsewhere import NO_ANSWERS, Answers
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.owners import PROBE as REVERSE
from netdiag.facts.names import AuthorityState, NameFacts, Outcome, ResolverState
from netdiag.facts.places import NAT64_WELL_KNOWN, classify, embedded4, is_special, plain

_NOERROR, _SERVFAIL, _NXDOMAIN, _REFUSED = 0, 2, 3, 5  # RFC 1035 section 4.1.1
_RCODES: dict[int, Outcome] = {_SERVFAIL: "servfail", _NXDOMAIN: "nxdomain", _REFUSED: "refused"}

_HUNG_UP = frozenset({FailureCode.CLOSED, FailureCode.RESET})

_ORDER: tuple[Outcome, ...] = (
    "answers", "nxdomain", "refused", "servfail", "other_rcode", "nodata", "unreachable", "silent",
)  # fmt: skip
"""What one server said to several questions, from the most telling on. A reply beats a lost packet."""


class Told(NamedTuple):
    """What the agents' runs know of the vendor's addresses. ``vouched``: those that their own resolvers or independent
    servers give them and that are not known to be false; ``true``: those that independent servers give them;
    ``working``: those of ``vouched`` at which the URL works for them; ``served``: those at which it was answered with a
    status below 400; ``answers``: how, for the very same URL at about the same time."""

    vouched: frozenset[str] = frozenset()
    true: frozenset[str] = frozenset()
    working: frozenset[str] = frozenset()
    served: frozenset[str] = frozenset()
    answers: Answers = NO_ANSWERS


NOTHING_TOLD = Told()


class Named(NamedTuple):
    """The facts of names, and the sets that later derivations ask again."""

    facts: NameFacts
    configured: frozenset[str]
    public: frozenset[str]
    authority: frozenset[str]
    system: frozenset[str]
    hosts: tuple[str, ...] | None
    nat64: str | None
    told: Told = NOTHING_TOLD


def derive_names(book: Book, near: Near, told: Told = NOTHING_TOLD) -> Named:
    """All facts of names but ``configured_lies``, which waits for TLS at each address."""
    host = _lower(book.bundle.target.host)
    lookups = book.of(Lookup)
    resolvers, resolver_records = _resolvers(lookups, host, book, near)
    authorities, authority_records = _authorities(lookups, host, book)
    system = [entry.record for entry in book.of(SystemLookup) if _lower(entry.record.name) == host]
    hosts = [entry.record for entry in book.of(HostsEntry) if _lower(entry.record.name) == host]
    by_class = {
        kind: frozenset(a for state in resolvers if state.server_class == kind for a in state.addresses)
        for kind in ("configured", "public")
    }
    from_authority = frozenset(a for state in authorities if state.outcome == "answers" for a in state.addresses)
    parents = [entry.record for entry in lookups if entry.record.server_class == "parent"]
    canaries = [entry.record for entry in lookups if entry.record.server_class == "canary"]
    canary = _answered(canaries, book)
    intercepted = _intercepted(parents, host, book)
    forged = canary if canary.value is True else intercepted
    nat64 = next((entry.record.prefix for entry in book.of(Nat64) if entry.record.prefix), None)
    literal = book.bundle.target.is_literal
    facts = NameFacts(
        needed=seen(not literal, ()),
        resolvers=seen(resolvers, book.witnesses(resolver_records)) if resolvers else Fact(),
        authorities=seen(authorities, book.witnesses(authority_records)) if authorities else Fact(),
        parents_answer=_answered(parents, book),
        delegated=_delegated(parents, authorities, book),
        system_resolves=_system_resolves(system, book),
        configured_resolve=_resolve([s for s in resolvers if s.server_class == "configured"], ()),
        independent_resolve=_independent(
            _resolve([s for s in resolvers if s.server_class == "public"], authorities), forged
        ),
        true_addresses=_true_addresses(resolvers, authorities, forged),
        answer_is_private=Fact()
        if literal
        else _answer_is_private(resolvers, private=book.bundle.target.private, nat64=nat64),
        known_elsewhere=seen(True, ()) if told.true else Fact(),
        intercepted=intercepted,
        canary_answered=canary,
    )
    held = tuple(dict.fromkeys(plain(a) for record in hosts for a in record.addresses))
    return Named(
        facts=facts,
        configured=by_class["configured"],
        public=by_class["public"],
        authority=from_authority,
        system=frozenset(plain(a) for record in system for a in record.addresses),
        hosts=held if any(record.failure is None for record in hosts) else None,
        nat64=nat64,
        told=told,
    )


def is_synthesised(address: str, prefix: str | None, true: Iterable[str]) -> bool:
    """A NAT64 address that holds one of the true IPv4 addresses (RFC 6052): genuine, though nobody published it. Under
    the line's own prefix, or the well-known one, which needs no finding out."""
    held = {embedded4(address, one) for one in (prefix, NAT64_WELL_KNOWN) if one is not None}
    return not held.isdisjoint(true)


def _lower(name: str) -> str:
    return name.rstrip(".").lower()


def _addresses(records: Iterable[Lookup]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(plain(a.data) for record in records for a in record.answers if a.rrtype in ("A", "AAAA"))
    )


def _outcome(record: Lookup, book: Book) -> Outcome | None:
    """What one lookup met; None when it says nothing: too short a wait, or a truncated reply without an answer."""
    failure = record.failure
    if record.rcode is not None:
        if record.rcode != _NOERROR:
            return _RCODES.get(record.rcode, "other_rcode")
        if _addresses((record,)):
            return "answers"
        return None if "TC" in record.flags else "nodata"
    if failure is None:
        return None
    if failure.code is FailureCode.TIMED_OUT:
        return "silent" if book.waited(record) else None
    if failure.code is FailureCode.PROTOCOL:
        return "other_rcode"
    if failure.op != "connect" and not isinstance(failure.native, Icmp) and failure.code in _HUNG_UP:
        return "silent"  # it took the question and ended the connection: a forwarder that waits in vain does so
    return None if failure.code is FailureCode.UNCLASSIFIED else "unreachable"


def _refused_by(records: Iterable[Lookup]) -> tuple[str, ...]:
    """Who refused the questions. A reset of a connection attempt comes in the server's own name."""
    found: dict[str, None] = {}
    for record in records:
        failure = record.failure
        if failure is not None and isinstance(failure.native, Icmp):
            found[plain(failure.native.sender)] = None
        elif failure is not None and failure.op == "connect" and failure.code is FailureCode.REFUSED:
            found[plain(record.server)] = None
    return tuple(found)


def _accepts(records: Iterable[Lookup]) -> bool:
    """A TCP connection to it came about, whatever became of the question."""
    return any(
        record.transport == "tcp"
        and (record.rcode is not None or (record.failure is not None and record.failure.op in ("send", "receive")))
        and not (record.failure is not None and isinstance(record.failure.native, Icmp))
        for record in records
    )


def _sum_up(records: Sequence[Lookup], book: Book) -> Outcome | None:
    """What one server says of one name. Without the A question only an answer or NXDOMAIN says anything, since the AAAA
    question alone may well be empty or fail (fault-signatures 7.8)."""
    told = [(outcome, record) for record in records if (outcome := _outcome(record, book)) is not None]
    outcomes = {outcome for outcome, _ in told}
    asked_a = any(record.rrtype == "A" for _, record in told)
    best = min(outcomes, key=_ORDER.index, default=None)
    return best if asked_a or best in ("answers", "nxdomain") else None


def _unchecked(records: Sequence[Lookup], book: Book) -> bool | None:
    """Whether the name was answered with DNSSEC checking disabled, where that was asked (fault-signatures H40)."""
    told = {outcome for r in records if r.checking_disabled and (outcome := _outcome(r, book)) is not None}
    return "answers" in told if told else None


def _resolvers(
    lookups: Sequence[Entry[Lookup]], host: str, book: Book, near: Near
) -> tuple[tuple[ResolverState, ...], list[Observed]]:
    servers: dict[tuple[str, Literal["configured", "public"]], dict[str, list[Lookup]]] = {}
    used: list[Observed] = []
    for record, step in lookups:
        if record.server_class not in ("configured", "public") or step.probe in ("nat64", REVERSE):
            continue
        use = step.params.get("use") or ("target" if _lower(record.name) == host else "control")
        servers.setdefault((plain(record.server), record.server_class), {}).setdefault(use, []).append(record)
        used.append(record)
    states = []
    for (server, server_class), uses in servers.items():
        every, random = uses.get("target", []), uses.get("random", [])
        target = [record for record in every if not record.checking_disabled]
        replied = {record.transport for record in target if record.rcode is not None and "TC" not in record.flags}
        random_said = {_outcome(record, book) for record in random} - {None, "silent", "unreachable"}
        states.append(
            ResolverState(
                server=server,
                server_class=server_class,
                place=_place(server, near),
                target=_sum_up(target, book),
                addresses=_addresses(target),
                extended_errors=tuple(sorted({e.code for record in target for e in record.extended_errors})),
                control=_sum_up([r for r in uses.get("control", []) if not r.checking_disabled], book),
                random_answers="answers" in random_said if random_said else None,
                tcp_only=replied == {"tcp"}
                and any(_outcome(r, book) == "silent" for r in target if r.transport == "udp"),
                refused_by=_refused_by(record for records in uses.values() for record in records),
                accepts=_accepts(record for records in uses.values() for record in records),
                answers_unchecked=_unchecked(every, book),
                witnesses=book.witnesses(record for records in uses.values() for record in records),
            )
        )
    return tuple(states), used


def _place(server: str, near: Near) -> Literal["own", "lan", "private", "outside"]:
    if near.is_own(server):
        return "own"
    kind = classify(server)
    inside_lan = near.on_link(server) and (kind == "private" or ":" in server)
    if server in near.first_hops or inside_lan or kind == "link_local":
        return "lan"
    return "private" if kind in ("private", "shared") else "outside"


def _authorities(
    lookups: Sequence[Entry[Lookup]], host: str, book: Book
) -> tuple[tuple[AuthorityState, ...], list[Observed]]:
    servers: dict[str, list[Lookup]] = {}
    for record, _ in lookups:
        if record.server_class == "authority" and _lower(record.name) == host:
            servers.setdefault(plain(record.server), []).append(record)
    states = []
    for server, records in servers.items():
        told = [(outcome, r) for r in records if (outcome := _authority_outcome(r, book)) is not None]
        order: tuple[str, ...] = ("answers", "nxdomain", "nodata", "lame", *_ORDER)
        best = min(told, key=lambda pair: order.index(pair[0]), default=None)
        if best is not None:
            states.append(
                AuthorityState(
                    server=server,
                    server_name=best[1].server_name,
                    outcome=best[0],
                    addresses=_addresses(records) if best[0] == "answers" else (),
                    witnesses=book.witnesses(records),
                )
            )
    return tuple(states), [record for records in servers.values() for record in records]


def _authority_outcome(record: Lookup, book: Book) -> Outcome | Literal["lame"] | None:
    """As for resolvers, but an answer without authority is lame (fault-signatures H41), and an alias to another zone is
    an answer: where it leads is not this server's to say. An empty AAAA answer beside an A answer is no NODATA."""
    outcome = _outcome(record, book)
    if outcome in ("answers", "nxdomain", "nodata") and "AA" not in record.flags:
        return "lame"
    if outcome == "nodata" and any(answer.rrtype in ("CNAME", "DNAME") for answer in record.answers):
        return "answers"
    return outcome


def _answered(records: Sequence[Lookup], book: Book) -> Fact[bool]:
    """Whether any of these servers replied at all."""
    replied = [record for record in records if record.rcode is not None]
    if replied:
        return seen(True, book.witnesses(replied), looked_at=len(records))
    failed = [record for record in records if _outcome(record, book) in ("silent", "unreachable")]
    return seen(False, book.witnesses(failed)) if failed else Fact()


def _intercepted(parents: Sequence[Lookup], host: str, book: Book) -> Fact[bool]:
    """Root and TLD servers offer no recursion (RA), and refer to the zone's servers: an address in their reply comes
    from a resolver that port 53 was redirected to. A TLD's server may hold the target's zone as well: with AA."""
    replied = [record for record in parents if record.rcode is not None]
    forged = [
        record
        for record in replied
        if "RA" in record.flags
        or (
            _lower(record.name) == host
            and ("AA" not in record.flags or record.zone in ("", "."))
            and any(answer.rrtype in ("A", "AAAA", "CNAME") for answer in record.answers)
        )
    ]
    if not replied:
        return Fact()
    return seen(bool(forged), book.witnesses(forged or replied), agree=len(forged or replied), looked_at=len(replied))


def _delegated(parents: Sequence[Lookup], authorities: tuple[AuthorityState, ...], book: Book) -> Fact[bool]:
    if authorities:
        return seen(True, tuple(w for state in authorities for w in state.witnesses))
    denied = [record for record in parents if record.rcode == _NXDOMAIN and "AA" in record.flags]
    return seen(False, book.witnesses(denied)) if denied else Fact()


def _system_resolves(records: Sequence[SystemLookup], book: Book) -> Fact[bool]:
    told = [r for r in records if r.addresses or r.gai_error is not None or r.failure is not None]
    if not told:
        return Fact()
    good = [record for record in told if record.addresses]
    return seen(bool(good), book.witnesses(good or told), looked_at=len(told))


def _resolve(resolvers: Sequence[ResolverState], authorities: Sequence[AuthorityState]) -> Fact[bool]:
    told = [(s.target == "answers", s.witnesses) for s in resolvers if s.target is not None]
    told += [(s.outcome == "answers", s.witnesses) for s in authorities]
    if not told:
        return Fact()
    value = any(answers for answers, _ in told)
    agreeing = [witnesses for answers, witnesses in told if answers == value]
    return seen(value, tuple(w for some in agreeing for w in some), agree=len(agreeing), looked_at=len(told))


def _independent(found: Fact[bool], forged: Fact[bool]) -> Fact[bool]:
    """Whoever answers for an address that must not answer, or for the root, also answers for the independent servers
    (L15)."""
    if found.known and forged.value is True:
        return Fact(basis=Basis.DISCARDED, witnesses=forged.witnesses)
    return found


def _true_addresses(
    resolvers: Sequence[ResolverState], authorities: Sequence[AuthorityState], forged: Fact[bool]
) -> Fact[tuple[str, ...]]:
    """The authorities' answers, else those of all public resolvers together: two of them may well be given different
    caches of one CDN, and one alone is not outvoted."""
    sources = [s for s in authorities if s.outcome == "answers" and s.addresses]
    states: Sequence[AuthorityState | ResolverState] = sources or [
        s for s in resolvers if s.server_class == "public" and s.target == "answers"
    ]
    if not states:
        return Fact()
    witnesses = tuple(w for state in states for w in state.witnesses)
    if forged.value is True:
        return Fact(basis=Basis.DISCARDED, witnesses=witnesses)
    return seen(
        tuple(dict.fromkeys(a for state in states for a in state.addresses)),
        witnesses,
        agree=len(states),
        looked_at=len(states),
    )


def _answer_is_private(resolvers: Sequence[ResolverState], *, private: bool, nat64: str | None) -> Fact[bool]:
    told = [s for s in resolvers if s.server_class == "configured" and s.addresses]
    if private or not told:
        return Fact()
    bad = [s for s in told if any(is_special(a) and not (nat64 and embedded4(a, nat64)) for a in s.addresses)]
    return seen(
        bool(bad), tuple(w for s in bad or told for w in s.witnesses), agree=len(bad or told), looked_at=len(told)
    )
