"""Steps of controls -> ControlFacts."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import FailureCode, Icmp, Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, Share, seen
from netdiag.facts.controls import ControlFacts, ControlState
from netdiag.facts.derivation import exchanges as http
from netdiag.facts.derivation.book import Book, Entry, is_direct
from netdiag.facts.derivation.connects import connect_state, is_plain
from netdiag.facts.derivation.handshakes import TIME_CODES, UNTRUSTED_ISSUER, is_vouched_for, tls_state
from netdiag.facts.derivation.losses import loss
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.placing import Placing
from netdiag.facts.derivation.small import is_small
from netdiag.facts.places import family, owner_of, plain
from netdiag.facts.target import ConnectState

Page = Literal["expected", "redirected", "other"]

_REPLACED: tuple[Page, ...] = ("redirected", "other")
_SEVERAL = 2
"""Two hosts of different owners: one alone may have its own trouble (pitfalls 13)."""


class _Group(NamedTuple):
    """The records of one control at one address and port."""

    connects: list[Connect]
    handshakes: list[Handshake]
    exchanges: list[Entry[Exchange]]


def derive_controls(book: Book, near: Near, placing: Placing) -> ControlFacts:
    """One state per control, address and port; then what they add up to."""
    groups = _groups(book)
    states = tuple(s for key, group in groups.items() if (s := _state(key, group, book, near, placing)) is not None)
    if not states:
        return ControlFacts()
    pages = [entry for group in groups.values() for entry in group.exchanges if _is_portal(entry.step)]
    any_healthy = _any(states, healthy=True)
    return ControlFacts(
        states=seen(states, _witnesses(states)),
        any_healthy=any_healthy,
        any_healthy4=_any([state for state in states if state.family == 4], healthy=True),
        any_healthy6=_any([state for state in states if state.family == 6], healthy=True),
        all_failed=_all_failed(states),
        any_open_port=_any(states, healthy=False),
        port_443_fails=_port_443_fails(states),
        portal=_portal(pages, works=any_healthy.value is True, book=book),
        intercepting_issuer=_intercepting_issuer(states, book.bundle.target.host),
        tls_time_errors=_tls_time_errors(states),
        loss=_loss(groups, book),
    )


def control_connects(book: Book) -> frozenset[str]:
    """Addresses of controls to which some direct connect worked: walks there are healthy ones."""
    return frozenset(
        plain(record.address)
        for record, step in book.of(Connect)
        if step.role == "control" and is_direct(step) and record.failure is None
    )


def _groups(book: Book) -> dict[tuple[str, str, int], _Group]:
    groups: dict[tuple[str, str, int], _Group] = {}

    def group(step: Step, address: str, port: int) -> _Group:
        return groups.setdefault((step.subject, plain(address), port), _Group([], [], []))

    for connect, step in book.of(Connect):
        if step.role == "control" and is_direct(step) and is_plain(connect):
            group(step, connect.address, connect.port).connects.append(connect)
    for handshake, step in book.of(Handshake):
        counted = step.role == "control" and is_direct(step) and not is_small(step)
        if counted and step.address and step.port is not None:
            group(step, step.address, step.port).handshakes.append(handshake)
    for entry in book.of(Exchange):
        record, step = entry
        counted = step.role == "control" and is_direct(step) and record.via_proxy is None and not record.after_burst
        if counted and record.address:
            port = record.port if record.port is not None else 443 if record.url.startswith("https:") else 80
            group(step, record.address, port).exchanges.append(entry)
    return groups


def _state(key: tuple[str, str, int], group: _Group, book: Book, near: Near, placing: Placing) -> ControlState | None:
    host, address, port = key
    tls = tls_state(group.handshakes, book)
    connect = connect_state(group.connects, book, near, placing)
    if tls is not None and (connect is None or connect.how != "open"):
        # A handshake runs on an open connection, whatever became of the record of it.
        connect = ConnectState(how="open", attempts=len(group.handshakes), worked=len(group.handshakes))
    if connect is None:
        connect = _connect_of_exchange([entry.record for entry in group.exchanges], book)
    if connect is None:
        return None
    plain_http = [entry.record for entry in group.exchanges]
    state = http.http_state(plain_http, book)
    page = next((p for entry in group.exchanges if (p := page_of_check(entry)) is not None), None)
    healthy = connect.how == "open" and (tls is None or tls.how == "ok") and page not in _REPLACED
    if state is not None and state.how != "answered":
        healthy = False
    records: list[Observed] = [*group.connects, *group.handshakes, *plain_http]
    return ControlState(
        host=host,
        address=address,
        port=port,
        family=family(address),
        connect=connect,
        tls=tls,
        page=page,
        http_status=None if state is None else state.status,
        healthy=healthy,
        witnesses=book.witnesses(records),
    )


def _connect_of_exchange(records: Sequence[Exchange], book: Book) -> ConnectState | None:
    """A request over plain HTTP makes its own connection: what it says of TCP."""
    if any(record.status is not None for record in records):
        return ConnectState(how="open", attempts=len(records), worked=len(records))
    for record in records:
        failure = record.failure
        if failure is None:
            continue
        if failure.op != "connect":
            return ConnectState(how="open", attempts=1, worked=1)
        if isinstance(failure.native, Icmp):
            return ConnectState(how="icmp", attempts=1, worked=0, icmp=failure.native, errno=failure.errno)
        if failure.code is FailureCode.TIMED_OUT and book.waited(record):
            return ConnectState(how="silent", attempts=1, worked=0, errno=failure.errno)
        if failure.code is FailureCode.REFUSED:
            return ConnectState(how="refused", attempts=1, worked=0, errno=failure.errno)
    return None


def _is_portal(step: Step) -> bool:
    return step.params.get("use") == "portal"


def page_of_check(entry: Entry[Exchange]) -> Page | None:
    """Whether a connectivity-check page came as it should: its status, and its body where the plan knows it."""
    record, step = entry
    if not _is_portal(step) or record.status is None:
        return None
    wanted, body = step.params.get("expect_status"), step.params.get("expect_body_sha256")
    if (not wanted or str(record.status) == wanted) and (not body or record.body_sha256 in (None, body)):
        return "expected"
    return "redirected" if 300 <= record.status < 400 else "other"


def _witnesses(states: Sequence[ControlState]) -> tuple[str, ...]:
    return tuple(w for state in states for w in state.witnesses)


def _any(states: Sequence[ControlState], *, healthy: bool) -> Fact[bool]:
    if not states:
        return Fact()
    good = [state for state in states if (state.healthy if healthy else state.connect.how == "open")]
    return seen(bool(good), _witnesses(good or states), agree=len(good or states), looked_at=len(states))


def _all_failed(states: Sequence[ControlState]) -> Fact[bool]:
    """Only of several hosts: one that fails alone leaves it unknown."""
    good = [state for state in states if state.healthy]
    if good:
        return seen(False, _witnesses(good), agree=len(good), looked_at=len(states))
    return seen(True, _witnesses(states)) if len({s.host for s in states}) >= _SEVERAL else Fact()


def _port_443_fails(states: Sequence[ControlState]) -> Fact[bool]:
    on_443 = [state for state in states if state.port == 443]
    if any(state.connect.how == "open" for state in on_443):
        return seen(False, _witnesses(on_443))
    elsewhere = [state for state in states if state.port != 443 and state.connect.how == "open"]
    return seen(True, _witnesses(on_443 + elsewhere)) if on_443 and elsewhere else Fact()


def _portal(pages: Sequence[Entry[Exchange]], *, works: bool, book: Book) -> Fact[str]:
    replaced = [entry for entry in pages if page_of_check(entry) in _REPLACED]
    hosts = {entry.step.subject for entry in replaced}
    if len(hosts) < _SEVERAL and not (hosts and not works):
        return Fact()
    where = next((host for entry in replaced if (host := http.host_of(entry.record.location))), "page")
    return seen(where, book.witnesses(entry.record for entry in replaced), looked_at=len(pages))


def _intercepting_issuer(states: Sequence[ControlState], target: str) -> Fact[str]:
    """Mozilla's store is asked beside the system's, since an interceptor's authority is often in the latter. Counted by
    owners: an address tells of none, and a vendor's own hosts may well share a private authority."""
    issuers: dict[str, dict[str, list[ControlState]]] = {}
    for state in states:
        tls, owner = state.tls, owner_of(state.host)
        if owner is None or owner == owner_of(target):
            continue
        if tls is not None and tls.issuer is not None and tls.mozilla_code in UNTRUSTED_ISSUER:
            issuers.setdefault(tls.issuer, {}).setdefault(owner, []).append(state)
    for issuer, owners in issuers.items():
        if len(owners) >= _SEVERAL:
            return seen(issuer, _witnesses([state for some in owners.values() for state in some]))
    return Fact()


def _tls_time_errors(states: Sequence[ControlState]) -> Fact[bool]:
    good = [state for state in states if is_vouched_for(state.tls)]
    if good:
        return seen(False, _witnesses(good))
    bad = [state for state in states if state.tls is not None and state.tls.verify_code in TIME_CODES]
    return seen(True, _witnesses(bad)) if bad else Fact()


def _loss(groups: dict[tuple[str, str, int], _Group], book: Book) -> Fact[Share]:
    echoes = [record for record, step in book.of(Echo) if step.role == "control" and is_direct(step)]
    return loss((c for group in groups.values() for c in group.connects), echoes, book)
