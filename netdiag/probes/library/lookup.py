"""``getaddrinfo`` under a deadline. It cannot be interrupted, so it runs in a process that can be killed."""

import contextlib
import ipaddress
import socket
import subprocess
import sys

import msgspec

from netdiag.evidence.record import Failure, FailureCode
from netdiag.probes.base import OutOfTimeError
from netdiag.probes.clock import Clock

# -I and -S keep the customer's Python settings and site packages out: 15 ms instead of 40. The name goes in as an
# argument, never into the program.
_PROGRAM = """
import json, socket, sys
try:
    found = socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM)
    print(json.dumps({"addresses": list(dict.fromkeys(one[4][0] for one in found))}))
except socket.gaierror as error:
    print(json.dumps({"gai_error": abs(error.errno), "text": error.strerror}))
except UnicodeError as error:
    print(json.dumps({"text": str(error)}))
"""


class SystemAnswer(msgspec.Struct, frozen=True):
    """What the child printed."""

    addresses: tuple[str, ...] = ()
    gai_error: int | None = None
    text: str = ""


def ask_system(clock: Clock, name: str, *, limit_ms: int) -> SystemAnswer | None:
    """What ``getaddrinfo`` says of ``name``; None when it says nothing within ``limit_ms``.

    Raises ``OutOfTimeError`` when it is the run that ended.
    """
    ends_ns = clock.now_ns() + clock.limit_ms(limit_ms) * 1_000_000
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, name]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            while True:
                left_s = (ends_ns - clock.now_ns()) / 1e9
                # In slices, so that a stopped run (Ctrl-C) ends it at once.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    printed, _ = child.communicate(timeout=max(0.001, min(left_s, 0.25)))
                    return msgspec.json.decode(printed, type=SystemAnswer)
                if clock.time_left_ms() == 0:
                    raise OutOfTimeError
                if left_s <= 0:
                    return None
        except msgspec.MsgspecError:
            return SystemAnswer(text="getaddrinfo crashed")
        finally:
            child.kill()


def addresses_of(clock: Clock, host: str, *, limit_ms: int) -> tuple[tuple[str, ...], Failure | None]:
    """The addresses of ``host``: itself when it is one, else the system's. Without any, why."""
    with contextlib.suppress(ValueError):
        return (str(ipaddress.ip_address(host)),), None
    answer = ask_system(clock, host, limit_ms=limit_ms)
    failure = failure_of_lookup(answer)
    return (answer.addresses if answer is not None else ()), failure


def failure_of_lookup(answer: SystemAnswer | None) -> Failure | None:
    """How a system lookup failed, if it did. Its EAI_* number is no errno, and stands in the record beside this."""
    if answer is None:
        return Failure(op="resolve", code=FailureCode.TIMED_OUT)
    if answer.addresses:
        return None
    is_absent = answer.gai_error in _ABSENT
    code = FailureCode.NAME_NOT_FOUND if is_absent else FailureCode.UNCLASSIFIED
    return Failure(op="resolve", code=code, text=answer.text)


# The numbers differ by platform (netdb.h), and not every platform has all.
_ABSENT = frozenset(
    abs(getattr(socket, name)) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
)
