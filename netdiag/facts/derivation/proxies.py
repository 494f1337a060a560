"""The proxy that applies to the target, and what came of using it. Never mixed with direct states."""

from collections.abc import Sequence

from netdiag.evidence.machine import ProxySetting
from netdiag.evidence.record import Observed
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book, Entry
from netdiag.facts.derivation.controls import page_of_check
from netdiag.facts.derivation.exchanges import headers_of, http_state, page_of, works
from netdiag.facts.machine import Proxy

_PROXY_AUTHENTICATION = 407
_GATEWAY_STATUSES = frozenset({403, 502, 503, 504})
"""What a proxy says of its own when it will not or cannot reach the host (fault-signatures L17)."""
_REFUSALS = frozenset({403, 406})
_OWN_HEADERS = frozenset({"x-squid-error", "proxy-status", "proxy-authenticate"})  # RFC 9209, RFC 9110


def derive_proxy(book: Book) -> Fact[Proxy]:
    """Known only when a proxy is set for the target's scheme and not bypassed."""
    scheme = book.bundle.target.scheme
    settings = [
        record
        for record, _ in book.of(ProxySetting)
        if record.host and not record.bypassed and record.scheme in (scheme, "socks", "pac")
    ]
    if not settings:
        return Fact()
    where = settings[0].host or ""
    if settings[0].port is not None:
        where = f"{where}:{settings[0].port}"
    connects = [record for record, step in book.of(Connect) if step.role == "proxy"]
    through = [e for e in book.of(Exchange) if e.step.proxy is not None or e.record.via_proxy is not None]
    target = [entry for entry in through if entry.step.role == "target"]
    control = [entry for entry in through if entry.step.role == "control"]
    doubtful = _doubtful(target, book)
    used: list[Observed] = [settings[0], *connects, *(entry.record for entry in (*target, *control))]
    return seen(
        Proxy(
            where=where,
            connects=_connects(connects, [entry.record for entry in through]),
            control_ok=_answered(control),
            target_ok=_answered(target) if doubtful is None else None,
            target_failure=_failure(target, book),
            refusal=_refusal(target),
            control_refusal=_refusal(control),
            doubtful=doubtful,
        ),
        book.witnesses(used),
    )


def _connects(connects: Sequence[Connect], through: Sequence[Exchange]) -> bool | None:
    if any(record.failure is None for record in connects) or any(record.status is not None for record in through):
        return True
    failed = [record for record in connects if record.failure is not None]
    unreached = [r for r in through if r.failure is not None and r.failure.op == "connect"]
    return False if failed or unreached else None


def _is_own(entry: Entry[Exchange]) -> bool:
    """An answer that the proxy made itself instead of passing on one."""
    record, status = entry.record, entry.record.status
    if status is None:
        return False
    if record.method == "CONNECT" or status == _PROXY_AUTHENTICATION:
        return True
    if record.url.startswith("https:"):
        return False  # what comes through a tunnel is the host's
    if page_of_check(entry) in ("redirected", "other"):
        return True  # the host of a connectivity check answers as it is known to
    if status not in _GATEWAY_STATUSES:
        return False
    page = page_of(record)
    return not _OWN_HEADERS.isdisjoint(headers_of(record)) or (page is not None and page.kind == "filter")


def _answered(entries: Sequence[Entry[Exchange]]) -> bool | None:
    """Whether any request was answered from beyond the proxy. A tunnel that opened is no answer yet."""
    if any(one.record.status is not None and not _is_own(one) for one in entries):
        return True
    told = [e for e in entries if e.record.failure is not None or (_is_own(e) and (e.record.status or 0) >= 300)]
    return False if told else None


def _doubtful(entries: Sequence[Entry[Exchange]], book: Book) -> int | None:
    """A refusal in plain HTTP, to every client that was tried, of which nothing tells whether the proxy or the host
    made it: proxies refuse with 403 (fault-signatures L17), and hosts that want a login as well."""
    answers = [e.record for e in entries if e.record.status is not None and not _is_own(e)]
    if not answers or any(one.url.startswith("https:") or (one.status or 0) < 400 for one in answers):
        return None
    state = http_state(answers, book)
    is_refusal = state is not None and state.status in _REFUSALS and works(state) is not False
    return state.status if state is not None and is_refusal else None


def _failure(entries: Sequence[Entry[Exchange]], book: Book) -> int | None:
    """The host's own failing answer, when none worked."""
    state = http_state([e.record for e in entries if e.record.status is not None and not _is_own(e)], book)
    return state.status if state is not None and works(state) is False else None


def _refusal(entries: Sequence[Entry[Exchange]]) -> int | None:
    own = [entry.record.status for entry in entries if _is_own(entry)]
    return next((status for status in own if status is not None and status >= 300), None)
