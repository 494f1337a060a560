"""One library's traceroute as a program: ``trace_library.py WHICH ADDRESS PORT`` prints hops, and the call's time."""

import json
import sys
import time
from collections.abc import Callable

Call = Callable[[], dict[int, str]]
"""Walks, and says who answered at which TTL."""


def _netdiag(kind: str, address: str, port: int) -> Call:
    from netdiag.evidence.transport import HopReply  # noqa: PLC0415  # what is imported is not what is timed
    from netdiag.probes.trace import TraceRequest, prepare, trace  # noqa: PLC0415

    request = TraceRequest(
        host=address,
        address=address,
        port=port,
        flows=1,
        raw=kind.startswith("raw-"),
        protocol="udp" if kind.endswith("udp") else "tcp",
    )
    prepare(request)

    def call() -> dict[int, str]:
        replies = [one for one in trace(request).observations if isinstance(one, HopReply) and one.replier]
        end = min((one.ttl for one in replies if one.replier == address), default=99)
        return {one.ttl: one.replier for one in replies if one.ttl <= end and one.replier is not None}

    return call


def _icmplib(address: str, _: int) -> Call:
    from icmplib import traceroute  # noqa: PLC0415

    return lambda: {hop.distance: hop.address for hop in traceroute(address)}


def _scapy(address: str, port: int) -> Call:
    from scapy.layers.inet import traceroute  # noqa: PLC0415

    def call() -> dict[int, str]:
        answered, _ = traceroute([address], dport=port, maxttl=30, verbose=0)  # type: ignore[no-untyped-call]
        end = min((sent.ttl for sent, got in answered if got.src == address), default=99)
        return {sent.ttl: got.src for sent, got in answered if sent.ttl <= end}

    return call


def main(which: str, address: str, port: int) -> int:
    """Walk once, print."""
    if which.startswith("netdiag-"):
        call = _netdiag(which.removeprefix("netdiag-"), address, port)
    else:
        call = {"icmplib": _icmplib, "scapy": _scapy}[which](address, port)
    began = time.perf_counter()
    hops = call()
    took = (time.perf_counter() - began) * 1000
    for ttl in sorted(hops):
        print(f"{ttl}  {hops[ttl]}")
    print(f"library {json.dumps({'ms': took})}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
