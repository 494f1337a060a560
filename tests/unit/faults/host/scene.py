"""Hand-made facts for the host's faults: a healthy line behind 192.168.1.1, and a target that is told to fail."""

from typing import Any, Literal

import msgspec

from netdiag.evidence.record import Icmp
from netdiag.evidence.tls import Certificate
from netdiag.facts import (
    AddressState,
    ConnectState,
    ControlFacts,
    ControlState,
    Fact,
    Facts,
    Hop,
    HttpState,
    MachineFacts,
    NameFacts,
    PathFacts,
    TargetFacts,
    TlsState,
    Walk,
    seen,
)
from netdiag.facts.agent import AgentFacts, AgentRun
from netdiag.facts.path import HopPlace
from netdiag.faults import CATALOGUE
from netdiag.faults.base import Finding
from netdiag.verdict import Verdict, decide

TARGET, SECOND, TARGET6, ELSEWHERE = "198.51.100.7", "198.51.100.8", "2001:db8:7::7", "192.0.2.7"
GATEWAY, ISP, BORDER = "192.168.1.1", "203.0.113.1", "198.51.100.1"
W = ("main:o1",)

OPEN = ConnectState(how="open", attempts=2, worked=2)
SILENT = ConnectState(how="silent", attempts=2, worked=0, span_ms=9000)
REFUSED = ConnectState(how="refused", attempts=2, worked=0, elapsed_ms=21)
TLS_OK = TlsState(how="ok", verify_code=0, mozilla_code=0, acked=True, issuer="CN=Public CA R1")
LEAF = Certificate(
    subject="CN=api.vendor.test",
    issuer="CN=Public CA R1",
    not_before=0,
    not_after=1,
    names=("api.vendor.test",),
    sha256="ab",
    key_sha256="cd",
)


def icmp(code: int, place: Any, *, sender: str = TARGET, elapsed_ms: int = 20, kind: int = 3) -> ConnectState:
    """A connection that an ICMP error ended."""
    return ConnectState(
        how="icmp",
        attempts=2,
        worked=0,
        elapsed_ms=elapsed_ms,
        icmp=Icmp(type=kind, code=code, sender=sender, version=6 if ":" in sender else 4),
        sender_place=place,
    )


def untrusted(code: int, **changes: Any) -> TlsState:
    """A handshake whose certificate the system's store rejects."""
    given: dict[str, Any] = {
        "mozilla_code": code,
        "issuer": LEAF.issuer,
        "leaf": LEAF,
        "chain_length": 2,
        "acked": True,
    }
    return TlsState(how="untrusted", verify_code=code, **(given | changes))


def answer(status: int, **changes: Any) -> HttpState:
    return HttpState(how="answered", status=status, statuses=changes.pop("statuses", (status,)), acked=True, **changes)


def at(
    address: str = TARGET,
    connect: ConnectState = OPEN,
    tls: TlsState | None = None,
    http: HttpState | None = None,
    **changes: Any,
) -> AddressState:
    """One address of the target. It works when HTTP answered 200, or when it is told to."""
    works = http is not None and http.status == 200
    given: dict[str, Any] = {"works": works, "genuine": True, "source": ("system", "configured"), "witnesses": W}
    family: Literal[4, 6] = 6 if ":" in address else 4
    return AddressState(address=address, family=family, connect=connect, tls=tls, http=http, **(given | changes))


def walk(
    address: str = TARGET, *, place: HopPlace = "vendor", last: int = 4, end: Any = "silent", sender: str = BORDER
) -> Walk:
    """A walk to the service port: the gateway, the provider, and on to ``last``."""
    hops = [Hop(ttl=1, repliers=(GATEWAY,), place="gateway", asked=1, answered=1)]
    hops += [Hop(ttl=ttl, repliers=(ISP,), place="public", asked=1, answered=1) for ttl in range(2, last)]
    hops += [Hop(ttl=last, repliers=(sender,), place=place, asked=1, answered=1)]
    return Walk(
        role="target",
        host="api.vendor.test",
        address=address,
        family=6 if ":" in address else 4,
        port=443,
        protocol="tcp",
        hops=tuple(hops),
        end=end,
        end_ttl=None if end == "silent" else last + 1,
        last_seen=last,
        last_seen_address=sender,
        last_seen_place=place,
        first_missing=last + 1 if end == "silent" else None,
        same_flow=True,
        witnesses=("main:o2",),
    )


