"""What a bundle holds, for the person whose machine it tells of: kinds of record, identifiers, what was left out."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from netdiag.evidence.addresses import classify
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.reports.absent import Absence, absences
from netdiag.reports.encoding import dump
from netdiag.reports.words import count, fill, two_columns

KINDS = {
    "not_run": "what was not measured, and why",
    "platform": "operating system, Python and OpenSSL versions",
    "interface": "network interfaces, their addresses and counters",
    "default_route": "default routes",
    "route_lookup": "the way a packet would take from this machine",
    "neighbour": "whether the gateway is alive on the local network",
    "resolver_config": "the configured name servers",
    "hosts_entry": "what the hosts file says of the target's name",
    "system_lookup": "what this machine resolves the target's name to",
    "proxy_setting": "proxy settings, without credentials",
    "clock": "the machine's clock",
    "kernel_counters": "machine-wide network counters",
    "nat64": "whether IPv4 hosts are reached by NAT64",
    "local_send": "whether this machine lets packets to the target out",
    "lookup": "questions to name servers, and their answers",
    "connect": "TCP connection attempts",
    "echo": "pings",
    "hop_reply": "routers on the path",
    "in_flow": "what came back when data were sent with few hops to live inside a connection",
    "arriving_ttl": "over how many hops answers of the target come",
    "handshake": "TLS handshakes and the certificates shown in them",
    "exchange": "HTTP requests, and of the answers the status, some headers and at most 2 kB of an error page",
    "transfer": "downloads: how many bytes came how fast, and nothing of what they said",
    "limit_attempt": "requests and connections that looked for a limit, and how each was answered",
}
"""Every kind of record, in words. A test holds it against the union of records."""

MEMBER_WORDS = {
    "README.txt": "what this is, and how to check it by hand",
    "summary.txt": "what was shown on the screen at the end",
    "evidence.json": "the records",
    "capture.pcapng": "the headers of the run's own packets, for Wireshark",
    "SHA256SUMS": "the SHA-256 of each file",
    "SHA256SUMS.sig": "the signature",
}

NEVER = (
    "passwords, user names in URLs, cookies, authorization headers",
    "the query of a URL, or what follows #",
    "lines of the hosts file about other names",
    "page contents, but for the first 2 kB of an error page",
)
"""What no bundle holds (design.md, Never recorded)."""

_ADDRESS = re.compile(r"[0-9a-fA-F:.]{2,45}(?:%[\w.-]+)?")


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """``identifiers`` are the addresses and names in the records, by what they are."""

    members: tuple[tuple[str, int], ...]
    kinds: tuple[tuple[str, str, int], ...]
    identifiers: tuple[tuple[str, tuple[str, ...]], ...]
    removed: tuple[str, ...]
    not_measured: tuple[Absence, ...]
    facts: tuple[tuple[str, str], ...]


def inside(bundle: Bundle, members: Mapping[str, int]) -> Inside:
    """What ``bundle`` holds. ``members`` are the files of the container with their sizes."""
    counted = Counter(type(record).__struct_config__.tag for record in bundle.observations)
    target = bundle.target
    facts = [
        ("target", f"{target.scheme}://{target.host} port {target.port}, path {target.path}"),
        ("run id", bundle.run_id),
        ("ticket", bundle.ticket or "none"),
        ("made by", bundle.tool),
    ]
    if bundle.options.user_agent is not None:
        facts.append(("User-Agent", bundle.options.user_agent))
    return Inside(
        members=tuple(members.items()),
        kinds=tuple((kind, KINDS[kind], counted[kind]) for kind in KINDS if counted[kind]),
        identifiers=_identifiers(bundle),
        removed=tuple(sanitize_text(one) for one in bundle.removed),
        not_measured=absences("main", bundle),
        facts=tuple((name, sanitize_text(value)) for name, value in facts),
    )


def inside_text(found: Inside) -> str:
    """The same in words, 80 columns."""
    lines = ["What is in this bundle", "", *two_columns(found.facts), "", "Files"]
    rows = [(name, f"{MEMBER_WORDS.get(name, '')} ({size:,} bytes)") for name, size in found.members]
    lines += two_columns(rows)
    lines += ["", "Records"]
    for _, words, number in found.kinds:
        lines += fill(words, first=f"  {number:>5} x ")
    lines += ["", "Addresses and names in them"]
    for what, values in found.identifiers:
        lines += fill(f"{what}: {', '.join(values)}", first="  - ", rest="    ")
    lines += ["", "Removed or replaced by pseudonyms before it was sealed"]
    for one in found.removed or ("nothing was found that had to be",):
        lines += fill(one, first="  - ")
    lines += ["", "Never recorded"]
    for one in NEVER:
        lines += fill(one, first="  - ")
    if found.not_measured:
        lines += ["", f"Not measured ({count(sum(one.times for one in found.not_measured), 'time')})"]
        for absence in found.not_measured:
            lines += fill(f"{absence.what}: {absence.why}", first="  - ")
    return "\n".join(lines) + "\n"


def inside_json(found: Inside) -> str:
    """The same as one JSON object."""
    return dump(
        {
            **dict(found.facts),
            "files": dict(found.members),
            "records": {kind: number for kind, _, number in found.kinds},
            "identifiers": dict(found.identifiers),
            "removed": found.removed,
            "never_recorded": NEVER,
            "not_measured": [
                {"what": one.what, "why": one.why, "observations": one.witnesses} for one in found.not_measured
            ],
        }
    )


def _identifiers(bundle: Bundle) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every string in the records that is an address, by class; and every name that a record names as such."""
    groups: dict[str, dict[str, None]] = {}
    for name, value in _strings(msgspec.to_builtins(bundle.observations), ""):
        what = _what(name, value)
        if what is not None:
            groups.setdefault(what, {})[sanitize_text(value)] = None
    return tuple((what, tuple(groups[what])) for what in sorted(groups))


_CLASS_WORDS = {
    "public": "public addresses",
    "nat64": "public addresses",
    "private": "addresses of private networks",
    "shared": "addresses of carrier-grade NAT",
    "link_local": "link-local addresses",
    "loopback": "loopback addresses",
    "documentation": "documentation addresses",
    "multicast": "multicast addresses",
    "unspecified": "unspecified addresses",
}
_NAMES = {
    "device": "network interfaces",
    "search": "search domains",
    "server_name": "host names",
    "names": "names in certificates",
    "subject": "owners of certificates",
    "issuer": "issuers of certificates",
    "location": "redirects",
    "url": "URLs",
    "via_proxy": "proxies",
    "source": "where settings were read from",
}


def _what(name: str, value: str) -> str | None:
    if _ADDRESS.fullmatch(value):
        try:
            return _CLASS_WORDS[classify(value)]
        except ValueError:
            pass
    return _NAMES.get(name)


def _strings(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Every string in ``value`` with the name of the field that holds it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _strings(one, str(key))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one, name)
