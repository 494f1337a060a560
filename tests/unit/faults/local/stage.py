"""Facts built by hand for the tests of faults: every value given is known, everything else is unknown."""

from typing import Any, Literal

from netdiag.evidence.record import Icmp
from netdiag.facts import (
    AddressState,
    AgentFacts,
    ConnectState,
    ControlFacts,
    ControlState,
    Fact,
    Facts,
    Hop,
    MachineFacts,
    NameFacts,
    PathFacts,
    ResolverState,
    Share,
    TargetFacts,
    TlsState,
    Walk,
    seen,
)
from netdiag.faults.base import Fault, Finding, Lean

GATEWAY = "192.168.1.1"
VENDOR = "198.51.100.7"
VENDOR6 = "2001:db8:7::7"
ROUTERS = (GATEWAY, "203.0.113.1", "203.0.113.9", "203.0.113.17")
HEADINGS = (
    "What is broken",
    "How it shows",
    "What looks like it",
    "What would settle it",
    "What to tell the customer",
)


def known(value: Any) -> Fact[Any]:
    return seen(value, ("main:o1",))


def machine(**values: Any) -> MachineFacts:
    """A machine at home, behind a NAT; ``values`` add to it or change it."""
    home = {"gateways": (GATEWAY,), "own_addresses": ("192.168.1.20",), "lan_prefixes": ("192.168.1.0/24",)}
    return MachineFacts(**{name: known(value) for name, value in (home | values).items()})


def names(**values: Any) -> NameFacts:
    return NameFacts(**{name: known(value) for name, value in values.items()})


def controls(**values: Any) -> ControlFacts:
    return ControlFacts(**{name: known(value) for name, value in values.items()})


HEALTHY = {"any_healthy": True, "any_healthy4": True, "all_failed": False}
DEAD = {"any_healthy": False, "any_healthy4": False, "all_failed": True}


def target(*addresses: AddressState, works: bool | None = False) -> TargetFacts:
    return TargetFacts(
        addresses=known(addresses) if addresses else Fact(), works=Fact() if works is None else known(works)
    )


def path(target4: Walk | None = None, **values: Any) -> PathFacts:
    return PathFacts(
        target4=Fact() if target4 is None else known(target4),
        **{name: known(value) for name, value in values.items()},
    )


def agent(**values: Any) -> AgentFacts:
    return AgentFacts(**{name: known(value) for name, value in values.items()})


def facts(**parts: Any) -> Facts:
    values: dict[str, Any] = {"host": "api.vendor.example", "machine": machine()} | parts
    return Facts(**values)


def failing(how: str = "silent", address: str = VENDOR, **connect: Any) -> AddressState:
    """An address of the target that could not be connected to."""
    return AddressState(
        address=address,
        family=6 if ":" in address else 4,
        source=("configured",),
        connect=ConnectState(how=how, attempts=2, worked=0, **connect),  # type: ignore[arg-type]
        works=False,
        failed_at="connect",
        witnesses=("main:o7",),
    )


def opened(
    address: str = VENDOR, *, works: bool | None = True, tls: TlsState | None = None, **more: Any
) -> AddressState:
    """An address of the target that accepts connections."""
    values: dict[str, Any] = {"source": ("configured",), "witnesses": ("main:o8",)} | more
    return AddressState(
        address=address,
        family=6 if ":" in address else 4,
        connect=ConnectState(how="open", attempts=1, worked=1),
        tls=tls,
        works=works,
        **values,
    )


def refused_by(sender: str, place: str, type_: int, code: int, **more: Any) -> AddressState:
    """An address refused with an ICMP error."""
    version: Literal[4, 6] = 6 if ":" in sender else 4
    return failing(
        "icmp",
        address=VENDOR6 if version == 6 else VENDOR,
        icmp=Icmp(type=type_, code=code, sender=sender, version=version),
        sender_place=place,
        **more,
    )


def place_of(address: str) -> Any:
    if address in {GATEWAY, "fe80::1"}:
        return "gateway"
    if address.startswith(("10.", "192.168.", "172.16.", "fd")):
        return "private"
    if address.startswith("100.64."):
        return "shared"
    return "vendor" if address.startswith("198.51.100.") else "public"


def walk(*routers: str, end: str = "silent", role: str = "target", address: str = VENDOR, **more: Any) -> Walk:
    """A TCP walk that saw these routers, one a TTL ("" for a silent one), and then ended."""
    hops = tuple(
        Hop(
            ttl=ttl,
            repliers=(one,) if one else (),
            place=place_of(one) if one else None,
            asked=1,
            answered=int(bool(one)),
        )
        for ttl, one in enumerate(routers, start=1)
    )
    values: dict[str, Any] = {
        "host": "api.vendor.example" if role == "target" else "control.example",
        "family": 6 if ":" in address else 4,
        "port": 443,
        "protocol": "tcp",
        "last_seen": len(routers),
        "last_seen_address": routers[-1] if routers else None,
        "last_seen_place": place_of(routers[-1]) if routers else None,
        "first_missing": len(routers) + 1 if end == "silent" else None,
        "end_ttl": None if end == "silent" else len(routers) + 1,
        "same_flow": True,
        "witnesses": ("main:o9",),
    } | more
    return Walk(role=role, address=address, end=end, hops=hops, **values)  # type: ignore[arg-type]


def control_walk(*routers: str, end: str = "open", address: str = "192.0.2.80", **more: Any) -> Walk:
    return walk(*routers, end=end, role="control", address=address, **more)


def resolver(server: str, place: str, control: str | None, target: str | None = None, **more: Any) -> ResolverState:
    values: dict[str, Any] = {"server_class": "configured", "witnesses": ("main:o3",)} | more
    return ResolverState(
        server=server,
        place=place,  # type: ignore[arg-type]
        control=control,  # type: ignore[arg-type]
        target=target or control,  # type: ignore[arg-type]
        **values,
    )


def control_state(*, tls: TlsState | None = None, healthy: bool = True, **more: Any) -> ControlState:
    values: dict[str, Any] = {
        "host": "control.example",
        "address": "192.0.2.80",
        "family": 4,
        "connect": ConnectState(how="open", attempts=1, worked=1),
    } | more
    return ControlState(port=443, tls=tls, healthy=healthy, **values)


def lost(lost: int, sent: int, low: float, high: float) -> Share:
    return Share(sent=sent, lost=lost, low=low, high=high)


def judged(fault: Fault, given: Facts) -> Finding:
    """What the fault finds; every finding is one sentence that names facts which exist."""
    finding = fault.assess(given)
    assert finding.because.endswith((".", "…")), finding.because
    for name in finding.facts:
        section, _, field = name.partition(".")
        assert hasattr(getattr(given, section), field), name
    if finding.lean in {Lean.SUPPORTS, Lean.SETTLES}:
        assert finding.witnesses, f"{fault.code} accuses without a witness"
    return finding


def word(finding: Finding) -> str:
    """How far the finding alone can go: ``opposes``, ``silent``, ``stray``, ``possible``, ``supports``, ``capped``
    (settles, likely at most), ``settles``."""
    if finding.lean in {Lean.OPPOSES, Lean.SILENT}:
        return str(finding.lean.value)
    if not finding.explains:
        return "stray"
    if finding.at_most_possible:
        return "possible"
    if finding.lean is Lean.SETTLES:
        return "capped" if finding.at_most_likely else "settles"
    return "supports"
