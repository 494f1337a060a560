"""Steps of the target -> one AddressState per address. What they add up to is in summary.py."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from netdiag.evidence.record import Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo
from netdiag.evidence.web import Exchange
from netdiag.facts.controls import ControlFacts
from netdiag.facts.derivation import exchanges as http
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.connects import connect_state, is_plain
from netdiag.facts.derivation.elsewhere import (
    Answers,
    Beside,
    answers_by_ways,
    answers_to,
    is_doubtful,
    is_led_away,
    is_refused_alone,
    with_elsewhere,
)
from netdiag.facts.derivation.handshakes import TIME_CODES, covers, is_vouched_for, tls_state
from netdiag.facts.derivation.losses import echo_share
from netdiag.facts.derivation.names import Named, is_synthesised
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.small import broken_off, is_small
from netdiag.facts.places import family, is_nowhere, is_special, plain
from netdiag.facts.target import AddressState, ConnectState, HttpState, TlsState

Source = Literal["configured", "public", "authority", "hosts", "literal", "system"]
FailedAt = Literal["connect", "tls", "http"]
Layers = tuple[ConnectState | None, TlsState | None, HttpState | None]


class TargetRecords:
    """The direct records of the target by address. Left out: those after a burst, since our own load may speak in them,
    connects with unusual options, and handshakes on these or for another name: experiments, not the customer's case."""

    def __init__(self, book: Book) -> None:
        self.connects: dict[str, list[Connect]] = {}
        self.handshakes: dict[str, list[Handshake]] = {}
        self.exchanges: dict[str, list[Exchange]] = {}
        self.echoes: dict[str, list[Echo]] = {}
        self.broken_off = broken_off(book)
        for connect, step in book.of(Connect):
            if step.role == "target" and is_direct(step) and is_plain(connect):
                self.connects.setdefault(plain(connect.address), []).append(connect)
        port, host = book.bundle.target.port, book.bundle.target.host.rstrip(".").lower()
        odd = {connect.id for connect, _ in book.of(Connect) if not is_plain(connect)}
        for handshake, step in book.of(Handshake):
            counted = step.role == "target" and is_direct(step) and step.port in (None, port)
            named = handshake.server_name is None or handshake.server_name.rstrip(".").lower() == host
            if counted and named and step.address and handshake.caused_by not in odd:
                self.handshakes.setdefault(plain(step.address), []).append(handshake)
        for exchange, step in book.of(Exchange):
            direct = step.role == "target" and is_direct(step) and exchange.via_proxy is None and not is_small(step)
            if direct and exchange.address and not exchange.after_burst and exchange.port in (None, port):
                self.exchanges.setdefault(plain(exchange.address), []).append(exchange)
        for echo, step in book.of(Echo):
            if step.role == "target" and is_direct(step):
                self.echoes.setdefault(plain(echo.address), []).append(echo)

    def addresses(self) -> list[str]:
        """Every address that was measured, in the order in which it was first connected to."""
        return list(dict.fromkeys([*self.connects, *self.handshakes, *self.exchanges, *self.echoes]))


def address_states(
    records: TargetRecords, named: Named, controls: ControlFacts, scene: Scene
) -> tuple[AddressState, ...]:
    """One state per measured address. Each layer only where the one below worked (design.md, Judging)."""
    book = scene.book
    layers = _as_other_clients({address: _layers(address, records, scene) for address in records.addresses()})
    beside = Beside(ways=answers_by_ways(book), lines=named.told.answers, here=_answers_here(records, layers))
    certificates = {address: tls for address, (_, tls, _) in layers.items()}
    states = []
    for address, (connect, tls, plain_answer) in layers.items():
        answer = with_elsewhere(plain_answer, address, beside)
        works, failed_at = _works(book.bundle.target.scheme, connect, tls, answer)
        if works is True and tls is None and controls.portal.value:
            works, failed_at = _behind_portal(answer, controls.portal.value)
        elsewhere_well = address in named.told.served and _is_refusal(answer)
        led_away = is_led_away(answer, book.bundle.target.scheme, address)
        if works is not False and (elsewhere_well or is_refused_alone(answer) or led_away):
            works, failed_at = False, "http"
        if works is True and is_doubtful(answer):
            works = None
        mine: list[Observed] = [
            *records.connects.get(address, ()), *records.handshakes.get(address, ()),
            *records.exchanges.get(address, ()), *records.echoes.get(address, ()),
        ]  # fmt: skip
        states.append(
            AddressState(
                address=address,
                family=family(address),
                source=_sources(address, named, literal=book.bundle.target.is_literal),
                genuine=is_genuine(address, certificates, named, controls, book, fails=works is False),
                connect=connect,
                tls=tls,
                http=answer,
                answers_otherwise=_answers_otherwise(address, records, scene),
                echo=echo_share(records.echoes.get(address, ()), book),
                works=works,
                failed_at=failed_at,
                search_keys=_search_keys(records.connects.get(address, ()), failed_at, book),
                witnesses=book.witnesses(mine),
            )
        )
    return tuple(states)


