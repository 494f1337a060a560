"""Sample bundles, written by hand: one record of every kind, and larger ones for limits and speed."""

from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from netdiag.evidence import limits, machine, names, tls, transport, web
from netdiag.evidence.bundle import Bundle, Options, ProfileUse, Step, Target
from netdiag.evidence.keys import SigningKey
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, Native, NotRun, ObsId, StepId

BEGAN_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
NOW = datetime(2026, 3, 14, 9, 31, 53, tzinfo=UTC)

SUMMARY = b"The connection to api.vendor.test timed out.\n"
CAPTURE = b"\x0a\x0d\x0d\x0a" + bytes(range(256))


def sample_key(seed: int = 1) -> SigningKey:
    """The same key for the same seed: bundles made from it are the same bytes in every run."""
    return SigningKey(private=Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), origin="named")


TCP = transport.TcpInfo(
    state=1,
    retransmits=0,
    backoff=0,
    options=7,
    unacked=0,
    lost=0,
    total_retrans=0,
    rtt_us=21_000,
    rttvar_us=9_000,
    min_rtt_us=20_500,
    snd_mss=1448,
    rcv_mss=536,
    pmtu=1500,
    last_data_recv_ms=12,
    segs_out=9,
    segs_in=8,
)

TIMED_OUT = Failure(
    op="connect",
    code=FailureCode.TIMED_OUT,
    native=Native(kind="errno", number=110),
    errno=110,
    text="Connection timed out",
)
PROHIBITED = Failure(
    op="connect",
    code=FailureCode.UNREACHABLE,
    native=Icmp(type=3, code=13, sender="192.0.2.1"),
    errno=113,
    text="No route to host",
)

LEAF = tls.Certificate(
    subject="CN=api.vendor.test",
    issuer="CN=Vendor CA",
    not_before=1_770_000_000,
    not_after=1_790_000_000,
    names=("api.vendor.test", "www.vendor.test"),
    issuer_url="http://ca.vendor.test/ca.der",
    sha256="ab" * 32,
    key_sha256="cd" * 32,
)
ROOT = tls.Certificate(
    subject="CN=Vendor CA",
    issuer="CN=Vendor CA",
    not_before=1_700_000_000,
    not_after=1_990_000_000,
    is_ca=True,
    self_signed=True,
    sha256="ef" * 32,
    key_sha256="01" * 32,
)

STEPS = (
    Step(id=StepId("host"), probe="host", role="machine"),
    Step(id=StepId("lookup"), probe="lookup", role="resolver", subject="192.0.2.53", params={"rrtype": "A"}),
    Step(id=StepId("connect"), probe="connect", role="target", subject="api.vendor.test", port=443),
    Step(id=StepId("walk"), probe="walk", role="target", subject="api.vendor.test", port=443),
)


