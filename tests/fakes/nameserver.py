"""A tiny name server on loopback, UDP and TCP on one port, whose answers are one function of the question."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Transport = Literal["udp", "tcp"]
Handle = Callable[[dns.message.Message, Transport], "bytes | None"]
"""The wire form of the answer, any other bytes, or None for silence."""


def reply(
    asked: dns.message.Message,
    *answers: str,
    authority: Sequence[str] = (),
    glue: Sequence[str] = (),
    rcode: int = 0,
    flags: int = dns.flags.RA,
    extended_error: tuple[int, str] | None = None,
) -> bytes:
    """An answer with these records, each ``name ttl IN type data``."""
    made = dns.message.make_response(asked)
    made.flags |= flags
    made.set_rcode(dns.rcode.Rcode(rcode))
    for section, lines in ((made.answer, answers), (made.authority, authority), (made.additional, glue)):
        section.extend(_rrset(line) for line in lines)
    if extended_error is not None:
        code, text = extended_error
        made.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode(code), text)])
    return made.to_wire()


def _rrset(line: str) -> dns.rrset.RRset:
    name, ttl, rdclass, rrtype, data = line.split(" ", 4)
    return dns.rrset.from_text(name, int(ttl), rdclass, rrtype, data)


@contextlib.contextmanager
def name_server(handle: Handle, address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Answer on ``address`` until the block ends; yields the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream = socket.create_server((address, port), family=family)
    datagram = socket.socket(family, socket.SOCK_DGRAM)
    datagram.bind((address, stream.getsockname()[1]))

    def by_udp() -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, peer = datagram.recvfrom(65535)
                if not wire:
                    return
                answer = handle(dns.message.from_wire(wire), "udp")
                if answer is not None:
                    datagram.sendto(answer, peer)

    def by_tcp() -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = stream.accept()
                with accepted, contextlib.suppress(OSError, struct.error):
                    head = accepted.recv(2, socket.MSG_WAITALL)
                    wire = accepted.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                    answer = handle(dns.message.from_wire(wire), "tcp")
                    if answer is not None:
                        accepted.sendall(struct.pack("!H", len(answer)) + answer)

    threads = [threading.Thread(target=run, daemon=True) for run in (by_udp, by_tcp)]
    for thread in threads:
        thread.start()
    try:
        yield stream.getsockname()[1]
    finally:
        stream.shutdown(socket.SHUT_RDWR)
        with socket.socket(family, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", datagram.getsockname())
        for thread in threads:
            thread.join()
        stream.close()
        datagram.close()
