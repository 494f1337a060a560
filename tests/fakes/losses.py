"""Paced packets told as a story, and a path that loses packets by the roll of seeded dice."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import HopReply
from tests.fakes.records import CARRIER, CONTROL, CONTROL_HOST, EDGE, EXCHANGE, GATEWAY, HOST, ISP, TARGET, Story

ROUTERS = (GATEWAY, ISP, "203.0.113.33", CARRIER, EXCHANGE, EDGE)
"""The path of these stories, the target behind it at TTL 7."""

END = len(ROUTERS) + 1


def paced(
    story: Story,
    marks: Mapping[int, str],
    *,
    end: str | None = None,
    end_by: Literal["udp", "icmp"] = "icmp",
    end_rtt_ms: int = 30,
    flow: int = 1,
) -> None:
    """Packets to the routers at the TTLs of ``marks`` and to the end: ``!`` answered, ``.`` silence."""
    step = story.step("paced", "target", HOST, TARGET)
    for ttl, text in sorted(marks.items()):
        for mark in text:
            error = Icmp(type=11, code=0, sender=ROUTERS[ttl - 1])
            said: dict[str, Any] = {"answer": "icmp", "replier": ROUTERS[ttl - 1], "icmp": error, "rtt_us": ttl * 4000}
            _add(story, step, TARGET, mark, said, ttl=ttl, protocol="udp", port=33434, flow=flow)
    for mark in end or "":
        said = {"answer": "echo_reply", "replier": TARGET, "rtt_us": end_rtt_ms * 1000}
        if end_by == "udp":
            said |= {"answer": "icmp", "icmp": Icmp(type=3, code=3, sender=TARGET)}
        _add(story, step, TARGET, mark, said, ttl=END, protocol=end_by, port=33434 if end_by == "udp" else 0, flow=flow)


def control_syns(story: Story, marks: str) -> None:
    """SYNs to a control, one a second."""
    step = story.step("paced", "control", CONTROL_HOST, CONTROL, 443)
    for flow, mark in enumerate(marks):
        said = {"answer": "syn_ack", "replier": CONTROL, "rtt_us": 20_000}
        _add(story, step, CONTROL, mark, said, ttl=64, protocol="tcp", port=443, flow=flow)


def _add(story: Story, step: Any, address: str, mark: str, said: dict[str, Any], **fields: Any) -> None:
    said = said if mark == "!" else {"answer": "none"}
    story.add(HopReply, step, ms=20 if mark == "!" else 1500, address=address, **fields, **said)


@dataclass
class Limiter:
    """A token bucket: ``rate`` answers a second, ``burst`` saved up (icmp(7), icmp_ratelimit; RFC 4443 2.4 f)."""

    rate: float
    burst: float = 1
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def answers(self, at: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (at - self.at) * self.rate)
        self.at = at
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Line:
    """A path whose packets beyond hop ``lossy_from`` - 1 get lost with probability ``share``, each on its own; and
    routers, by TTL, that limit their answers (``END``: the target). None: nothing is lost."""

    dice: random.Random
    lossy_from: int | None = None
    share: float = 0.0
    limiters: Mapping[int, Limiter] = field(default_factory=dict)
    hops: int = len(ROUTERS)

    def passes(self, ttl: int) -> bool:
        return self.lossy_from is None or ttl < self.lossy_from or self.dice.random() >= self.share

    def marks(self, ttl: int, rounds: int, *, limited: bool = True) -> str:
        """What so many packets to ``ttl``, one a second with the jitter of a busy machine, meet."""
        limiter = self.limiters.get(ttl) if limited else None
        found = ""
        for second in range(rounds):
            came = self.passes(ttl)
            allowed = limiter is None or limiter.answers(second + self.dice.uniform(0.0, 0.05))
            found += "!" if came and allowed else "."
        return found

    def tell(self, story: Story, *, rounds: int = 12, end_by: Literal["udp", "icmp"] = "icmp") -> None:
        """The paced packets of a whole run, as the probe sends them."""
        paced(
            story,
            {ttl: self.marks(ttl, rounds) for ttl in range(1, self.hops + 1)},
            end=self.marks(END, rounds, limited=end_by == "udp"),
            end_by=end_by,
        )

    def connects(self, story: Story, count: int = 5) -> None:
        """TCP to the target: SYNs that come through at once or when they are sent again."""
        for _ in range(count):
            tries = 1
            while not self.passes(END) and tries < 4:
                tries += 1
            story.connect(TARGET, syns=tries)


def clean(ttls: Sequence[int] = tuple(range(1, END)), rounds: int = 12) -> dict[int, str]:
    """Every packet answered."""
    return dict.fromkeys(ttls, "!" * rounds)
