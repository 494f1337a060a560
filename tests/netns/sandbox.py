"""Runs a program as a stricter sandbox would: ``python -m tests.netns.sandbox LACK… -- PROGRAM ARGUMENT…``.

A seccomp filter (seccomp(2)) makes the kernel refuse (or, with errno 0, not do) what is named; it needs no privilege,
and stays for good:

``error-queue``  setting IP_RECVERR or IPV6_RECVERR has no effect and no error, as in gVisor
``ipv6``         IPv6 sockets (a kernel without the stack: EAFNOSUPPORT)
``netlink``      netlink sockets, where routes and neighbours are asked (containers, Android)
``ping``         ICMP sockets, raw or not (EPERM)
``ping-sockets`` those that need no privilege alone, as net.ipv4.ping_group_range does by default
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

# linux/prctl.h, linux/seccomp.h, linux/bpf_common.h
_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _MASK, _RETURN = 0x20, 0x15, 0x54, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ARGUMENT_AT = 0, 16  # struct seccomp_data: nr, arch, instruction_pointer, args[6]

# asm/unistd.h: socket, setsockopt
_CALLS = {"x86_64": (41, 54), "aarch64": (198, 208)}
_TYPE_MASK = 0xF  # SOCK_TYPE_MASK: without SOCK_CLOEXEC and SOCK_NONBLOCK
_IP_RECVERR, _IPV6_RECVERR = (0, 11), (41, 25)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))


class Refusal(NamedTuple):
    """A call that fails: its number, what its arguments must be (position, mask, value), and with which errno."""

    call: int
    arguments: tuple[tuple[int, int, int], ...]
    number: int


def refusals(lacks: Sequence[str]) -> list[Refusal]:
    """What the named lacks come to on this machine. ``KeyError`` for an unknown one, or another processor."""
    sock, option = _CALLS[platform.machine()]
    every = 0xFFFFFFFF
    icmp = {
        kind: [
            Refusal(sock, ((1, _TYPE_MASK, kind), (2, every, protocol)), errno.EPERM)
            for protocol in (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6)
        ]
        for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW)
    }
    known = {
        "error-queue": [
            Refusal(option, ((1, every, level), (2, every, name)), 0) for level, name in (_IP_RECVERR, _IPV6_RECVERR)
        ],
        "ipv6": [Refusal(sock, ((0, every, socket.AF_INET6),), errno.EAFNOSUPPORT)],
        "netlink": [Refusal(sock, ((0, every, socket.AF_NETLINK),), errno.EACCES)],
        "ping": icmp[socket.SOCK_DGRAM] + icmp[socket.SOCK_RAW],
        "ping-sockets": icmp[socket.SOCK_DGRAM],
    }
    return [refusal for lack in lacks for refusal in known[lack]]


def program(refused: Sequence[Refusal]) -> bytes:
    """The filter in classic BPF: each refusal is a run of comparisons that all must hold."""
    code = b""
    for one in refused:
        steps = [(_NUMBER_AT, 0xFFFFFFFF, one.call)]
        steps += [(_ARGUMENT_AT + 8 * at, mask, value) for at, mask, value in one.arguments]
        left = 3 * len(steps) + 1
        for offset, mask, value in steps:
            left -= 3
            code += struct.pack("HBBI", _LOAD, 0, 0, offset) + struct.pack("HBBI", _MASK, 0, 0, mask)
            code += struct.pack("HBBI", _EQUAL, 0, left, value)
        code += struct.pack("HBBI", _RETURN, 0, 0, _ERRNO | one.number)
    return code + struct.pack("HBBI", _RETURN, 0, 0, _ALLOW)


def enter(lacks: Sequence[str]) -> None:
    """From here on this process, and all that it starts, lacks them. Raises ``OSError``."""
    code = program(refusals(lacks))
    room = ctypes.create_string_buffer(code, len(code))
    filter_ = _Filter(len(code) // 8, ctypes.addressof(room))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_), 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    at = sys.argv.index("--")
    enter(sys.argv[1:at])
    os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])
