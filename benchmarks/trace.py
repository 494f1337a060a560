"""netdiag trace beside traceroute, mtr, scamper, tracepath, and the traceroutes of icmplib and scapy."""

import contextlib
import json
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

from benchmarks import traffic
from benchmarks.bars import Bar, number
from benchmarks.kit import refused
from benchmarks.measure import in_lab
from tests.netns.lab import ROOT, Lab

NETWORK = "distant"
HEALTHY = "healthy"
SCENARIOS = (HEALTHY, "transit-black-hole-isp", "host-blocked-drop", "none-stars-mid-path")

OVER_FASTEST_MS, OVER_ROUND_TRIPS_MS, DEAD_SECONDS = 300.0, 30.0, 4.0

ROUND_TRIPS = {"udp": 1, "raw udp": 1, "tcp": 2, "raw tcp": 2}
"""What each walk may take. Over TCP two, raw as well: UDP first shows how far SYNs may go, so that no more than two of
them reach the host (design.md, Manners)."""

_PAUSE_S = 6.0
"""Before each tool: what a router of the lab (Linux) answers at once is six ICMP errors, then one a second, and no tool
must pay for the one before it."""

_SHARES = 2
"""Labs that share the tools of one user on one path, each its part: alone one would take six minutes for them."""

_LIBRARY = str(ROOT / "benchmarks" / "trace_library.py")
_NETDIAG = (sys.executable, "-m", "netdiag", "trace", "--flows", "1")
_HOP = re.compile(r"^\s*(\d+)\W.*?\b\d{1,3}(?:\.\d{1,3}){3}\b")
"""A line of any of these tools: the TTL, and the address of who answered."""


class Tool(NamedTuple):
    """One way to walk a path. ``mine``: netdiag's."""

    name: str
    argv: tuple[str, ...]
    mine: bool = False


class Walked(NamedTuple):
    """One tool on one path. ``library_ms``: what the call alone took, where the tool is a library's."""

    scenario: str
    ordinary: bool
    tool: Tool
    seconds: float
    hops: int
    packets: int
    peak_mb: float
    refused: bool
    library_ms: float | None = None


class Paths(NamedTuple):
    """All walks, and the round trip time of the healthy path by ping(8)."""

    walks: list[Walked]
    rtt_ms: float


class _Place(NamedTuple):
    """One lab, and the user whose tools run in it."""

    lab: Lab
    ordinary: bool


def tools(address: str, port: str) -> tuple[Tool, ...]:
    """Every tool against one address; the service's port over TCP, what the tool takes by itself over UDP."""
    library = (sys.executable, _LIBRARY)
    return (
        Tool("netdiag trace", (*_NETDIAG, f"{address}:{port}"), mine=True),
        Tool("netdiag trace --protocol udp", (*_NETDIAG, "--protocol", "udp", address), mine=True),
        Tool("netdiag trace --raw", (*_NETDIAG, "--raw", f"{address}:{port}"), mine=True),
        Tool("netdiag, library, tcp", (*library, "netdiag-tcp", address, port), mine=True),
        Tool("netdiag, library, udp", (*library, "netdiag-udp", address, port), mine=True),
        Tool("netdiag, library, raw tcp", (*library, "netdiag-raw-tcp", address, port), mine=True),
        Tool("netdiag, library, raw udp", (*library, "netdiag-raw-udp", address, port), mine=True),
        Tool("traceroute -T", ("traceroute", "-T", "-n", "-p", port, address)),
        Tool("traceroute -U", ("traceroute", "-U", "-n", address)),
        Tool("mtr --tcp", ("mtr", "--tcp", "-P", port, "-r", "-n", "-c", "1", address)),
        Tool("mtr --udp", ("mtr", "--udp", "-r", "-n", "-c", "1", address)),
        Tool("scamper tcp-ack", ("scamper", "-I", f"trace -P tcp-ack -d {port} {address}")),
        Tool("scamper udp-paris", ("scamper", "-I", f"trace -P udp-paris {address}")),
        Tool("tracepath", ("tracepath", "-n", address)),
        Tool("icmplib traceroute", (*library, "icmplib", address, port)),
        Tool("scapy traceroute", (*library, "scapy", address, port)),
    )


