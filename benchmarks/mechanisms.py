"""How long netdiag takes to name what refuses a customer, class by class, and what the vendor gets for it."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

from benchmarks.bars import Bar, number
from benchmarks.measure import here
from benchmarks.race import collect
from netdiag.cli.analysis import open_source
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.trust import TrustPolicy
from netdiag.evidence.web import Exchange
from netdiag.probes import manners
from tests.netns.lab import Lab
from tests.netns.sniffer import ACK, SYN, Packet, sniffing

WINDOW_S = manners.SYN_WINDOW_NS / 1e9

_SILENCE_SECONDS, _REFUSAL_SECONDS, _TARPIT_SECONDS = 8.0, 3.0, 5.0
"""The goals: 8 s for what only waiting shows, 3 s for what is answered; for 5 s the lab's tarpit holds its answer."""

_BEFORE_THE_VENDOR = "vendor-firewall"
_STANDS = {"settled", "likely", "possible"}
_AT_ONCE = 3


class Case(NamedTuple):
    """One scenario of a class. ``named``: the words in which a report names this mechanism, a regular expression.
    ``is_busy``: another client of the customer's goes on beside the run, so that what the vendor gets is not the run's
    alone."""

    scenario: str
    named: str
    is_busy: bool = False


class Class(NamedTuple):
    """Mechanisms that refuse alike, and the time within which one of them is to be named."""

    name: str
    goal_seconds: float
    cases: tuple[Case, ...]
    waits: bool = False
    """Nearly all of its time is waiting: such runs may go side by side."""


_DROPPED = r"[Cc]onnections (?:from this address )?to \S+ on port \d+ (get no answer)"
_RESET = r"refused with a TCP reset"
_ICMP = r"ICMP(?:v6)? \d+/\d+(?: \([^)]*\))?"
_SILENT = r"accepts the connection, acknowledges the .+?, and answers nothing"
_CLOSED = r"accepts the connection(?: and (?:closes|resets) it|, which is then reset) after the [\w ]+"
_ALERT = r"ends the TLS handshake with alert \d+ \([^)]*\)"


def _page(status: int, words: str = "") -> str:
    return rf"answers HTTP {status}(?: \([^)]*\))?{words}"


CLASSES = (
    Class(
        "dropped",
        _SILENCE_SECONDS,
        (
            Case("host-blocked-drop", _DROPPED),
            Case("host-blocked-drop-service-only", _DROPPED),
            Case("host-limit-nft-meter-drop", _DROPPED),
        ),
        waits=True,
    ),
    Class(
        "refused by RST",
        _REFUSAL_SECONDS,
        (Case("host-blocked-reject-tcp-reset", _RESET), Case("host-limit-connlimit-reset", _RESET)),
    ),
    Class(
        "refused by ICMP",
        _REFUSAL_SECONDS,
        (
            Case("host-blocked-fail2ban", _ICMP),
            Case("host-blocked-firewalld-zone", _ICMP),
            Case("host-limit-ufw", _ICMP, is_busy=True),
            Case("host-blocked-reject-at-border", _ICMP),
        ),
    ),
    Class("accepted, then silent", _SILENCE_SECONDS, (Case("host-accept-silent", _SILENT),), waits=True),
    Class(
        "accepted, then closed or reset",
        _REFUSAL_SECONDS,
        (
            Case("host-blocked-nginx-444", _CLOSED),
            Case("host-accept-reset", _CLOSED),
            Case("host-blocked-close-on-accept", _CLOSED),
        ),
    ),
    Class(
        "refused by TLS",
        _REFUSAL_SECONDS,
        (Case("host-tls-handshake-failure", _ALERT), Case("host-tls-name-refused", _ALERT)),
    ),
    Class(
        "refused by HTTP",
        _REFUSAL_SECONDS,
        (
            Case("host-blocked-http-403", _page(403)),
            Case("host-limit-mod-evasive", _page(403), is_busy=True),
            Case("host-block-cloudflare-rule", _page(403, ", number 1020")),
            Case("host-block-challenge", _page(429, ": a challenge")),
            Case("host-rate-limit-429", _page(429)),
            Case("host-rate-limit-503", _page(503)),
        ),
    ),
    Class(
        "held up by an HTTP tarpit",
        _TARPIT_SECONDS + _REFUSAL_SECONDS,
        (Case("host-blocked-haproxy-tarpit", r"answers HTTP 500 .*?, (as its tarpit does)"),),
        waits=True,
    ),
)


