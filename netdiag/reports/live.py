"""What a run is doing and has just seen, one line each: for the screen while it runs."""

from typing import NamedTuple

from netdiag.evidence.bundle import Step
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.machine import DefaultRoute, SystemLookup
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, NotRun
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply, InFlow, Transfer
from netdiag.evidence.web import Exchange
from netdiag.reports.words import RCODE, endpoint, icmp_words, listing, size, verify_words

_WHOM = {
    "machine": "this machine",
    "gateway": "gateway",
    "resolver": "name servers",
    "target": "target",
    "control": "other hosts",
    "proxy": "proxy",
}
_DOING = {
    "machine": "looking",
    "route": "looking up the route",
    "dns": "asking",
    "delegation": "asking the zone's own",
    "nat64": "looking for NAT64",
    "reverse": "asking the names of routers",
    "egress": "testing whether packets leave",
    "reach": "connecting",
    "http": "asking for the page",
    "echo": "pinging",
    "knock": "counting lost packets",
    "walk": "tracing the path",
    "flows": "trying several flows",
    "in_flow": "looking inside a connection",
    "sizes": "trying packet sizes",
    "paced": "counting lost packets",
    "slow": "downloading",
    "canary": "asking where nobody is",
    "way": "asking by a second way",
    "watch": "watching whether it recovers",
}


class News(NamedTuple):
    """One line, and what it is about: of two lines about the same only the first is news."""

    line: str
    about: str


def doing(step: Step) -> tuple[str, str]:
    """Whom ``step`` is about and what it does, in a few words."""
    return _WHOM[step.role], _DOING.get(step.probe, sanitize_text(step.probe))


def found(step: Step, record: Observation) -> News | None:
    """What ``record`` says, in one line; None when it is not worth one: most of what works as it should at
    other hosts."""
    line = _closer(record) if isinstance(record, InFlow | Transfer) else _found(step, record)
    if line is None:
        return None
    line = sanitize_text(line)
    if isinstance(record, Lookup) and record.answers:
        return News(line, sanitize_text(line.partition(" on ")[2]))
    return News(line, line)


def _found(step: Step, record: Observation) -> str | None:
    own = step.role != "control"
    match record:
        case NotRun(why="declined"):
            return None
        case NotRun():
            return f"not measured: {record.what}"
        case DefaultRoute() if not record.exists:
            return f"no default route for IPv{record.family}"
        case SystemLookup():
            return f"{record.name}: {listing(sorted(record.addresses)) or 'not resolved by this machine'}"
        case Lookup():
            return _lookup(step, record)
        # Connects to the gateway count losses: that a port of it is closed is nothing to tell. Nor is what
        # becomes of those that hide answers.
        case Connect() if step.role != "gateway" and not record.min_ttl and (own or record.failure is not None):
            return f"{_who(step)}{endpoint(record.address, record.port)}: {_failed(record.failure, 'connected')}"
        case Handshake():
            return f"{_who(step)}{step.address or record.server_name or ''}: {_handshake(record)}"
        case Exchange():
            what = f"HTTP {record.status}" if record.status is not None else "HTTP"
            through = " through the proxy" if record.via_proxy else ""
            return f"{_who(step)}{record.address or step.subject}: {_failed(record.failure, what)}{through}"
        case HopReply() if own and step.probe != "sizes" and record.answer in {"syn_ack", "rst", "echo_reply", "data"}:
            return f"{_who(step)}{record.address}: the path arrives there"
        case HopReply(icmp=Icmp() as error) if step.probe != "sizes" and _is_refusal(error):
            return f"{_who(step)}{record.address}: {icmp_words(error)} from {error.sender}"
        case Echo() if own and record.failure is None and record.attempt == 1 and record.sequence <= 1:
            return f"{_who(step)}{record.address}: answers a ping" if record.rtt_us is not None else None
        case _:
            return None


def _is_refusal(error: Icmp) -> bool:
    """Not merely time exceeded (RFC 792 type 11, RFC 4443 type 3)."""
    return error.type not in {3, 11} or (error.version == 4 and error.type == 3)


def _closer(record: InFlow | Transfer) -> str | None:
    if isinstance(record, Transfer):
        return f"{record.address}: {_failed(record.failure, f'{size(record.received)} downloaded')}"
    if record.answer not in _CUT:
        return None
    name = f" for {record.name}" if record.name else ""
    ttl = "" if record.ttl is None else f" with {record.ttl} hops to live"
    return f"{record.address}: data{name}{ttl} {_CUT[record.answer]}"


def _who(step: Step) -> str:
    host = f"{step.subject} " if step.subject != step.address else ""
    return {"control": host, "gateway": "gateway ", "proxy": "proxy "}.get(step.role, "")


def _lookup(step: Step, record: Lookup) -> str | None:
    if record.server_class in {"parent", "canary"} or step.probe == "reverse":
        return None
    addresses = [one.data for one in record.answers if one.rrtype in {"A", "AAAA"}]
    use = step.params.get("use", "target")
    expected = {"control": bool(addresses) or record.rcode == 0, "random": not addresses and record.rcode is not None}
    if expected.get(use) or (step.probe == "nat64" and not addresses):
        return None
    if addresses:
        said = listing(addresses, most=4)
    elif record.rcode is None:
        said = _failed(record.failure, "no answer")
    else:
        said = RCODE.get(record.rcode, f"rcode {record.rcode}") if record.rcode else f"no {record.rrtype} record"
    return f"{record.server} on {record.name} {record.rrtype}: {said}"


def _handshake(record: Handshake) -> str:
    for one in record.verifications:
        if one.store == "system" and one.code:
            return f"certificate not accepted, {verify_words(one.code)}"
    return _failed(record.failure, f"encryption good ({record.protocol})" if record.protocol else "encryption good")


_CUT = {"reset": "met a reset", "closed": "met an end", "data": "were answered"}

_CODE = {
    FailureCode.TIMED_OUT: "no answer",
    FailureCode.REFUSED: "refused",
    FailureCode.RESET: "reset",
    FailureCode.CLOSED: "closed",
    FailureCode.UNREACHABLE: "unreachable",
    FailureCode.DENIED_LOCALLY: "not permitted by this machine",
    FailureCode.PROTOCOL: "not understood",
    FailureCode.NAME_NOT_FOUND: "name not found",
    FailureCode.CERT_REJECTED: "certificate not accepted",
    FailureCode.RATE_LIMITED: "too many requests",
    FailureCode.TOO_BIG: "packet too big",
    FailureCode.UNCLASSIFIED: "failed",
}


def _failed(failure: Failure | None, good: str) -> str:
    if failure is None:
        return good
    if isinstance(failure.native, Icmp):
        return f"{icmp_words(failure.native)} from {failure.native.sender}"
    return _CODE[failure.code]
