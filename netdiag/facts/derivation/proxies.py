"""The proxy that applies to the target, and what came of using it. Never mixed with direct states."""

from collections.abc import Sequence

from netdiag.evidence.machine import ProxySetting
from netdiag.evidence.record import Observed
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.exchanges import headers_of, http_state, page_of, works
from netdiag.facts.machine import Proxy

_PROXY_AUTHENTICATION = 407
_GATEWAY_STATUSES = frozenset({403, 502, 503, 504})
"""What a proxy says of its own when it will not or cannot reach the host (fault-signatures L17)."""
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
    through = [(r, step.role) for r, step in book.of(Exchange) if step.proxy is not None or r.via_proxy is not None]
    target = [record for record, role in through if role == "target"]
    control = [record for record, role in through if role == "control"]
    used: list[Observed] = [settings[0], *connects, *target, *control]
    return seen(
        Proxy(
            where=where,
            connects=_connects(connects, [record for record, _ in through]),
            control_ok=_answered(control),
            target_ok=_answered(target),
            target_failure=_failure(target, book),
            refusal=_refusal(target),
            control_refusal=_refusal(control),
        ),
        book.witnesses(used),
    )


def _connects(connects: Sequence[Connect], through: Sequence[Exchange]) -> bool | None:
    if any(record.failure is None for record in connects) or any(record.status is not None for record in through):
        return True
    failed = [record for record in connects if record.failure is not None]
    unreached = [r for r in through if r.failure is not None and r.failure.op == "connect"]
    return False if failed or unreached else None


def _is_own(record: Exchange) -> bool:
    """An answer that the proxy made itself instead of passing on one."""
    status = record.status
    if status is None:
        return False
    if record.method == "CONNECT" or status == _PROXY_AUTHENTICATION:
        return True
    if status not in _GATEWAY_STATUSES or record.url.startswith("https:"):
        return False  # what comes through a tunnel is the host's
    page = page_of(record)
    return not _OWN_HEADERS.isdisjoint(headers_of(record)) or (page is not None and page.kind == "filter")


def _answered(records: Sequence[Exchange]) -> bool | None:
    """Whether any request was answered from beyond the proxy. A tunnel that opened is no answer yet."""
    if any(record.status is not None and not _is_own(record) for record in records):
        return True
    told = [r for r in records if r.failure is not None or (_is_own(r) and (r.status or 0) >= 300)]
    return False if told else None


def _failure(records: Sequence[Exchange], book: Book) -> int | None:
    """The host's own failing answer, when none worked."""
    answers = [r for r in records if r.status is not None and not _is_own(r)]
    state = http_state(answers, book)
    return state.status if state is not None and works(state) is False else None


def _refusal(records: Sequence[Exchange]) -> int | None:
    return next((r.status for r in records if r.status is not None and r.status >= 300 and _is_own(r)), None)