def one_of_each() -> tuple[Observation, ...]:
    """One record of every kind that a bundle can hold, with most fields set, and one of every form of failure."""
    host, lookup, connect, walk = (step.id for step in STEPS)
    records: tuple[Observation, ...] = (
        NotRun(
            id=ObsId("o0"), step=host, began_ns=1, ended_ns=2, why="no_privilege", what="raw sockets", detail="EPERM"
        ),
        machine.Platform(
            id=ObsId("o1"),
            step=host,
            began_ns=1,
            ended_ns=2,
            system="Linux",
            release="6.1",
            python="3.11.2",
            openssl="OpenSSL 3.0",
            error_queue=True,
            raw_sockets=False,
        ),
        machine.Interface(
            id=ObsId("o2"),
            step=host,
            began_ns=1,
            ended_ns=2,
            name="eth0",
            link="ethernet",
            is_up=True,
            has_carrier=True,
            mtu=1500,
            addresses=(machine.InterfaceAddress(address="192.0.2.10", prefix_length=24),),
            tx_packets=10,
            rx_errors=0,
        ),
        machine.DefaultRoute(
            id=ObsId("o3"), step=host, began_ns=1, ended_ns=2, family=4, exists=True, gateway="192.0.2.1", device="eth0"
        ),
        machine.RouteLookup(
            id=ObsId("o4"),
            step=host,
            began_ns=1,
            ended_ns=2,
            destination="198.51.100.7",
            gateway="192.0.2.1",
            device="eth0",
            source="192.0.2.10",
        ),
        machine.Neighbour(
            id=ObsId("o5"), step=host, began_ns=1, ended_ns=2, address="192.0.2.1", device="eth0", state="reachable"
        ),
        machine.ResolverConfig(
            id=ObsId("o6"),
            step=host,
            began_ns=1,
            ended_ns=2,
            source="/etc/resolv.conf",
            servers=("192.0.2.53",),
            options=("ndots:1",),
        ),
        machine.HostsEntry(id=ObsId("o7"), step=host, began_ns=1, ended_ns=2, name="api.vendor.test"),
        machine.SystemLookup(
            id=ObsId("o8"), step=host, began_ns=1, ended_ns=2, name="api.vendor.test", addresses=("198.51.100.7",)
        ),
        machine.ProxySetting(id=ObsId("o9"), step=host, began_ns=1, ended_ns=2, scheme="https", source="environment"),
        machine.Clock(
            id=ObsId("o10"), step=host, began_ns=1, ended_ns=2, unix_seconds=1_773_480_413, synchronised=True
        ),
        machine.KernelCounters(id=ObsId("o11"), step=host, began_ns=1, ended_ns=2, tcp_out_segments=12_345),
        machine.Nat64(id=ObsId("o12"), step=host, began_ns=1, ended_ns=2),
        machine.LocalSend(id=ObsId("o13"), step=host, began_ns=1, ended_ns=2, address="198.51.100.7", port=443, ttl=1),
        names.Lookup(
            id=ObsId("o14"),
            step=lookup,
            began_ns=1,
            ended_ns=2,
            name="api.vendor.test",
            rrtype="A",
            server="192.0.2.53",
            server_class="configured",
            transport="udp",
            rcode=0,
            flags=("RA",),
            answers=(names.ResourceRecord(name="api.vendor.test", rrtype="A", data="198.51.100.7", ttl=60),),
            extended_errors=(names.ExtendedError(code=3, text="stale"),),
        ),
        transport.Connect(
            id=ObsId("o15"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            caused_by=ObsId("o14"),
            address="198.51.100.7",
            port=443,
            limit_ms=3000,
            syns_sent=3,
            failure=TIMED_OUT,
        ),
        transport.Connect(
            id=ObsId("o16"),
            step=connect,
            attempt=2,
            began_ns=1,
            ended_ns=2,
            address="198.51.100.7",
            port=443,
            source_address="192.0.2.10",
            source_port=50_000,
            device="eth0",
            limit_ms=3000,
            tcp=TCP,
        ),
        transport.Echo(
            id=ObsId("o17"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            address="192.0.2.1",
            sequence=1,
            mode="ping_socket",
            rtt_us=800,
        ),
        transport.HopReply(
            id=ObsId("o18"),
            step=walk,
            began_ns=1,
            ended_ns=2,
            address="198.51.100.7",
            port=443,
            protocol="tcp",
            mode="unprivileged",
            flow=1,
            ttl=3,
            answer="icmp",
            replier="203.0.113.3",
            icmp=Icmp(type=11, code=0, sender="203.0.113.3"),
            rtt_us=9_000,
            quote=transport.Quote(ttl=1, mss=1452),
            size=1500,
            next_mtu=1492,
            labels=(transport.Label(label=24_001, ttl=1),),
        ),
        tls.Handshake(
            id=ObsId("o19"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            caused_by=ObsId("o16"),
            server_name="api.vendor.test",
            protocol="TLSv1.3",
            cipher="TLS_AES_256_GCM_SHA384",
            chain=(LEAF, ROOT),
            verifications=(tls.Verification(store="system", code=19, message="self-signed certificate in chain"),),
            alerts=(tls.Alert(direction="sent", number=48),),
            tcp=TCP,
            failure=Failure(
                op="handshake", code=FailureCode.CERT_REJECTED, native=Native(kind="tls-alert", number=48), text="no"
            ),
        ),
        web.Exchange(
            id=ObsId("o20"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            method="GET",
            url="https://api.vendor.test/",
            address="198.51.100.7",
            port=443,
            status=403,
            reason="Forbidden",
            headers=(web.Header(name="server", value="nginx"), web.Header(name="retry-after", value="600")),
            body_start="<h1>403 Forbidden</h1>\n",
            body_bytes=23,
        ),
        transport.Connect(
            id=ObsId("o21"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            address="198.51.100.8",
            port=443,
            limit_ms=3000,
            failure=PROHIBITED,
        ),
        transport.InFlow(
            id=ObsId("o22"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            caused_by=ObsId("o16"),
            address="198.51.100.7",
            port=443,
            source_port=50_000,
            payload="client_hello",
            name="api.vendor.test",
            ttl=3,
            min_ttl=60,
            limit_ms=1500,
            answer="expired",
            rtt_us=9_000,
            tcp=TCP,
        ),
        transport.ArrivingTtl(
            id=ObsId("o23"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            caused_by=ObsId("o16"),
            address="198.51.100.7",
            port=443,
            of="ack",
            how="min_ttl",
            low=57,
            high=58,
        ),
        transport.Transfer(
            id=ObsId("o24"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            address="198.51.100.7",
            port=443,
            url="https://api.vendor.test/",
            limit_bytes=1_000_000,
            limit_ms=10_000,
            status=200,
            connected_us=21_000,
            secured_us=64_000,
            acked_us=21_500,
            first_byte_us=90_000,
            finished_us=400_000,
            received=65_536,
            complete=True,
            progress=(transport.Progress(at_us=100_000, received=14_480, rtt_us=21_000),),
            tcp=TCP,
        ),
        limits.LimitAttempt(
            id=ObsId("o25"),
            step=connect,
            began_ns=1,
            ended_ns=2,
            address="198.51.100.7",
            port=443,
            phase="burst_on_one_connection",
            asks="request",
            connection=1,
            method="HEAD",
            source_port=50_000,
            outcome="refused_http",
            status=429,
            retry_after_s=30,
            headers=(web.Header(name="retry-after", value="30"),),
        ),
    )
    return records


def sample_bundle(*, observations: tuple[Observation, ...] | None = None, ticket: str | None = None) -> Bundle:
    """A whole bundle around ``observations`` (:func:`one_of_each` when not given), begun at :data:`BEGAN_AT`."""
    return Bundle(
        run_id="0f1e2d3c4b5a6978",
        began_at=BEGAN_AT,
        duration_ns=4_200_000_000,
        tool="netdiag 0.1.0",
        target=Target(scheme="https", host="api.vendor.test", port=443),
        options=Options(deep=True, via=("203.0.113.80:3128",)),
        ticket=ticket,
        profile=ProfileUse(sha256="23" * 32, vendor="Vendor"),
        probe_versions={"host": 1, "connect": 2},
        plan=STEPS,
        observations=one_of_each() if observations is None else observations,
        removed=("MAC addresses",),
    )


def repeated(count: int) -> tuple[Observation, ...]:
    """``count`` records of mixed kinds, each with its own id."""
    kinds = one_of_each()
    return tuple(msgspec.structs.replace(kinds[n % len(kinds)], id=ObsId(f"o{n}")) for n in range(count))