def run(
    *, works: bool | None = None, fails: bool | None = None, caps: Any = (), names: bool | None = None
) -> AgentFacts:
    """The agent's run."""
    one = AgentRun(
        name="control1",
        usable=True,
        minutes_apart=4,
        same_addresses=(TARGET,),
        works=works,
        fails_same=fails,
        names_fail_same=names,
        caps=caps,
        witnesses=("control1:o1",),
    )
    return AgentFacts(
        runs=seen((one,), one.witnesses),
        works_elsewhere=seen(True, one.witnesses) if works else Fact(),
        fails_elsewhere=seen(True, one.witnesses) if fails and not caps else Fact(),
    )


def facts(*states: AddressState, target: Walk | None = None, agent: AgentFacts | None = None, **changes: Any) -> Facts:
    """A line on which everything else works. ``changes`` name facts with two underscores: ``machine__proxy``."""
    control = ControlState(
        host="control.example",
        address="192.0.2.80",
        port=443,
        family=4,
        connect=OPEN,
        tls=TLS_OK,
        http_status=200,
        healthy=True,
        witnesses=("main:o9",),
    )
    made = Facts(
        host="api.vendor.test",
        machine=MachineFacts(
            link_up=seen(True, W),
            default_route4=seen(True, W),
            gateways=seen((GATEWAY,), W),
            gateway_answers=seen(True, W),
            beyond_gateway_answers=seen(True, W),
            lan_prefixes=seen(("192.168.1.0/24",), W),
            target_leaves=seen(True, W),
            clock_offset_s=seen(0, W),
            hosts_override=seen((), W),
            hosts_override_wrong=seen(False, W),
            global_ipv6=seen(False, W),
        ),
        names=NameFacts(
            needed=seen(True, W),
            system_resolves=seen(True, W),
            configured_resolve=seen(True, W),
            independent_resolve=seen(True, W),
            configured_lies=seen((), W),
            answer_is_private=seen(False, W),
        ),
        controls=ControlFacts(
            states=seen((control,), W),
            any_healthy=seen(True, W),
            any_healthy4=seen(True, W),
            any_healthy6=seen(False, W),
            all_failed=seen(False, W),
            any_open_port=seen(True, W),
            port_443_fails=seen(False, W),
            portal=seen("", W),
            intercepting_issuer=seen("", W),
            tls_time_errors=seen(False, W),
        ),
        target=TargetFacts(
            scheme=seen("https", W),
            addresses=seen(states, W),
            works=seen(all(state.works is True for state in states), W),
            works_somewhere=seen(any(state.works is True for state in states), W),
            works_by_name=seen(any(state.works is True for state in states), W),
        ),
        path=PathFacts(
            target4=seen(target, target.witnesses) if target is not None and target.family == 4 else Fact(),
            target6=seen(target, target.witnesses) if target is not None and target.family == 6 else Fact(),
            proxy_in_path=seen(False, W),
        ),
        agent=agent or AgentFacts(),
    )
    for name, value in changes.items():
        section, _, field = name.partition("__")
        if field:
            made = msgspec.structs.replace(
                made, **{section: msgspec.structs.replace(getattr(made, section), **{field: value})}
            )
        else:
            made = msgspec.structs.replace(made, **{section: value})
    return made


def found(code: str, given: Facts) -> Finding:
    """What one fault finds."""
    return next(fault for fault in CATALOGUE if fault.code == code).assess(given)


def said(given: Facts) -> tuple[str, str | None, str | None]:
    """The verdict of the whole catalogue, in short."""
    verdict: Verdict = decide(given)
    return verdict.side, verdict.certainty, verdict.fault
