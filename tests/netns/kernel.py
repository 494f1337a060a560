"""The few Linux calls that Python 3.11 has no name for: namespaces, mounts, parent-death signal, link offloads."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
from typing import Final

# include/uapi/linux/sched.h
CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
CLONE_NEWNET: Final = 0x4000_0000

# include/uapi/linux/mount.h
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x4_0000

_PR_SET_PDEATHSIG: Final = 1  # include/uapi/linux/prctl.h
_SIOCETHTOOL: Final = 0x8946  # include/uapi/linux/sockios.h
# ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO: include/uapi/linux/ethtool.h
_ETHTOOL_OFF: Final = (0x17, 0x1F, 0x24)

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by CLONE_NEW* flags. Raises OSError (EPERM, EINVAL, ENOSPC)."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd: int, flags: int) -> None:
    """Enter the namespace behind an open ``/proc/PID/ns/*`` descriptor. Raises OSError."""
    _check(_libc.setns(ctypes.c_int(fd), ctypes.c_int(flags)), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2). Raises OSError."""
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _check(result, f"mount {source} on {target}")


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent *thread* ends (so: call it only from a single-threaded parent)."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0), "prctl")


def unshare_as_root(flags: int) -> None:
    """Unshare; without privilege, inside a new user namespace whose uid 0 is the caller.

    Privilege is found by trying, never by looking at the effective uid. Raises OSError where the kernel lets neither.
    """
    try:
        unshare(flags)
    except PermissionError:
        uid, gid = os.getuid(), os.getgid()
        unshare(CLONE_NEWUSER | flags)
        # user_namespaces(7): an unprivileged process has to give up setgroups(2) before it may map its group.
        for name, text in (("setgroups", "deny"), ("gid_map", f"0 {gid} 1"), ("uid_map", f"0 {uid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - one write(2), as required
                file.write(text)


def loopback_up() -> None:
    """Bring ``lo`` of the current network namespace up (SIOCSIFFLAGS, netdevice(7)). Raises OSError."""
    iff_up, siocsifflags = 0x1, 0x8914
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, siocsifflags, struct.pack("16sH14x", b"lo", iff_up))


def offloads_off(interface: str) -> None:
    """Make the kernel finish checksums and segments before a packet enters ``interface``.

    A packet socket would otherwise read half-made packets (CHECKSUM_PARTIAL) that no receiver accepts.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _ETHTOOL_OFF:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(control, _SIOCETHTOOL, request)
