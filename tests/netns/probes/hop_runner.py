"""Sends TTL-limited packets inside a node of the lab and prints what they met.

``python -m tests.netns.probes.hop_runner PROBES``: a JSON list of ``HopProbe`` without stamps.
"""

import json
import sys

import msgspec

from netdiag.evidence.record import NotRun, ObsId, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel.hops import Due, hops

_BUDGET_S, _LIMIT_MS = 30.0, 1000


def main(argv: list[str]) -> int:
    """All at once; what they met, ordered as they were asked, as JSON."""
    probes = []
    for number, plain in enumerate(json.loads(argv[0]), start=1):
        stamp = Stamp(id=ObsId(f"o{number}"), step=StepId("hops"), role="control")
        probes.append(msgspec.convert({"stamp": stamp, "flow": 1, **plain}, HopProbe))
    order = {probe.stamp.id: number for number, probe in enumerate(probes)}
    found: list[HopReply | NotRun] = list(
        hops(Clock(_BUDGET_S), [Due(0, probe) for probe in probes], limit_ms=_LIMIT_MS)
    )
    sys.stdout.buffer.write(msgspec.json.encode(sorted(found, key=lambda one: order[one.id])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