class Met(NamedTuple):
    """What of one run reached the vendor's side, whether a rule then dropped it or not."""

    packets: int
    syns: int
    most_where_accepted: int
    """SYNs in any 30 s to one address and port that accepted one of them."""
    most_where_none_accepted: int
    requests: int


class Said(NamedTuple):
    """What one report says. ``mechanism``: its own words, None where none of them names it. ``seen_seconds``: how long
    the run had measured when the last record that this sentence cites was complete."""

    verdict: str
    has_code: bool
    mechanism: str | None
    seen_seconds: float | None


class Named(NamedTuple):
    """One run. ``seconds``: the processes collect and analyze, one after the other. ``met`` is None for a busy case."""

    of: Class
    case: Case
    network: str
    seconds: float
    said: Said
    met: Met | None


def run(networks: Sequence[str], *, times: int, quick: bool = False) -> list[Named]:
    """Every case on every network, in a lab of its own each time: a limit that was tripped before the run must be so
    again. Nothing runs beside those that do not merely wait. ``quick``: one case of each class."""
    asked = [
        (of, case, network)
        for of in CLASSES
        for case in (of.cases[:1] if quick else of.cases)
        for network in networks
        for _ in range(times)
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waited = list(pool.map(_name, [one for one in asked if one[0].waits]))
    alone = [_name(one) for one in asked if not one[0].waits]
    return sorted(waited + alone, key=lambda one: CLASSES.index(one.of))


def _name(asked: tuple[Class, Case, str]) -> Named:
    of, case, network = asked
    with Lab.load(case.scenario, network=network) as lab:
        with sniffing(lab, _BEFORE_THE_VENDOR) as seen:
            collected, path = collect(lab)
        analyzed = here([sys.executable, "-m", "netdiag", "analyze", str(path), "--format", "json"])
        bundle = open_source("main", path.read_bytes(), TrustPolicy(), now=datetime.now(UTC)).bundle
        vendor = {lab.values[key] for key in lab.values if re.fullmatch(r"vendor(_second)?[46]", key)}
    if analyzed.exit != 0:
        raise RuntimeError(f"analyze on {case.scenario}, {network} exited {analyzed.exit}: {analyzed.err.strip()}")
    said = read(json.loads(analyzed.out), bundle, case)
    seconds = collected.seconds + analyzed.seconds
    words = f"{number(seconds)} s, {said.mechanism or 'not named'}"
    print(f"named    {case.scenario}, {network}: {words}", file=sys.stderr, flush=True)
    got = None if case.is_busy else met(seen[_BEFORE_THE_VENDOR], vendor, bundle)
    return Named(of, case, network, seconds, said, got)


def read(report: dict[str, Any], bundle: Bundle, case: Case) -> Said:
    """What a report (``netdiag analyze --format json``) says of the mechanism: in a sentence of a fault that stands."""
    standing = {one["because"] for one in report["hypotheses"] if one["standing"] in _STANDS}
    verdict = report["verdict"]
    words = " ".join(filter(None, (verdict["side"], verdict["certainty"], verdict["fault"])))
    for one in report["evidence"]:
        found = re.search(case.named, one["says"]) if one["says"] in standing else None
        if found is not None:
            mechanism = found[found.lastindex or 0]
            return Said(words, verdict["fault"] is not None, mechanism, _complete(bundle, one["observations"]))
    return Said(words, verdict["fault"] is not None, None, None)


def _complete(bundle: Bundle, witnesses: Iterable[str]) -> float:
    cited = {witness.removeprefix("main:") for witness in witnesses}
    return max((one.ended_ns for one in bundle.observations if one.id in cited), default=0) / 1e9


def met(packets: Iterable[Packet], vendor: set[str], bundle: Bundle) -> Met:
    """Counted one hop before the vendor's machine, where a TTL of 1 ends. Requests are those that the bundle records:
    under TLS nothing else sees them, and what refuses them need not write a log."""
    arrived = [one for one in packets if one.ttl > 1]
    endpoints: dict[tuple[str, int], list[float]] = {}
    for one in arrived:
        if one.is_syn and one.target in vendor:
            endpoints.setdefault((one.target, one.port), []).append(one.at)
    accepting = {(one.source, one.source_port) for one in arrived if one.flags & (SYN | ACK) == SYN | ACK}
    most = {endpoint: _most_within(times, WINDOW_S) for endpoint, times in endpoints.items()}
    target = {step.id for step in bundle.plan if step.role == "target"}
    return Met(
        packets=sum(one.target in vendor for one in arrived),
        syns=sum(map(len, endpoints.values())),
        most_where_accepted=max((syns for endpoint, syns in most.items() if endpoint in accepting), default=0),
        most_where_none_accepted=max((syns for endpoint, syns in most.items() if endpoint not in accepting), default=0),
        requests=sum(isinstance(one, Exchange) and one.step in target for one in bundle.observations),
    )


def _most_within(times: Sequence[float], window_s: float) -> int:
    return max(sum(begin <= at < begin + window_s for at in times) for begin in times)


def bars(runs: Sequence[Named]) -> list[Bar]:
    """The issue's goals, judged on the slowest run of each class; and what the vendor may get, on any machine."""
    if not runs:
        return []
    found = []
    for of in dict.fromkeys(one.of for one in runs):
        named = [one.seconds for one in runs if one.of == of and one.said.mechanism is not None]
        if named:
            found.append(Bar(f"mechanism named, {of.name}", max(named), of.goal_seconds, "s", "goal"))
    unnamed = sum(one.said.mechanism is None for one in runs)
    what = f"of {len(runs)} runs under a block, reports that do not name its mechanism"
    return [*found, Bar(what, unnamed, 0, "", "bar"), *_bars_of_traffic([one.met for one in runs if one.met])]


def _bars_of_traffic(counted: Sequence[Met]) -> list[Bar]:
    if not counted:
        return []
    accepted = max(one.most_where_accepted for one in counted)
    none_accepted = max(one.most_where_none_accepted for one in counted)
    requests = max(one.requests for one in counted)
    within = f"{WINDOW_S:.0f} s, under a block"
    return [
        Bar(f"SYNs to an address and port that accepts, in {within}", accepted, manners.SYNS, "", "bar"),
        Bar(f"SYNs to one that accepts none, in {within}", none_accepted, manners.SYNS_IF_NONE_ACCEPTED, "", "bar"),
        Bar("requests in a run, under a block", requests, manners.REQUESTS, "", "bar"),
    ]


def words(runs: Sequence[Named]) -> str:
    """How often a report names the mechanism, and no fault for it."""
    without = [one for one in runs if not one.said.has_code]
    names = ", ".join(dict.fromkeys(one.case.scenario for one in without))
    unnamed = sum(one.said.mechanism is None for one in runs)
    told = f"In {unnamed} of {len(runs)} runs the report does not name the mechanism."
    if without:
        told += f" In {len(without)} the verdict has no fault code, since one line alone does not decide it: {names}."
    return told


def times_table(runs: Sequence[Named]) -> str:
    """How long, and in which words, in Markdown: one row per scenario and network, with its slowest run."""
    lines = [
        "| class | scenario | network | named, s | seen, s | mechanism, in the report's words | verdict |",
        "|---|---|---|--:|--:|---|---|",
    ]
    for group in _groups(runs):
        slowest = max(group, key=lambda one: one.seconds)
        seen = slowest.said.seen_seconds
        cells = [
            slowest.of.name,
            slowest.case.scenario,
            slowest.network,
            number(slowest.seconds),
            "" if seen is None else number(seen),
            " / ".join(dict.fromkeys(one.said.mechanism or "**not named**" for one in group)),
            " / ".join(dict.fromkeys(one.said.verdict for one in group)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def met_table(runs: Sequence[Named]) -> str:
    """What the vendor got, in Markdown: the highest of each in any run of a row; "most" is in any 30 s."""
    lines = [
        "| scenario | network | packets | SYNs | most to a port that accepts | to one that accepts none | requests |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for group in _groups([one for one in runs if one.met is not None]):
        most = [str(max(column)) for column in zip(*(one.met for one in group if one.met), strict=True)]
        lines.append(f"| {group[0].case.scenario} | {group[0].network} | {' | '.join(most)} |")
    return "\n".join(lines)


def _groups(runs: Sequence[Named]) -> list[list[Named]]:
    found: dict[tuple[str, str], list[Named]] = {}
    for one in runs:
        found.setdefault((one.case.scenario, one.network), []).append(one)
    return list(found.values())
