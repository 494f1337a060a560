"""The records of one bundle, joined to their steps and sorted by kind: what every derivation reads."""

from collections.abc import Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar, cast

from netdiag.evidence.bundle import Bundle, Step
from netdiag.evidence.record import Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply, TcpInfo
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Witness

R = TypeVar("R", bound=Observed)

_SILENCE_FLOOR_NS = 1_000_000_000  # design.md, Records: silence is claimed only after max(1 s, 4 x the largest RTT)

WATCH = "watch"
"""The probe that looks, after the run, whether what failed has recovered."""

_SYN_REPETITION_US = 1_000_000
"""A round trip of TCP that took longer may have been that of a repetition (RFC 6298 section 2.1)."""


class Entry(NamedTuple, Generic[R]):
    """A record and the plan's step that caused it."""

    record: R
    step: Step


class VendorProfile(Protocol):
    """What facts need of a vendor profile: its ``[network] prefixes``."""

    @property
    def prefixes(self) -> tuple[str, ...]: ...


class Book:
    """One bundle, opened. Records whose step the plan does not hold are left out: nobody knows whom they measured.

    ``of`` tells of the run on the machine's own way. What a second way met, and what was watched after the run, are
    other stories, told apart (``apart``): mixed in, an address that works there, or later, would work here."""

    def __init__(self, bundle: Bundle, name: str, profile: VendorProfile | None) -> None:
        self.bundle = bundle
        self.name = name
        self.prefixes = () if profile is None else tuple(profile.prefixes)
        steps = {step.id: step for step in bundle.plan}
        self._kinds: dict[type, list[Entry[Observed]]] = {}
        self._apart: list[Entry[Observed]] = []
        for record in bundle.observations:
            step = steps.get(record.step)
            if step is not None and _is_apart(step):
                self._apart.append(Entry(record, step))
            elif step is not None:
                self._kinds.setdefault(type(record), []).append(Entry(record, step))
        self.silence_ns = max(_SILENCE_FLOOR_NS, 4000 * max(self._round_trips_us(), default=0))

    def of(self, kind: type[R]) -> list[Entry[R]]:
        """All records of one kind, in the order of the bundle."""
        return cast("list[Entry[R]]", self._kinds.get(kind, []))

    def apart(self, kind: type[R]) -> list[Entry[R]]:
        """Records of one kind by a second way, or of the time after the run."""
        return [cast("Entry[R]", entry) for entry in self._apart if isinstance(entry.record, kind)]

    def witnesses(self, records: Iterable[Observed]) -> tuple[Witness, ...]:
        """The names of ``records``, each once, in order."""
        return tuple(dict.fromkeys(f"{self.name}:{record.id}" for record in records))

    def waited(self, record: Observed) -> bool:
        """Whether the probe waited long enough for its silence to mean something."""
        return record.ended_ns - record.began_ns >= self.silence_ns

    def _round_trips_us(self) -> Iterable[int]:
        for reply in self.of(HopReply):
            took = reply.record.rtt_us or 0
            yield min(took, _SYN_REPETITION_US) if reply.record.answer == "syn_ack" else took
        for echo in self.of(Echo):
            yield echo.record.rtt_us or 0
        for kind in (Connect, Handshake, Exchange):
            for entry in self.of(kind):
                info: TcpInfo | None = getattr(entry.record, "tcp", None)
                yield min(info.rtt_us, _SYN_REPETITION_US) if info is not None else 0


def _is_apart(step: Step) -> bool:
    return step.via is not None or step.probe == WATCH


def is_direct(step: Step) -> bool:
    """A step without a proxy: only these speak of addresses and paths."""
    return step.proxy is None
