"""Bundles told as a story: one call per thing that a probe saw, everything not said is healthy.

    story = Story()                               # https://api.vendor.test/ from a home behind 192.168.1.1
    story.surroundings()                          # machine, names, controls, egress: all of it well
    story.connect(TARGET, SILENT)                 # and this is what ails the target
    story.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    facts = derive(story.bundle())

Each call appends records and returns the id of the last one. Time goes on by itself; ``story.at_ms`` may be set.
Addresses are of the documentation prefixes (RFC 5737, RFC 3849), which facts treat as public.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from netdiag.evidence import machine, names, tls, transport, web
from netdiag.evidence.bundle import Bundle, Options, ProfileUse, Role, Step, Target, Via
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, Native, NotRun, Observed, ObsId, StepId

BEGAN_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

HOST = "api.vendor.test"
TARGET, SECOND = "198.51.100.7", "198.51.100.8"
TARGET6 = "2001:db8:7::7"
EDGE = "198.51.100.1"
"""A router of the vendor: in the target's own /24."""
OWN, GATEWAY = "192.168.1.20", "192.168.1.1"
OWN6, GATEWAY6 = "2001:db8:1::20", "fe80::1"
ISP, CARRIER, EXCHANGE = "203.0.113.1", "203.0.113.65", "203.0.113.129"
RESOLVER, PUBLIC_RESOLVER, PUBLIC_RESOLVER2 = "203.0.113.53", "192.0.2.53", "192.0.2.54"
AUTHORITY = "198.51.100.53"
CONTROL_HOST, CONTROL, CONTROL6 = "control.example", "192.0.2.80", "2001:db8:80::80"
CONTROL_HOST2, CONTROL2 = "check.example", "192.0.2.81"

# errno numbers of Linux, which is where the sample bundles come from.
EPERM, EACCES, EINVAL, ENETUNREACH, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH = (
    1, 13, 22, 101, 104, 110, 111, 113,
)  # fmt: skip


Op = Literal["resolve", "connect", "handshake", "send", "receive", "look"]


def failed(code: FailureCode, errno: int | None = None, *, op: Op = "connect", icmp: Icmp | None = None) -> Failure:
    """A failure as the probes write it: the errno, and the ICMP error behind it when one came."""
    native: Native | Icmp | None = icmp
    if native is None and errno is not None:
        native = Native(kind="errno", number=errno)
    return Failure(op=op, code=code, native=native, errno=errno)


def icmp(kind: int, code: int, sender: str, *, errno: int = EHOSTUNREACH) -> Failure:
    """A connect that an ICMP error from ``sender`` ended."""
    version: Literal[4, 6] = 6 if ":" in sender else 4
    said = FailureCode.REFUSED if errno == ECONNREFUSED else FailureCode.UNREACHABLE
    return failed(said, errno, icmp=Icmp(type=kind, code=code, sender=sender, version=version))


def prohibited(sender: str) -> Failure:
    """Communication administratively prohibited: 3/13, or 1/1 in IPv6, where Linux says EACCES."""
    return icmp(1, 1, sender, errno=EACCES) if ":" in sender else icmp(3, 13, sender)


def port_unreachable(sender: str) -> Failure:
    """What a firewall's REJECT answers by default: 3/3, or 1/4 in IPv6."""
    return icmp(1, 4, sender, errno=ECONNREFUSED) if ":" in sender else icmp(3, 3, sender, errno=ECONNREFUSED)


SILENT = failed(FailureCode.TIMED_OUT, ETIMEDOUT)
REFUSED = failed(FailureCode.REFUSED, ECONNREFUSED)
RESET = failed(FailureCode.RESET, ECONNRESET)
NO_ROUTE = failed(FailureCode.UNREACHABLE, ENETUNREACH)

