"""Facts of the customer's own machine and its first hop."""

from typing import Literal

from netdiag.facts.base import Fact, Share, Value


class LocalRefusal(Value, frozen=True, kw_only=True):
    """The machine itself refused to send to the target: nothing left it.

    ``how``: ``no_route`` (ENETUNREACH at once), ``reject_route`` (unreachable, prohibit or blackhole route),
    ``policy`` (EPERM/EACCES at once without an ICMP sender; or silence, when the TTL-1 test shows the packet
    swallowed here and UDP is denied), ``own_icmp`` (an ICMP error whose sender is one of the machine's own
    addresses), ``own_reset`` (refused faster than the first hop can answer while the egress test shows no packet
    left).
    """

    how: Literal["no_route", "reject_route", "policy", "own_icmp", "own_reset"]
    errno: int | None = None


class Egress(Value, frozen=True, kw_only=True):
    """The TTL-1 test (fault-signatures P12): who answered for a packet to the target, and for one to a control.

    ``gateway``: the first hop answered time exceeded, so the packet left the machine. ``silent``: nothing came.
    ``refused_locally``: the kernel or an own address refused it. ``reset``: something refused it with RST at TTL 1.
    ``udp_denied``: a UDP datagram to the target was refused with EPERM (an OUTPUT rule). ``other_port``: as ``target``,
    for another port of the same address.
    """

    target: Literal["gateway", "silent", "refused_locally", "reset", "accepted"] | None
    control: Literal["gateway", "silent", "refused_locally", "reset", "accepted"] | None
    udp_denied: bool | None
    other_port: Literal["gateway", "silent", "refused_locally", "reset", "accepted"] | None = None


class Proxy(Value, frozen=True, kw_only=True):
    """The proxy that applies to the target, and what came of using it.

    ``connects``: a TCP connection to the proxy itself works. ``control_ok`` / ``target_ok``: a proxied exchange with a
    control / the target was answered by that host (any status from beyond the proxy). ``refusal`` is the proxy's own
    status for the target (403, 407, 502, 503, 504), ``control_refusal`` for the controls.
    """

    where: str
    connects: bool | None = None
    control_ok: bool | None = None
    target_ok: bool | None = None
    target_failure: int | None = None
    """The status with which the target, or who stands before it, failed the proxied exchange: it was answered, and did
    not work (5xx, 429 and the like)."""
    refusal: int | None = None
    control_refusal: int | None = None
    doubtful: int | None = None
    """The status of a refusal over plain HTTP that the proxy or the target may have made: which of them, is not known.
    ``target_ok`` is unknown then."""


class MachineFacts(Value, frozen=True, kw_only=True):
    """``own_addresses`` and ``lan_prefixes`` are of interfaces that are up, loopback excepted."""

    link_up: Fact[bool] = Fact()
    default_route4: Fact[bool] = Fact()
    default_route6: Fact[bool] = Fact()
    global_ipv6: Fact[bool] = Fact()
    own_addresses: Fact[tuple[str, ...]] = Fact()
    lan_prefixes: Fact[tuple[str, ...]] = Fact()
    gateways: Fact[tuple[str, ...]] = Fact()
    gateway_neighbour_alive: Fact[bool] = Fact()
    """Address resolution of the gateway: False only for NUD failed/incomplete after traffic, or own EHOSTUNREACH."""
    gateway_answers: Fact[bool] = Fact()
    """The gateway answered anything itself: echo, time exceeded at TTL 1, ARP or NDP."""
    beyond_gateway_answers: Fact[bool] = Fact()
    """Anything at all beyond the first hop answered: a hop at TTL >= 2, a control, a resolver outside the LAN."""
    target_by_tunnel: Fact[bool] = Fact()
    local_refusal: Fact[LocalRefusal] = Fact()
    """Known only when a refusal was seen and explains every failing address; ``target_leaves`` says the contrary."""
    target_leaves: Fact[bool] = Fact()
    """True: a hop or host answered a packet to the target's port, so it left this machine."""
    egress4: Fact[Egress] = Fact()
    egress6: Fact[Egress] = Fact()
    lan_loss: Fact[Share] = Fact()
    """Echo to the gateway, or TTL-1 probes to it where echo is not possible."""
    clock_offset_s: Fact[int] = Fact()
    """Local clock minus the median Date header of controls and target; needs >= 2 hosts agreeing within 10 s.
    Positive: the customer's clock is ahead."""
    hosts_override: Fact[tuple[str, ...]] = Fact()
    """Addresses that the hosts file gives for the target's name; an empty tuple: looked, and none."""
    hosts_override_wrong: Fact[bool] = Fact()
    """The override shares no address with what DNS answers (configured or independent)."""
    proxy: Fact[Proxy] = Fact()
    """Known only when a proxy is set and not bypassed for the target."""
    proxy_settings_read: Fact[bool] = Fact()
    """The settings that name a proxy were read; a ``proxy`` that is not known then means that none is set."""
    nat64_prefix: Fact[str] = Fact()
