"""What a run is doing and has just seen, one line each: for the screen while it runs."""

from netdiag.evidence.bundle import Step
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.machine import DefaultRoute, SystemLookup
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, NotRun
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.reports.words import RCODE, endpoint, icmp_words, listing, verify_words

_WHOM = {
    "machine": "this machine",
    "gateway": "the gateway",
    "resolver": "name servers",
    "target": "the target",
    "control": "other hosts",
    "proxy": "the proxy",
}
_DOING = {
    "machine": "looking at this machine",
    "route": "looking up the route",
    "dns": "asking name servers",
    "delegation": "asking the zone's own name servers",
    "nat64": "looking for NAT64",
    "egress": "testing whether packets leave this machine",
}


def doing(step: Step) -> str:
    """What ``step`` does, in a few words."""
    if step.probe in _DOING:
        return _DOING[step.probe]
    verb = {"reach": "connecting to", "http": "asking", "echo": "pinging", "walk": "tracing the path to"}.get(
        step.probe
    )
    return f"{verb} {_WHOM[step.role]}" if verb else f"{sanitize_text(step.probe)}: {_WHOM[step.role]}"


def found(step: Step, record: Observation) -> str | None:
    """What ``record`` says, in one line; None when it is not worth one."""
    line = _found(step, record)
    return None if line is None else sanitize_text(line)


def _found(step: Step, record: Observation) -> str | None:
    match record:
        case NotRun():
            return f"not measured: {record.what}"
        case DefaultRoute() if not record.exists:
            return f"no default route for IPv{record.family}"
        case SystemLookup():
            return f"{record.name}: {listing(record.addresses) or 'not resolved by this machine'}"
        case Lookup():
            return _lookup(record)
        case Connect():
            return f"{_who(step)}{endpoint(record.address, record.port)}: {_failed(record.failure, 'TCP connected')}"
        case Handshake():
            return f"{_who(step)}{step.address or record.server_name or ''}: {_handshake(record)}"
        case Exchange():
            what = f"HTTP {record.status}" if record.status is not None else "HTTP"
            through = " through the proxy" if record.via_proxy else ""
            return f"{_who(step)}{record.address or step.subject}: {_failed(record.failure, what)}{through}"
        case HopReply() if record.answer in {"syn_ack", "rst", "echo_reply", "data"}:
            return f"{_who(step)}{record.address}: the path arrives there"
        case HopReply(icmp=Icmp() as error) if error.type not in {3, 11} or (error.version == 4 and error.type == 3):
            return f"{_who(step)}{record.address}: {icmp_words(error)} from {error.sender}"
        case Echo() if record.failure is None and record.attempt == 1 and record.sequence <= 1:
            return f"{_who(step)}{record.address}: answers echo" if record.rtt_us is not None else None
        case _:
            return None


def _who(step: Step) -> str:
    return {"control": f"{step.subject} ", "gateway": "gateway ", "proxy": "proxy "}.get(step.role, "")


def _lookup(record: Lookup) -> str | None:
    if record.server_class in {"parent", "canary"}:
        return None
    addresses = [one.data for one in record.answers if one.rrtype in {"A", "AAAA"}]
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
    return _failed(record.failure, f"TLS good ({record.protocol})" if record.protocol else "TLS good")


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