def run(scenarios: Sequence[str]) -> Paths:
    """Every tool on every path, as root and as an ordinary user. In a lab nothing runs beside a tool.

    On the healthy path, which is timed to the millisecond, one tool runs alone on the machine: one user's in the pauses
    of the other's. Those on the other paths wait for silence: they run side by side, in labs that share them.
    """
    healthy, *others = scenarios
    with contextlib.ExitStack() as stack:
        alone = [_up(stack, healthy, ordinary) for ordinary in (True, False)]
        rtt_ms = _ping(alone[0].lab)
        walks = _walk_in_turns(alone, slice(None))
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(max(1, 2 * _SHARES * len(others))) as pool:
        asked = [
            ([_up(stack, name, ordinary)], slice(share, None, _SHARES))
            for name in others
            for ordinary in (True, False)
            for share in range(_SHARES)
        ]
        running = [pool.submit(_walk_in_turns, *one) for one in asked]
        for one in running:
            walks += one.result()
    return Paths(walks, rtt_ms)


def _up(stack: contextlib.ExitStack, scenario: str, ordinary: bool) -> _Place:
    place = _Place(stack.enter_context(Lab.load(scenario, network=NETWORK)), ordinary)
    traffic.install(place.lab)
    return place


def _ping(lab: Lab) -> float:
    """The median of ten, after two that wake every router's neighbour tables."""
    address = lab.values["vendor4"]
    in_lab(lab, "customer", ["ping", "-c", "2", address], ordinary=False)
    said = in_lab(lab, "customer", ["ping", "-c", "10", "-i", "0.2", address], ordinary=False).out
    times = sorted(float(found) for found in re.findall(r"time=([\d.]+)", said))
    return times[len(times) // 2]


def _walk_in_turns(places: Sequence[_Place], share: slice) -> list[Walked]:
    """This share of the tools in each of the labs, never two at once; by user, as the tables have them."""
    found: dict[_Place, list[Walked]] = {place: [] for place in places}
    quiet_since = dict.fromkeys(places, time.monotonic())
    address, port = places[0].lab.values["vendor4"], places[0].lab.values["vendor_port"]
    for tool in tools(address, port)[share]:
        for place in places:
            lab = place.lab
            time.sleep(max(0.0, quiet_since[place] + _PAUSE_S - time.monotonic()))
            one = _walk(lab, tool, ordinary=place.ordinary)
            quiet_since[place] = time.monotonic()
            found[place].append(one)
            told = f"{number(one.seconds)} s, {one.hops} hops"
            print(f"trace    {lab.name}, {_user(one)}, {tool.name}: {told}", file=sys.stderr, flush=True)
    return [one for place in places for one in found[place]]


def _walk(lab: Lab, tool: Tool, *, ordinary: bool) -> Walked:
    before = traffic.read(lab)
    took = in_lab(lab, "customer", tool.argv, ordinary=ordinary)
    call = re.search(r"^library (\{.*\})$", took.out, re.MULTILINE)
    said = {} if call is None else json.loads(call[1])
    hops = hops_in(took.out)
    return Walked(
        scenario=lab.name,
        ordinary=ordinary,
        tool=tool,
        seconds=took.seconds,
        hops=len(hops),
        packets=traffic.read(lab).since(before).sent,
        peak_mb=took.peak_mb,
        refused=not hops and (refused(took.exit, took.out + took.err) or took.exit != 0 or tool.mine),
        library_ms=said.get("ms"),
    )


def hops_in(said: str) -> set[int]:
    """The TTLs at which somebody answered, in the words of any of these tools."""
    return {int(line[1]) for line in map(_HOP.match, said.splitlines()) if line is not None}


def bars(paths: Paths) -> list[Bar]:
    """What issue and README promise of trace, each judged on its worst."""
    found = []
    for ordinary in (True, False):
        user = "ordinary user" if ordinary else "root"
        here = [one for one in paths.walks if one.ordinary is ordinary and not one.refused]
        if not here:
            continue
        healthy = [one for one in here if one.scenario == HEALTHY]
        mine = [one.seconds for one in healthy if one.tool.name == "netdiag trace"]
        others = [one.seconds for one in healthy if not one.tool.mine]
        if mine and others:
            over = (max(mine) - min(others)) * 1000
            found.append(Bar(f"trace, healthy path, over the fastest, {user}", over, OVER_FASTEST_MS, "ms", "bar"))
        found += _library_bars(healthy, paths.rtt_ms, user)
        dead = [one.seconds for one in here if one.tool.name == "netdiag trace" and one.scenario != HEALTHY]
        if dead:
            found.append(Bar(f"trace, worst dead path, whole process, {user}", max(dead), DEAD_SECONDS, "s", "bar"))
        missed = [_behind(here, scenario) for scenario in dict.fromkeys(one.scenario for one in here)]
        found.append(Bar(f"hops of the best tool that trace did not see, {user}", max(missed), 0, "hops", "bar"))
    return found


def _library_bars(healthy: Sequence[Walked], rtt_ms: float, user: str) -> list[Bar]:
    found = []
    for kind, round_trips in ROUND_TRIPS.items():
        times = [one.library_ms for one in healthy if one.tool.name == f"netdiag, library, {kind}"]
        for took in filter(None, times):
            limit = OVER_ROUND_TRIPS_MS
            name = f"trace, library call, {kind}, over {round_trips} round trip(s), {user}"
            found.append(Bar(name, max(0.0, took - round_trips * rtt_ms), limit, "ms", "bar"))
    return found


def _behind(here: Sequence[Walked], scenario: str) -> int:
    walks = [one for one in here if one.scenario == scenario]
    mine = max((one.hops for one in walks if one.tool.name == "netdiag trace"), default=0)
    return max(0, max((one.hops for one in walks if not one.tool.mine), default=0) - mine)


def table(paths: Paths, column: Literal["seconds", "hops", "packets", "peak_mb"]) -> str:
    """One figure of every tool on every path, in Markdown."""
    places = list(dict.fromkeys((one.scenario, one.ordinary) for one in paths.walks))
    names = list(dict.fromkeys(one.tool.name for one in paths.walks))
    cells = {(one.tool.name, one.scenario, one.ordinary): one for one in paths.walks}
    heads = [f"{scenario}, {'ordinary user' if ordinary else 'root'}" for scenario, ordinary in places]
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "--:|" * len(places)]
    for name in names:
        row = [_cell(cells[name, *place], column) for place in places]
        lines.append(f"| {name} | {' | '.join(row)} |")
    return "\n".join(lines)


def _cell(one: Walked, column: Literal["seconds", "hops", "packets", "peak_mb"]) -> str:
    if one.refused:
        return "refused"
    value = getattr(one, column)
    return str(value) if column in {"hops", "packets"} else number(value)


def library_words(paths: Paths) -> str:
    """What the library calls took on the healthy path, beside the round trip."""
    walks = [one for one in paths.walks if one.scenario == HEALTHY and not one.refused]
    calls = [one for one in walks if one.library_ms is not None]
    said = "; ".join(f"{one.tool.name}, {_user(one)}: {number(one.library_ms or 0)} ms" for one in calls)
    told = "The call alone, without start-up and imports (and, of netdiag's raw walks, without `prepare`)"
    return f"Round trip by ping: {number(paths.rtt_ms)} ms. {told}: {said}."


def _user(one: Walked) -> str:
    return "ordinary user" if one.ordinary else "root"
