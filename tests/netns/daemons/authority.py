"""The DNS of the rest of the internet: root, top-level and every other zone's servers, told apart by address alone.

Like the real ones it refers from the root to the top level and from there to the zone; it never recurses.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset

from tests.netns.daemons import names

_TTL = 300
_REFERRAL_TTL = 86400


class Authority:
    """Answers one query message, given the address it was sent to."""

    def __init__(self, delegations: Mapping[str, Mapping[str, Sequence[str]]], reverse: Mapping[str, str]) -> None:
        """``delegations``: zone -> name server -> addresses. ``reverse``: address -> host name."""
        self._delegations = delegations
        self._pointers = {dns.reversename.from_address(a).to_text(omit_final_dot=True): n for a, n in reverse.items()}
        self._forward: dict[str, list[str]] = {}
        for address, name in reverse.items():
            self._forward.setdefault(name, []).append(address)
        self._roles = {a: "root" for name in names.ROOT_SERVERS for a in names.WELL_KNOWN[name]}
        self._roles |= {a: "top" for name in names.TLD_SERVERS for a in names.WELL_KNOWN[name]}

    def answer(self, wire: bytes, server: str, *, udp: bool) -> bytes | None:
        """The reply, or None for what is no query."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        reply = dns.message.make_response(query)
        name = query.question[0].name.to_text().lower().rstrip(".")
        kind = query.question[0].rdtype
        role = self._roles.get(server, "zone")
        if role == "root":
            self._as_root(reply, name, kind)
        elif role == "top":
            self._as_top_level(reply, name, kind)
        else:
            self._as_zone(reply, name, kind)
        limit = query.payload if udp and query.edns >= 0 else 512 if udp else 65535
        with contextlib.suppress(dns.exception.TooBig):
            return reply.to_wire(max_size=max(limit, 512))
        reply.answer, reply.authority, reply.additional = [], [], []
        reply.flags |= dns.flags.TC
        return reply.to_wire()

    def _as_root(self, reply: dns.message.Message, name: str, kind: dns.rdatatype.RdataType) -> None:
        if name == "":
            reply.flags |= dns.flags.AA
            if kind == dns.rdatatype.NS:
                self._servers(reply.answer, reply.additional, ".", names.ROOT_SERVERS)
            else:
                self._soa(reply, ".")
            return
        top = name.rpartition(".")[2]
        if top not in names.TOP_LEVEL:
            reply.flags |= dns.flags.AA
            reply.set_rcode(dns.rcode.NXDOMAIN)
            self._soa(reply, ".")
            return
        servers = names.ARPA_SERVERS if top == "arpa" else names.TLD_SERVERS
        self._servers(reply.authority, reply.additional, f"{top}.", servers)

    def _as_top_level(self, reply: dns.message.Message, name: str, kind: dns.rdatatype.RdataType) -> None:
        labels = name.split(".")
        top = labels[-1]
        zone = ".".join(labels[-2:])
        if len(labels) == 1:
            reply.flags |= dns.flags.AA
            if kind == dns.rdatatype.NS:
                self._servers(reply.answer, reply.additional, f"{top}.", names.TLD_SERVERS)
            else:
                self._soa(reply, f"{top}.")
        elif zone in self._delegations:
            glue = self._delegations[zone]
            self._servers(reply.authority, reply.additional, f"{zone}.", tuple(glue), glue)
        elif not names.exists(zone):
            reply.flags |= dns.flags.AA
            reply.set_rcode(dns.rcode.NXDOMAIN)
            self._soa(reply, f"{top}.")
        else:
            self._servers(reply.authority, reply.additional, f"{zone}.", (f"ns1.{zone}", f"ns2.{zone}"))

    def _as_zone(self, reply: dns.message.Message, name: str, kind: dns.rdatatype.RdataType) -> None:
        reply.flags |= dns.flags.AA
        labels = name.split(".")
        zone = "arpa." if labels[-1] == "arpa" else ".".join(labels[-2:]) + "."
        if labels[-1] == "arpa":
            found = [self._pointers[name] + "."] if name in self._pointers else []
            if found and kind == dns.rdatatype.PTR:
                reply.answer.append(dns.rrset.from_text(f"{name}.", _TTL, "IN", "PTR", found[0]))
                return
            inner = any(known.endswith(f".{name}") for known in self._pointers) or name in ("arpa", "ipv4only.arpa")
            if not found and not inner:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                self._soa(reply, zone)
                return
        if not names.exists(name):
            reply.set_rcode(dns.rcode.NXDOMAIN)
            self._soa(reply, zone)
            return
        addresses = self._forward.get(name) or names.addresses(name)
        if kind == dns.rdatatype.NS and f"{name}." == zone:
            self._servers(reply.answer, reply.additional, zone, (f"ns1.{zone[:-1]}", f"ns2.{zone[:-1]}"))
            return
        if kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            wanted = [a for a in addresses if (":" in a) == (kind == dns.rdatatype.AAAA)]
            if wanted and (labels[-1] != "arpa" or name == "ipv4only.arpa"):
                reply.answer.append(dns.rrset.from_text_list(f"{name}.", _TTL, "IN", kind, wanted))
                return
        self._soa(reply, zone)

    def _servers(
        self,
        section: list[dns.rrset.RRset],
        additional: list[dns.rrset.RRset],
        owner: str,
        servers: Sequence[str],
        glue: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        section.append(dns.rrset.from_text_list(owner, _REFERRAL_TTL, "IN", "NS", [f"{s}." for s in servers]))
        for server in servers:
            addresses = glue[server] if glue is not None else names.addresses(server)
            for kind, six in (("A", False), ("AAAA", True)):
                found = [a for a in addresses if (":" in a) == six]
                if found:
                    additional.append(dns.rrset.from_text_list(f"{server}.", _REFERRAL_TTL, "IN", kind, found))

    @staticmethod
    def _soa(reply: dns.message.Message, zone: str) -> None:
        text = "a.root-servers.net. hostmaster.example.net. 2024010101 7200 3600 1209600 60"
        reply.authority.append(dns.rrset.from_text(zone, 60, "IN", "SOA", text))


_PKTINFO4, _PKTINFO6 = 8, 50  # IP_PKTINFO (ip(7)), IPV6_PKTINFO (ipv6(7))


def _udp(family: socket.AddressFamily, answer: Callable[[bytes, str], bytes | None]) -> None:
    """One UDP service on all addresses of a family; the reply leaves from the address that was asked."""
    six = family == socket.AF_INET6
    level, option = (socket.IPPROTO_IPV6, _PKTINFO6) if six else (socket.IPPROTO_IP, _PKTINFO4)
    with socket.socket(family, socket.SOCK_DGRAM) as service:
        if six:
            service.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            service.setsockopt(socket.IPPROTO_IPV6, 49, 1)  # IPV6_RECVPKTINFO
        else:
            service.setsockopt(level, option, 1)
        service.bind(("::" if six else "0.0.0.0", 53))
        while True:
            data, ancillary, _, peer = service.recvmsg(4096, 256)
            info = next((d for _, kind, d in ancillary if kind == option), None)
            if info is None:
                continue
            address = socket.inet_ntop(family, info[:16] if six else info[8:12])
            reply = answer(data, address)
            if reply is None:
                continue
            source = info[:16] + bytes(4) if six else struct.pack("=I4s4s", 0, info[8:12], bytes(4))
            with contextlib.suppress(OSError):
                service.sendmsg([reply], [(level, option, source)], 0, peer)


def _tcp_session(session: socket.socket, authority: Authority) -> None:
    with session, contextlib.suppress(OSError, struct.error):
        session.settimeout(10)
        server = session.getsockname()[0]
        while True:
            head = session.recv(2, socket.MSG_WAITALL)
            if len(head) < 2:
                return
            data = session.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
            reply = authority.answer(data, server.removeprefix("::ffff:"), udp=False)
            if reply is not None:
                session.sendall(struct.pack("!H", len(reply)) + reply)


def serve(authority: Authority) -> None:
    """Run on port 53 of every address of this namespace, UDP and TCP, IPv4 and IPv6; never returns."""
    for family in (socket.AF_INET, socket.AF_INET6):
        target = threading.Thread(
            target=_udp, args=(family, lambda data, address: authority.answer(data, address, udp=True)), daemon=True
        )
        target.start()
    with socket.create_server(("::", 53), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128) as listener:
        while True:
            session, _ = listener.accept()
            threading.Thread(target=_tcp_session, args=(session, authority), daemon=True).start()