def _answers_here(records: TargetRecords, layers: Mapping[str, Layers]) -> Answers:
    """What the addresses answered in this run, where the layers below HTTP are in order."""
    return answers_to({a: some for a, some in records.exchanges.items() if a in layers and layers[a][2] is not None})


def _layers(address: str, records: TargetRecords, scene: Scene) -> Layers:
    book = scene.book
    port = book.bundle.target.port
    connects = [record for record in records.connects.get(address, ()) if record.port == port]
    connect = connect_state(connects, book, scene.near, scene.placing)
    if connect is not None and connect.how != "open":
        return connect, None, None
    tls = tls_state(records.handshakes.get(address, ()), book) if book.bundle.target.scheme == "https" else None
    if tls is not None and tls.how != "ok":
        return connect, tls, None
    answer = http.http_state(records.exchanges.get(address, ()), book)
    if answer is not None and address in records.broken_off:
        answer = msgspec.structs.replace(answer, how="silent")
    return connect, tls, answer


def _as_other_clients(layers: Mapping[str, Layers]) -> dict[str, Layers]:
    """Of addresses that refuse netdiag's client alike one alone is asked as another client: what that one then answers
    holds for all of them."""
    asked = [http for _, _, http in layers.values() if http is not None and http.other_agent_status is not None]
    return {
        address: (connect, tls, _as_another_client(answer, asked)) for address, (connect, tls, answer) in layers.items()
    }


def _as_another_client(answer: HttpState | None, asked: Sequence[HttpState]) -> HttpState | None:
    if answer is None or answer.other_agent_status is not None:
        return answer
    alike = next((one for one in asked if _refusal_of(one) == _refusal_of(answer)), None)
    if alike is None:
        return answer
    return msgspec.structs.replace(
        answer, other_agent_status=alike.other_agent_status, other_agent_page=alike.other_agent_page
    )


def _refusal_of(answer: HttpState) -> tuple[object, ...]:
    return (answer.how, answer.status, answer.product, answer.page, answer.page_code, answer.refuses, answer.bare)


def _works(
    scheme: str, connect: ConnectState | None, tls: TlsState | None, answer: HttpState | None
) -> tuple[bool | None, FailedAt | None]:
    """The deepest layer decides; a layer that was not measured leaves it unknown."""
    if connect is not None and connect.how != "open":
        return False, "connect"
    if scheme == "https" and tls is not None and tls.how != "ok":
        return False, "tls"
    good = None if answer is None else http.works(answer)
    return good, "http" if good is False else None


def _is_refusal(answer: HttpState | None) -> bool:
    """A 403 or 406 in an application's own words, to every client that was tried. Alone it may ask for a login; where
    the same address serves another line, which has no login either, it is about this one."""
    return (
        answer is not None
        and answer.status in (403, 406)
        and (answer.other_agent_status is None or answer.other_agent_status >= 400)
    )


def _behind_portal(answer: HttpState | None, portal: str) -> tuple[bool | None, FailedAt | None]:
    """A plain answer on a line whose connectivity checks are replaced: where it leads to the portal, too, it is the
    portal's; any other may be."""
    theirs = answer is not None and answer.location_host == portal
    return (False, "http") if theirs else (None, None)


def _sources(address: str, named: Named, *, literal: bool) -> tuple[Source, ...]:
    told: tuple[tuple[Source, Iterable[str]], ...] = (
        ("configured", named.configured),
        ("public", named.public),
        ("authority", named.authority),
        ("hosts", named.hosts or ()),
        ("system", named.system),
    )
    return ("literal",) if literal else tuple(source for source, addresses in told if address in addresses)


