"""One DNS question at a server that answers, lies, breaks off or is not there."""

import socket
import struct

import dns.flags
import dns.message
import msgspec
import pytest

from netdiag.evidence.names import ExtendedError, Lookup
from netdiag.evidence.record import FailureCode, Icmp, ObsId, StepId
from netdiag.probes.base import Question, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.names import query
from tests.fakes.nameserver import Handle, Transport, name_server, reply
from tests.fakes.servers import serving

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="resolver")
UDP = Question(name="a.test", rrtype="A", server="127.0.0.1", server_class="configured", limit_ms=1000)
TCP = msgspec.structs.replace(UDP, transport="tcp")


def ask(handle: Handle, question: Question = UDP) -> Lookup:
    with name_server(handle, question.server) as port:
        return query(Clock(30), STAMP, msgspec.structs.replace(question, port=port))


def code(seen: Lookup) -> FailureCode | None:
    return seen.failure.code if seen.failure is not None else None


@pytest.mark.parametrize("question", [UDP, TCP, msgspec.structs.replace(UDP, server="::1")])
def test_an_answer_is_recorded_with_its_chain(question: Question) -> None:
    seen = ask(
        lambda asked, _: reply(
            asked,
            "a.test. 60 IN CNAME b.other.",
            "b.other. 30 IN A 192.0.2.7",
            authority=["other. 5 IN NS ns.other."],
            glue=["ns.other. 5 IN A 192.0.2.8"],
            flags=dns.flags.AA | dns.flags.RA,
        ),
        question,
    )
    assert seen.failure is None
    assert seen.rcode == 0
    assert seen.flags == ("AA", "RA")
    found = [(one.name, one.rrtype, one.data, one.ttl) for one in seen.answers]
    assert found == [("a.test", "CNAME", "b.other", 60), ("b.other", "A", "192.0.2.7", 30)]
    assert (seen.authority, seen.glue) == ((), ()), "they matter only where there is no answer"


def test_a_referral_is_recorded_with_its_servers_and_their_addresses() -> None:
    seen = ask(
        lambda asked, _: reply(
            asked, authority=["other. 5 IN NS ns.other."], glue=["ns.other. 5 IN A 192.0.2.8"], flags=dns.flags.QR
        )
    )
    assert [one.data for one in seen.authority] == ["ns.other"]
    assert [one.data for one in seen.glue] == ["192.0.2.8"]


@pytest.mark.parametrize(("wanted", "bits"), [({}, dns.flags.RD), ({"recursion_desired": False}, 0)])
def test_the_question_is_sent_as_asked(wanted: dict[str, bool], bits: int) -> None:
    seen: list[dns.message.Message] = []

    def handle(asked: dns.message.Message, _: Transport) -> bytes:
        seen.append(asked)
        return reply(asked)

    ask(handle, msgspec.structs.replace(UDP, **wanted, checking_disabled=True))
    assert seen[0].flags == bits | dns.flags.CD
    assert (seen[0].edns, seen[0].payload) == (0, 1232)


@pytest.mark.parametrize("rcode", [1, 2, 3, 4, 5])
def test_any_rcode_is_a_working_lookup(rcode: int) -> None:
    seen = ask(lambda asked, _: reply(asked, rcode=rcode, extended_error=(22, "no \x1b[31mauthority")))
    assert (seen.failure, seen.rcode) == (None, rcode)
    assert seen.extended_errors == (ExtendedError(code=22, text="no .[31mauthority"),)


def test_truncation_is_a_flag() -> None:
    assert ask(lambda asked, _: reply(asked, flags=dns.flags.TC)).flags == ("TC",)


@pytest.mark.parametrize("question", [UDP, TCP])
def test_silence_times_out_or_is_an_end(question: Question) -> None:
    seen = ask(lambda *_: None, msgspec.structs.replace(question, limit_ms=150))
    assert code(seen) is (FailureCode.TIMED_OUT if question.transport == "udp" else FailureCode.CLOSED)
    assert seen.rcode is None


def test_a_closed_port_is_refused_with_its_icmp_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    by_udp = query(Clock(30), STAMP, msgspec.structs.replace(UDP, port=port))
    by_tcp = query(Clock(30), STAMP, msgspec.structs.replace(TCP, port=port))
    assert code(by_udp) is code(by_tcp) is FailureCode.REFUSED
    assert by_udp.failure is not None
    assert by_udp.failure.native == Icmp(type=3, code=3, sender="127.0.0.1")


def test_no_route_is_unreachable_and_no_crash() -> None:
    seen = query(Clock(30), STAMP, msgspec.structs.replace(UDP, server="192.0.2.53"))
    assert code(seen) is FailureCode.UNREACHABLE


@pytest.mark.parametrize("garbage", [b"", b"x", bytes(12), b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256))])
@pytest.mark.parametrize("question", [UDP, TCP])
def test_garbage_is_a_protocol_failure_or_silence(garbage: bytes, question: Question) -> None:
    seen = ask(lambda *_: garbage, msgspec.structs.replace(question, limit_ms=150))
    assert code(seen) in {FailureCode.PROTOCOL, FailureCode.TIMED_OUT}


def test_a_cut_message_is_a_protocol_failure() -> None:
    seen = ask(
        lambda asked, _: reply(asked, "a.test. 60 IN A 192.0.2.7")[:-6], msgspec.structs.replace(UDP, limit_ms=150)
    )
    assert code(seen) is FailureCode.PROTOCOL


def test_a_forged_id_is_not_taken() -> None:
    def handle(asked: dns.message.Message, _: Transport) -> bytes:
        wire = reply(asked, "a.test. 60 IN A 192.0.2.66")
        return struct.pack("!H", asked.id ^ 1) + wire[2:]

    assert code(ask(handle, msgspec.structs.replace(UDP, limit_ms=150))) is FailureCode.TIMED_OUT


def test_an_answer_to_another_name_is_not_taken() -> None:
    def handle(asked: dns.message.Message, _: Transport) -> bytes:
        other = dns.message.make_query("b.test", "A", id=asked.id)
        return reply(other, "b.test. 60 IN A 192.0.2.66")

    assert code(ask(handle, msgspec.structs.replace(UDP, limit_ms=150))) is FailureCode.TIMED_OUT


def test_a_peer_that_drips_over_tcp_meets_the_deadline() -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(512)
        connection.sendall(b"\x10\x00")
        while True:
            connection.sendall(b"x")
            connection.settimeout(0.02)
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    with serving(handle) as port:
        seen = query(Clock(30), STAMP, msgspec.structs.replace(TCP, port=port, limit_ms=200))
    assert code(seen) is FailureCode.TIMED_OUT


@pytest.mark.parametrize("name", ["x" * 64 + ".test", "a..test", "\\999.test"])
def test_a_name_that_cannot_be_asked_is_a_record(name: str) -> None:
    seen = query(Clock(30), STAMP, msgspec.structs.replace(UDP, name=name))
    assert code(seen) is FailureCode.UNCLASSIFIED