TCP = transport.TcpInfo(
    state=1, retransmits=0, backoff=0, options=7, unacked=0, lost=0, total_retrans=0, rtt_us=20_000, rttvar_us=4_000,
    min_rtt_us=19_500, snd_mss=1448, rcv_mss=536, pmtu=1500, last_data_recv_ms=5, segs_out=9, segs_in=8,
    data_segs_out=4, data_segs_in=4,
)  # fmt: skip

LEAF = tls.Certificate(
    subject=f"CN={HOST}", issuer="CN=Public CA R1", not_before=1_770_000_000, not_after=1_790_000_000,
    names=(HOST, "control.example", "check.example"), sha256="ab" * 32, key_sha256="cd" * 32,
)  # fmt: skip


def certificate(issuer: str = "CN=Public CA R1", **changes: Any) -> tls.Certificate:
    """A leaf for the target and the controls, with some fields changed."""
    return msgspec.structs.replace(LEAF, issuer=issuer, **changes)


_Record = TypeVar("_Record", bound=Observed)


class Story:
    """Collects steps and records of one run, in order. See the module's docstring."""

    def __init__(
        self,
        url: str = f"https://{HOST}/",
        *,
        private: bool = False,
        literal: bool = False,
        began_at: datetime = BEGAN_AT,
    ) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.target = Target(
            scheme="https" if parts.scheme == "https" else "http",
            host=self.host, port=self.port, path=parts.path or "/", is_literal=literal, private=private,
        )  # fmt: skip
        self.began_at = began_at
        self.profile: ProfileUse | None = None
        self.interrupted: Literal["signal", "budget"] | None = None
        self.at_ms = 0.0
        self._steps: dict[StepId, Step] = {}
        self._records: list[Observation] = []

    # The bundle and its parts

    def bundle(self) -> Bundle:
        """What was told so far."""
        return Bundle(
            run_id="0f1e2d3c4b5a6978", began_at=self.began_at, duration_ns=round(self.at_ms * 1e6),
            tool="netdiag 0.1.0",
            target=self.target, options=Options(), profile=self.profile, interrupted=self.interrupted,
            probe_versions={}, plan=tuple(self._steps.values()), observations=tuple(self._records),
        )  # fmt: skip

    def step(
        self, probe: str, role: Role, subject: str = "", address: str | None = None, port: int | None = None, *,
        proxy: str | None = None, round_: int = 1, params: Mapping[str, str] | None = None, via: Via | None = None,
    ) -> StepId:  # fmt: skip
        """The plan step with these fields: made when it is new."""
        words = [probe, role, subject, address or "", str(port or ""), proxy or "", str(round_)]
        words += [via.kind, via.name] if via is not None else []
        words += [f"{key}={value}" for key, value in sorted((params or {}).items())]
        name = StepId(":".join(words))
        if name not in self._steps:
            self._steps[name] = Step(
                id=name, probe=probe, role=role, subject=subject, address=address, port=port, proxy=proxy,
                round=round_, params=dict(params or {}), via=via,
            )  # fmt: skip
        return name

    def add(self, kind: type[_Record], step: StepId, *, ms: float = 1, **fields: Any) -> ObsId:
        """Any record at all: ``ms`` is how long it took, the other fields are its own."""
        name = ObsId(f"o{len(self._records) + 1}")
        began = round(self.at_ms * 1e6)
        self.at_ms += ms
        record: Any = kind(id=name, step=step, began_ns=began, ended_ns=round(self.at_ms * 1e6), **fields)
        self._records.append(record)
        return name

    def not_run(self, step: StepId, what: str, why: str = "no_privilege") -> ObsId:
        """A part that did not run."""
        return self.add(NotRun, step, what=what, why=why)

    # Everything but the target

    def surroundings(self, *, names: bool = True, controls: bool = True, ipv6: bool = False) -> None:
        """A healthy machine on a healthy line, whose names resolve and whose controls answer."""
        self.machine(ipv6=ipv6)
        if names:
            self.healthy_names(ipv6=ipv6)
        if controls:
            self.healthy_controls(ipv6=ipv6)
        self.egress()

    def healthy_names(self, *, ipv6: bool = False) -> None:
        """The configured, two public resolvers and the zone's own server all give TARGET (and TARGET6)."""
        addresses = (TARGET, TARGET6) if ipv6 else (TARGET,)
        self.system_lookup(*addresses)
        self.lookup(RESOLVER, *addresses)
        self.lookup(RESOLVER, CONTROL, use="control")
        self.lookup(PUBLIC_RESOLVER, *addresses, server_class="public")
        self.lookup(PUBLIC_RESOLVER2, *addresses, server_class="public")
        self.parent()
        self.authority(*addresses)

    def healthy_controls(self, *, ipv6: bool = False) -> None:
        """Two controls of different owners: connect, TLS, and a connectivity-check page."""
        self.reach(CONTROL, role="control", host=CONTROL_HOST)
        self.reach(CONTROL2, role="control", host=CONTROL_HOST2)
        self.portal_page(CONTROL)
        if ipv6:
            self.reach(CONTROL6, role="control", host=CONTROL_HOST)

    def well(self, address: str = TARGET) -> None:
        """The target works at ``address``: connect, TLS, HTTP 200."""
        self.reach(address)
        self.http(address)

    # The machine

    def machine(
        self, *, link_up: bool = True, gateway: str | None = GATEWAY, ipv6: bool = False, own: str = OWN,
        resolvers: Sequence[str] = (RESOLVER,), neighbour: str = "reachable", hosts: Sequence[str] = (),
        clock_off_s: int = 0, error_queue: bool | None = True,
    ) -> None:  # fmt: skip
        """One ethernet interface, its default gateways, resolvers, an empty hosts file, no proxy, a right clock."""
        step = self._machine_step()
        addresses = [machine.InterfaceAddress(address=own, prefix_length=24)] if own else []
        if ipv6:
            addresses.append(machine.InterfaceAddress(address=OWN6, prefix_length=64))
            addresses.append(machine.InterfaceAddress(address="fe80::20", prefix_length=64))
        self.add(
            machine.Platform, step, system="Linux", release="6.1", python="3.11.2", openssl="OpenSSL 3.0",
            error_queue=error_queue, raw_sockets=False, ping_sockets=True, min_ttl=True,
        )  # fmt: skip
        loopback = (machine.InterfaceAddress(address="127.0.0.1", prefix_length=8),)
        self.add(machine.Interface, step, name="lo", link="loopback", is_up=True, addresses=loopback)
        self.add(
            machine.Interface, step, name="eth0", link="ethernet", is_up=link_up, has_carrier=link_up, mtu=1500,
            addresses=tuple(addresses),
        )  # fmt: skip
        self.add(machine.DefaultRoute, step, family=4, exists=gateway is not None, gateway=gateway, device="eth0")
        gateway6 = GATEWAY6 if ipv6 else None
        self.add(machine.DefaultRoute, step, family=6, exists=ipv6, gateway=gateway6, device="eth0" if ipv6 else None)
        if gateway is not None:
            self.neighbour(gateway, neighbour)
        self.add(machine.ResolverConfig, step, source="/etc/resolv.conf", servers=tuple(resolvers))
        self.add(machine.HostsEntry, step, name=self.host, addresses=tuple(hosts))
        self.add(machine.Clock, step, unix_seconds=self._wall_s() + clock_off_s)
        self.add(machine.ProxySetting, step, scheme="https", source="environment")

    def _wall_s(self) -> int:
        return int(self.began_at.timestamp() + self.at_ms / 1000)

    def _machine_step(self, round_: int = 1) -> StepId:
        return self.step("machine", "machine", self.host, round_=round_)

    def neighbour(self, address: str, state: str) -> ObsId:
        """An entry of the ARP or NDP table."""
        return self.add(machine.Neighbour, self._machine_step(), address=address, device="eth0", state=state)

    def interface(self, name: str, link: str, *addresses: tuple[str, int], is_up: bool = True) -> ObsId:
        """One more interface: ``interface("tun0", "tunnel", ("10.8.0.2", 24))``."""
        held = tuple(machine.InterfaceAddress(address=text, prefix_length=length) for text, length in addresses)
        return self.add(
            machine.Interface,
            self._machine_step(),
            name=name,
            link=link,
            is_up=is_up,
            has_carrier=is_up,
            addresses=held,
        )

    def proxy_setting(
        self, host: str = "10.1.1.1", port: int = 3128, *, scheme: str = "https", bypassed: bool = False
    ) -> ObsId:
        """A proxy is set for ``scheme``."""
        step = self._machine_step()
        return self.add(
            machine.ProxySetting, step, scheme=scheme, source="environment", host=host, port=port, bypassed=bypassed
        )

    def system_lookup(self, *addresses: str, gai_error: int | None = None) -> ObsId:
        """What getaddrinfo answered for the target's name."""
        bad = failed(FailureCode.NAME_NOT_FOUND, op="resolve") if gai_error is not None else None
        return self.add(
            machine.SystemLookup,
            self._machine_step(),
            name=self.host,
            addresses=addresses,
            gai_error=gai_error,
            failure=bad,
        )

    def route(
        self, destination: str = TARGET, *, gateway: str | None = GATEWAY, device: str | None = "eth0",
        role: Role = "target", errno: int | None = None,
    ) -> ObsId:  # fmt: skip
        """What the kernel would do with a packet to ``destination``."""
        bad = failed(FailureCode.UNREACHABLE, errno, op="look") if errno is not None else None
        step = self.step("route", role, self.host if role == "target" else "", destination)
        found: dict[str, Any] = {} if bad else {"gateway": gateway, "device": device, "source": OWN}
        return self.add(machine.RouteLookup, step, destination=destination, failure=bad, **found)

    def nat64(self, prefix: str | None = "64:ff9b::/96") -> ObsId:
        """Looked for NAT64, found ``prefix`` (None: there is none)."""
        return self.add(machine.Nat64, self.step("nat64", "resolver", RESOLVER), prefix=prefix)

    # Names

    def lookup(
        self, server: str, *addresses: str, server_class: str = "configured", use: str = "target", rcode: int = 0,
        failure: Failure | None = None, ede: Sequence[int] = (), name: str | None = None,
        transport_: Literal["udp", "tcp"] = "udp", unchecked: bool = False,
    ) -> ObsId:  # fmt: skip
        """A and AAAA asked of one resolver. ``failure`` (say SILENT): no usable reply came to either. ``unchecked``:
        asked with DNSSEC checking disabled, as the probe does after SERVFAIL."""
        asked = name or {"target": self.host, "control": CONTROL_HOST, "random": "x7f3k9.vendor.test"}[use]
        params = {"class": server_class, "name": asked, "use": use}
        step = self.step("dns", "resolver", server, params=params)
        return self._lookups(
            step, asked, addresses, rcode=rcode, failure=failure, ede=ede, transport_=transport_, server=server,
            server_class=server_class, flags=("RA",), checking_disabled=unchecked,
        )  # fmt: skip

    def authority(
        self, *addresses: str, server: str = AUTHORITY, rcode: int = 0, aa: bool = True, failure: Failure | None = None,
        transport_: Literal["udp", "tcp"] = "udp",
    ) -> ObsId:  # fmt: skip
        """A and AAAA asked of a server of the target's own zone."""
        return self._lookups(
            self.step("delegation", "resolver", self.host), self.host, addresses, rcode=rcode, failure=failure,
            transport_=transport_, server=server, server_class="authority", server_name="ns1.vendor.test",
            zone="vendor.test.", recursion_desired=False, flags=("AA",) if aa else (),
        )  # fmt: skip

    def parent(self, *, server: str = "192.0.2.1", rcode: int = 0, failure: Failure | None = None) -> ObsId:
        """The zone above: by default it delegates ``vendor.test``; rcode 3 says that there is no such name."""
        referral = names.ResourceRecord(name="vendor.test.", rrtype="NS", data="ns1.vendor.test.", ttl=3600)
        soa = names.ResourceRecord(name="test.", rrtype="SOA", data="a. b. 1 1 1 1 1", ttl=3600)
        said = () if failure else ((referral,) if rcode == 0 else (soa,))
        flags = ("AA",) if rcode == 3 else ()
        return self.add(
            names.Lookup, self.step("delegation", "resolver", self.host), ms=2000 if failure else 20,
            name=self.host, rrtype="A", server=server, server_class="parent", transport="udp",
            recursion_desired=False, zone="test.",
            rcode=None if failure else rcode, authority=said, flags=flags, failure=failure,
        )  # fmt: skip

    def canary(self, *, answered: bool = False) -> ObsId:
        """A question to an address that must not answer."""
        params = {"class": "canary", "name": CONTROL_HOST, "use": "control"}
        return self._lookups(
            self.step("dns", "resolver", "192.0.2.253", params=params), CONTROL_HOST, (CONTROL,) if answered else (),
            failure=None if answered else SILENT, server="192.0.2.253", server_class="canary",
        )  # fmt: skip

    def _lookups(
        self, step: StepId, name: str, addresses: Sequence[str], *, rcode: int = 0, failure: Failure | None = None,
        ede: Sequence[int] = (), transport_: Literal["udp", "tcp"] = "udp", **fields: Any,
    ) -> ObsId:  # fmt: skip
        last = ObsId("")
        for rrtype, marks in (("A", "."), ("AAAA", ":")):
            answers = tuple(
                names.ResourceRecord(name=name + ".", rrtype=rrtype, data=text, ttl=60)
                for text in addresses
                if marks in text
            )
            bad = msgspec.structs.replace(failure, op="resolve") if failure else None
            last = self.add(
                names.Lookup, step, ms=20 if bad is None else 2000, name=name, rrtype=rrtype, transport=transport_,
                rcode=None if bad else rcode, answers=() if bad or rcode else answers, failure=bad,
                extended_errors=tuple(names.ExtendedError(code=code) for code in ede), **fields,
            )  # fmt: skip
        return last

    # Connections

    def reach(
        self, address: str = TARGET, *, role: Role = "target", host: str | None = None, port: int | None = None
    ) -> ObsId:
        """Connect and TLS, both well."""
        self.connect(address, role=role, host=host, port=port)
        return self.handshake(address, role=role, host=host, port=port)

    def connect(
        self, address: str = TARGET, failure: Failure | None = None, *, role: Role = "target", host: str | None = None,
        port: int | None = None, attempts: int | None = None, ms: float | None = None, syns: int | None = None,
        round_: int = 1, after_burst: bool = False, proxy: str | None = None, **fields: Any,
    ) -> ObsId:  # fmt: skip
        """``attempts`` connects to one address: open, or all ended by ``failure``. A silent or refused one is tried
        twice, as the probe does, unless ``attempts`` says otherwise."""
        step, port = self._reach_step(address, role, host, port, round_=round_, proxy=proxy)
        silent = failure is not None and failure.code is FailureCode.TIMED_OUT
        count = attempts or (2 if failure is not None and failure.code in _TRIED_AGAIN else 1)
        took = ms if ms is not None else (3000 if silent else 20)
        last = ObsId("")
        for attempt in range(1, count + 1):
            last = self.add(
                transport.Connect, step, ms=took, attempt=attempt, address=address, port=port, failure=failure,
                source_address=OWN, source_port=50_000 + len(self._records), limit_ms=3000, after_burst=after_burst,
                syns_sent=syns if syns is not None else (2 if silent else 1), tcp=None if failure else TCP, **fields,
            )  # fmt: skip
        return last

    def handshake(
        self, address: str = TARGET, failure: Failure | None = None, *, role: Role = "target", host: str | None = None,
        port: int | None = None, verify: int = 0, mozilla: int | None = None, alert: int | None = None,
        chain: Sequence[tls.Certificate] = (LEAF,), acked: bool | None = True, server_hello: bool | None = None,
        asks_certificate: bool | None = False, first_bytes: str | None = None, round_: int = 1,
        server_name: str | None = None,
    ) -> ObsId:  # fmt: skip
        """TLS on the last connection to ``address``: well, rejected by us (``verify``: OpenSSL's code), ended by the
        peer's ``alert``, or by ``failure``."""
        step, _ = self._reach_step(address, role, host, port, round_=round_)
        if verify:
            failure = failed(FailureCode.CERT_REJECTED, op="handshake")
        elif alert is not None:
            failure = Failure(op="handshake", code=FailureCode.PROTOCOL, native=Native(kind="tls-alert", number=alert))
        elif failure is not None:
            failure = msgspec.structs.replace(failure, op="handshake")
        shown = failure is None or bool(verify)
        verifications = (
            tls.Verification(store="system", code=verify),
            tls.Verification(store="mozilla", code=verify if mozilla is None else mozilla),
        )
        return self.add(
            tls.Handshake, step, ms=30 if shown else 1000, caused_by=self._records[-1].id,
            server_name=server_name or host or self.host,
            protocol="TLSv1.3" if shown else None, server_hello=shown if server_hello is None else server_hello,
            client_certificate_asked=asks_certificate if shown else None, acked=acked,
            chain=tuple(chain) if shown else (), failure=failure, first_bytes=first_bytes, tcp=TCP,
            verifications=verifications if shown else (),
            alerts=() if alert is None else (tls.Alert(direction="received", number=alert),),
        )  # fmt: skip

    def http(
        self, address: str | None = TARGET, status: int | None = 200, *, failure: Failure | None = None,
        headers: Mapping[str, str] | None = None, body: str | None = None, role: Role = "target",
        host: str | None = None, method: str = "GET", proxy: str | None = None, agent: str = "netdiag",
        acked: bool | None = True, date: bool = True, location: str | None = None, after_burst: bool = False,
        ms: float = 60, round_: int = 1,
        params: Mapping[str, str] | None = None, clock_ahead_s: int = 0, url: str | None = None,
    ) -> ObsId:  # fmt: skip
        """One request: answered with ``status``, or ended by ``failure``. ``date`` adds a right Date header;
        ``clock_ahead_s`` makes the customer's clock look that much ahead of it."""
        host = host or self.host
        url = url or f"{self.target.scheme}://{host}/"
        step = self.step(
            "http",
            role,
            host,
            address,
            None,
            proxy=proxy,
            round_=round_,
            params={"url": url, "user_agent": agent, **(params or {})},
        )
        held = {name.lower(): value for name, value in (headers or {}).items()}
        if date and failure is None:
            shown = datetime.fromtimestamp(self._wall_s() + ms / 2000 - clock_ahead_s, UTC)
            held.setdefault("date", shown.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        port = self.port if role == "target" else (443 if url.startswith("https") else 80)
        return self.add(
            web.Exchange, step, ms=ms if failure is None else 10_000, method=method, url=url, address=address,
            port=port,
            via_proxy=proxy, user_agent=agent, status=None if failure else status, location=location, body_start=body,
            headers=() if failure else tuple(web.Header(name=n, value=v) for n, v in sorted(held.items())),
            first_byte_us=None if failure else round(ms * 900), request_acked=acked, after_burst=after_burst,
            tcp=TCP, failure=failure,
        )  # fmt: skip

    def way(
        self, via: Via, address: str | None = TARGET, status: int | None = 200, *, failure: Failure | None = None,
        role: Role = "target", connect_status: int = 200,
    ) -> ObsId:  # fmt: skip
        """The target, or a control, once by a second way; through a proxy with CONNECT before it."""
        host = self.host if role == "target" else CONTROL_HOST
        proxy = via.name if via.kind == "proxy" else None
        step = self.step("way", role, host, address, 443, proxy=proxy, params={"url": f"https://{host}/"}, via=via)
        if proxy is not None:
            last = self.add(
                web.Exchange, step, ms=30, method="CONNECT", url=f"https://{address or host}/", port=443,
                via_proxy=proxy, status=connect_status,
            )  # fmt: skip
            if connect_status != 200:
                return last
        return self.add(
            web.Exchange, step, ms=60 if failure is None else 6000, method="GET", url=f"https://{host}/",
            address=None if proxy else address, port=443, via_proxy=proxy, failure=failure,
            status=None if failure else status, tcp=None if failure else TCP,
        )  # fmt: skip

    def portal_page(
        self, address: str = CONTROL, status: int = 204, *, host: str = CONTROL_HOST, location: str | None = None,
        body: str | None = None, expect_status: int = 204, clock_ahead_s: int = 0,
    ) -> ObsId:  # fmt: skip
        """A connectivity-check page over plain HTTP: expected, or what a portal makes of it."""
        url = f"http://{host}/generate_204"
        params = {"use": "portal", "expect_status": str(expect_status)}
        return self.http(
            address, status, role="control", host=host, url=url, location=location, body=body, params=params,
            clock_ahead_s=clock_ahead_s,
        )  # fmt: skip

    def _reach_step(
        self, address: str, role: Role, host: str | None, port: int | None, *, round_: int, proxy: str | None = None
    ) -> tuple[StepId, int]:
        port = port or (self.port if role == "target" else 443)
        subject = host or (self.host if role == "target" else CONTROL_HOST)
        return self.step("reach", role, subject, address, port, round_=round_, proxy=proxy, params={"tls": "yes"}), port

    # Echoes, walks, egress

    def echo(self, address: str, replies: str = "!!!!", *, role: Role = "target", rtt_ms: int = 20) -> ObsId:
        """Echo requests: ``!`` a reply, ``.`` silence."""
        step = self.step("echo", role, "", address, params={"count": str(len(replies))})
        last = ObsId("")
        for sequence, mark in enumerate(replies, 1):
            answered = mark == "!"
            last = self.add(
                transport.Echo, step, ms=20 if answered else 1000, address=address, sequence=sequence,
                mode="ping_socket",
                rtt_us=rtt_ms * 1000 if answered else None, reply_ttl=57 if answered else None,
            )  # fmt: skip
        return last

    def walk(
        self, address: str = TARGET, hops: Sequence[str | None] = (GATEWAY, ISP, CARRIER, EDGE), *, end: str = "open",
        end_icmp: Icmp | None = None, protocol: Literal["tcp", "udp", "icmp"] = "tcp", role: Role = "target",
        host: str | None = None, port: int | None = None, beyond: int = 5, wait_ms: float = 1500, flow: int = 1,
        attempts: int = 1, first: int = 1, probe: Literal["walk", "flows"] = "walk",
    ) -> ObsId:  # fmt: skip
        """One probe per TTL from ``first`` on (times ``attempts``): a router (None: silence), and after the last one
        the ``end``: ``open`` (SYN-ACK, echo reply or data), ``refused`` (RST), ``icmp`` (``end_icmp``), ``silent``
        (``beyond`` more TTLs), or ``local`` (the kernel refuses). A loop is told by repeating hops with ``end="cut"``:
        nothing more."""
        port = port or (self.port if role == "target" else 443)
        subject = host or (self.host if role == "target" else CONTROL_HOST)
        step = self.step(probe, role, subject, address, port, params={"protocol": protocol})
        common: dict[str, Any] = {
            "address": address, "port": port, "protocol": protocol,
            "mode": "raw" if protocol == "icmp" else "unprivileged",
            "flow": flow, "source_port": 51_000 + flow,
        }  # fmt: skip
        last = ObsId("")
        for attempt in range(1, attempts + 1):
            for ttl, router in enumerate(hops, first):
                said = {"answer": "none"} if router is None else _expired(router, ttl)
                took = wait_ms if router is None else ttl * 4
                last = self.add(transport.HopReply, step, ms=took, attempt=attempt, ttl=ttl, **common, **said)
            for ttl, said in _ending(
                end, error=end_icmp, protocol=protocol, address=address, ttl=len(hops) + first, beyond=beyond
            ):
                took = wait_ms if said["answer"] == "none" else ttl * 4
                last = self.add(transport.HopReply, step, ms=took, attempt=attempt, ttl=ttl, **common, **said)
        return last

    def egress(
        self, address: str = TARGET, *, target: str = "gateway", control: str = "gateway", udp_denied: bool = False,
        control_address: str = CONTROL, gateway: str = GATEWAY, other_port: str | None = None,
    ) -> ObsId:  # fmt: skip
        """The TTL-1 test; each end is ``gateway``, ``silent``, ``refused_locally``, ``reset`` or ``accepted``."""
        params = {"control_address": control_address, "control_port": "443"}
        step = self.step("egress", "machine", "", address, self.port, params=params)
        other = 443 if self.port == 80 else 80
        ends = [(address, self.port, target), (address, other, other_port or target), (control_address, 443, control)]
        for peer, port, how in ends:
            said: dict[str, Any] = {
                "gateway": _expired(gateway, 1),
                "silent": {"answer": "none"},
                "refused_locally": {
                    "answer": "not_sent",
                    "failure": failed(FailureCode.DENIED_LOCALLY, EPERM, op="send"),
                },
                "reset": {"answer": "rst", "replier": peer, "rtt_us": 100},
                "accepted": {"answer": "syn_ack", "replier": peer, "rtt_us": 300},
            }[how]
            self.add(
                transport.HopReply, step, ms=1500 if how == "silent" else 2, address=peer, port=port, protocol="tcp",
                mode="unprivileged", flow=1, ttl=1, **said,
            )  # fmt: skip
        denied = failed(FailureCode.DENIED_LOCALLY, EPERM, op="send") if udp_denied else None
        return self.add(machine.LocalSend, step, address=address, port=self.port, ttl=1, failure=denied)


_TRIED_AGAIN = (FailureCode.TIMED_OUT, FailureCode.REFUSED)


def _expired(router: str, ttl: int) -> dict[str, Any]:
    """Time exceeded from ``router``: ICMP 11/0, in IPv6 3/0."""
    kind, version = (3, 6) if ":" in router else (11, 4)
    error = Icmp(type=kind, code=0, sender=router, version=6 if version == 6 else 4)
    return {"answer": "icmp", "replier": router, "icmp": error, "rtt_us": ttl * 4000}


def _ending(
    end: str, *, error: Icmp | None, protocol: str, address: str, ttl: int, beyond: int
) -> list[tuple[int, dict[str, Any]]]:
    if end == "cut":
        return []
    if end == "silent":
        return [(ttl + more, {"answer": "none"}) for more in range(beyond)]
    if end == "local":
        refusal = failed(FailureCode.UNREACHABLE, ENETUNREACH, op="send")
        return [(ttl, {"answer": "not_sent", "failure": refusal})]
    if end == "icmp":
        assert error is not None
        return [(ttl, {"answer": "icmp", "replier": error.sender, "icmp": error, "rtt_us": ttl * 4000})]
    opened = {"tcp": "syn_ack", "udp": "data", "icmp": "echo_reply"}[protocol]
    answer = opened if end == "open" else "rst"
    return [(ttl, {"answer": answer, "replier": address, "rtt_us": ttl * 4000})]
