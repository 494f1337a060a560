"""``python -m benchmarks.timeline BUNDLE``: where the time of one collect went, step by step."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from netdiag.cli.analysis import open_source
from netdiag.evidence.bundle import Bundle, Step
from netdiag.evidence.record import StepId
from netdiag.evidence.source import read_source
from netdiag.evidence.trust import TrustPolicy

_WIDTH = 60


def lines(bundle: Bundle) -> list[str]:
    """One line per step in the order of its first record: begin and end in seconds, a bar, what it was."""
    spans: dict[StepId, tuple[int, int]] = {}
    for seen in bundle.observations:
        began, ended = spans.get(seen.step, (seen.began_ns, seen.ended_ns))
        spans[seen.step] = min(began, seen.began_ns), max(ended, seen.ended_ns)
    steps = {step.id: step for step in bundle.plan}
    scale = _WIDTH / max(1, bundle.duration_ns)
    found = [f"{bundle.target.host}: measured for {bundle.duration_ns / 1e9:.2f} s"]
    for step, (began, ended) in sorted(spans.items(), key=lambda item: item[1]):
        at = int(began * scale)
        bar = (" " * at + "#" * max(1, int(ended * scale) - at)).ljust(_WIDTH)
        found.append(f"{began / 1e9:6.2f} {ended / 1e9:6.2f} |{bar}| {_words(steps.get(step), step)}")
    return found


def _words(step: Step | None, name: str) -> str:
    if step is None:
        return name
    where = step.address or step.subject
    port = "" if step.port is None else f" port {step.port}"
    again = "" if step.round == 1 else f" (round {step.round})"
    return " ".join(filter(None, [step.id, step.probe, step.role, where])) + port + again


if __name__ == "__main__":
    _raw = read_source(Path(sys.argv[1]))
    print("\n".join(lines(open_source("main", _raw, TrustPolicy(), now=datetime.now(UTC)).bundle)))
