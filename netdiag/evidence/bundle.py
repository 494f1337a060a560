"""The bundle: what was asked, what was planned, what was seen. And its one canonical encoding."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from netdiag.evidence.observation import Observation
from netdiag.evidence.record import ObsId, Port, StepId, Struct, UInt

FORMAT = "netdiag/bundle/1"

Role = Literal["machine", "gateway", "resolver", "target", "control", "proxy"]
"""Whom a step measures. ``control`` is a host that is not the vendor's and should work."""


class Target(Struct, frozen=True, kw_only=True):
    """What the customer cannot reach. ``path`` without query values; ``private`` says that neither outside resolvers
    nor outside controls may learn of it (design.md, Private names)."""

    scheme: Literal["http", "https"]
    host: str
    port: Port
    path: str = "/"
    is_literal: bool = False
    private: bool = False

    @property
    def url(self) -> str:
        """The URL as a person would write it, and as it is requested: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{host}{'' if usual else f':{self.port}'}{self.path}"


class Via(Struct, frozen=True, kw_only=True):
    """A second way out of the customer's machine: a network interface by its name, a local address, or a proxy by
    ``host:port`` (never its user info)."""

    kind: Literal["interface", "source", "proxy"]
    name: str


class Reference(Struct, frozen=True, kw_only=True):
    """Another bundle: its run, the hex SHA-256 of its container, and when it was made."""

    run_id: str
    sha256: str
    began_at: Annotated[datetime, msgspec.Meta(tz=True)]


class Step(Struct, frozen=True, kw_only=True):
    """One thing that the plan means to do. ``id`` is unique; equal work is one step.

    ``subject`` names the host under ``role`` (a control's name, a resolver's address); ``address``, ``port``,
    ``family`` narrow it. ``round`` counts repetitions for persistence: 1 is the first, 2 the recheck at the end.
    ``proxy`` is ``host:port`` when the step goes through it. ``caused_by`` is the observation that made the planner
    add it (the lookup that yielded the address). ``via``: by a second way, and not by the one that the machine takes
    by itself (None). ``params`` are probe-specific words.
    """

    id: StepId
    probe: str
    role: Role
    subject: str = ""
    address: str | None = None
    port: Port | None = None
    proxy: str | None = None
    round: UInt = 1
    caused_by: ObsId | None = None
    via: Via | None = None
    params: Mapping[str, str] = msgspec.field(default_factory=dict)


class Options(Struct, frozen=True, kw_only=True):
    """The flags that the customer gave, as far as they change what is measured. ``via``: the second ways, each as its
    kind and name; ``watch_s``: for how long after the run to watch whether it recovers."""

    deep: bool = False
    slow: bool = False
    rate_limit: bool = False
    capture: bool = False
    via: tuple[str, ...] = ()
    user_agent: str | None = None
    budget_s: UInt = 60
    watch_s: UInt = 0


class ProfileUse(Struct, frozen=True, kw_only=True):
    """The vendor profile that guided this run: its SHA-256 (hex of the file's bytes) and the vendor's name."""

    sha256: str
    vendor: str | None = None


class Bundle(Struct, frozen=True, kw_only=True):
    """Everything one ``collect`` saw. ``began_at`` is the wall clock, read once; all else is monotonic from there.
    ``rechecks``: the bundle whose failures this run repeated, and nothing else."""

    format: Literal["netdiag/bundle/1"] = "netdiag/bundle/1"
    run_id: str
    began_at: Annotated[datetime, msgspec.Meta(tz=True)]
    duration_ns: UInt
    tool: str
    target: Target
    options: Options
    ticket: str | None = None
    profile: ProfileUse | None = None
    interrupted: Literal["signal", "budget"] | None = None
    rechecks: Reference | None = None
    probe_versions: Mapping[str, UInt]
    plan: tuple[Step, ...]
    observations: tuple[Observation, ...]
    removed: tuple[str, ...] = ()


_ENCODER = msgspec.json.Encoder(order="sorted")
_BY_LINE = frozenset({"plan", "observations"})


def encode(bundle: Bundle) -> bytes:
    """The canonical bytes of ``bundle``: JSON, one field, step or observation on a line, keys in order.

    By line, since people open the file, and git can diff the corpus. ``format`` comes first and is always written, as
    it is read first, although defaults are left out elsewhere.
    """
    return by_line({"format": bundle.format, **msgspec.to_builtins(bundle, order="sorted")})


def by_line(fields: Mapping[str, object]) -> bytes:
    """The canonical form of the top level of evidence.json."""
    return b"{\n" + b",\n".join(_field(name, value) for name, value in fields.items()) + b"\n}\n"


def _field(name: str, value: object) -> bytes:
    key = _ENCODER.encode(name) + b":"
    if name in _BY_LINE and isinstance(value, list | tuple) and value:
        return key + b"[\n" + b",\n".join(map(_ENCODER.encode, value)) + b"\n]"
    return key + _ENCODER.encode(value)