def is_genuine(
    address: str,
    tls: Mapping[str, TlsState | None],
    named: Named,
    controls: ControlFacts,
    book: Book,
    *,
    fails: bool = False,
) -> bool | None:
    """Whether the address is the vendor's: by who names it, or by a certificate that is good for the name.

    (1) A literal, an address that an authority or a public resolver gives, or NAT64's form of one: yes.
    (2) TLS good for the name in both stores, while nobody intercepts TLS to the controls: yes. So different answers of
        a CDN are never lies (OONI's rule; fault-signatures L14).
    (3) Only the hosts file gives it, and DNS gives others: no.
    (4) Only configured resolvers give it, the true addresses differ, and it is private or special space while none of
        them is, or its certificate is not the vendor's while theirs is not known to be just as bad: no.
    (5) An address that leads nowhere (0.0.0.0, 127/8) and that no independent server gives: no.
    (6) Else unknown. With port 53 intercepted no answer of this line counts as independent.
    An agent's run counts beside: an address that its own resolvers give is genuine, its independently known ones are
    the true ones where the customer's are unknown. An address that ``fails`` here while the agent knows others only,
    which work for it, is not proven by what this line's servers say: they may have been answered for (L15).
    """
    if book.bundle.target.is_literal:
        return True
    told = named.told
    true = named.facts.true_addresses.value or tuple(sorted(told.true))
    trusted = named.facts.canary_answered.value is not True and named.facts.intercepted.value is not True
    if address in told.vouched:
        return True
    contradicted = fails and bool(told.working) and told.vouched.isdisjoint(true)
    if trusted and not contradicted and (address in named.public or address in named.authority):
        return True
    if is_synthesised(address, named.nat64, true):
        return True
    if is_vouched_for(tls.get(address)) and not controls.intercepting_issuer.known:
        return True
    if trusted and (address in named.public or address in named.authority):
        return None
    host = book.bundle.target.host.rstrip(".").lower()
    if is_nowhere(address) and not (host == "localhost" or host.endswith(".localhost")):
        return False
    if not true or address in true:
        return None
    by_dns = address in named.configured or address in named.public
    if named.hosts and address in named.hosts and not by_dns:
        return False
    foreign = is_special(address) and not any(is_special(other) for other in true)
    return False if foreign or _wrong_certificate(address, tls, true, book.bundle.target.host) else None


def _wrong_certificate(address: str, tls: Mapping[str, TlsState | None], true: Iterable[str], host: str) -> bool:
    """The address presents a certificate that is not the vendor's, or speaks no TLS. A certificate for the name that is
    merely out of date, or the one that a true address presents too, is the vendor's own trouble."""
    state = tls.get(address)
    if state is None or state.how not in ("untrusted", "not_tls"):
        return False
    others = [other for one in true if (other := tls.get(one)) is not None]
    if state.how == "not_tls":
        return not any(other.how == "not_tls" for other in others)
    if state.leaf is None or any(other.leaf and other.leaf.key_sha256 == state.leaf.key_sha256 for other in others):
        return False
    return not (covers(state.leaf, host) and state.verify_code in TIME_CODES)


def _answers_otherwise(address: str, records: TargetRecords, scene: Scene) -> bool | None:
    """The address itself answered something: echo, another port, or another walk that ends at it."""
    book = scene.book
    port = book.bundle.target.port
    echoes = records.echoes.get(address, ())
    if any(echo.rtt_us is not None for echo in echoes):
        return True
    looked = echo_share(echoes, book) is not None
    for walk in scene.walks:
        if walk.role == "target" and walk.address == address and (walk.protocol, walk.port) != ("tcp", port):
            if walk.reached is not None:
                return True
            looked = looked or walk.end == "silent"
    other = connect_state(
        [r for r in records.connects.get(address, ()) if r.port != port], book, scene.near, scene.placing
    )
    if other is not None:
        if other.how in ("open", "refused", "reset") or other.sender_place == "target":
            return True
        looked = looked or other.how == "silent"
    return False if looked else None


def _search_keys(connects: Sequence[Connect], failed_at: FailedAt | None, book: Book) -> tuple[tuple[str, str], ...]:
    """What finds this attempt in the vendor's logs: the first failing connect, else the first one (pitfalls 14). The
    port is this machine's: behind a NAT the vendor sees another one."""
    port = book.bundle.target.port
    mine = [record for record in connects if record.port == port]
    chosen = next((r for r in mine if r.failure is not None and failed_at == "connect"), mine[0] if mine else None)
    if chosen is None:
        return ()
    try:
        when = book.bundle.began_at + timedelta(microseconds=chosen.began_ns // 1000)
    except OverflowError:
        return ()
    keys = [("utc", when.isoformat(timespec="milliseconds"))]
    if chosen.source_address is not None:
        keys.append(("source_address", chosen.source_address))
    if chosen.source_port is not None:
        keys.append(("source_port", str(chosen.source_port)))
    return tuple(keys)
