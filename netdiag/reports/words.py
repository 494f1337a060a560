"""Numbers, times and codes in plain words. The numbers stay beside the words: support looks them up."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from netdiag.evidence.record import Icmp
from netdiag.facts.base import Share

WIDTH = 80
"""Columns of everything that a terminal, a mail or a ticket field shows."""

ICMP4 = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "packet too big",
    (3, 5): "source route failed",
    (3, 6): "network unknown",
    (3, 7): "host unknown",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 11): "network unreachable for this service",
    (3, 12): "host unreachable for this service",
    (3, 13): "communication administratively prohibited",
    (11, 0): "time exceeded",
}
"""RFC 792 and RFC 1812 section 5.2.7.1."""

ICMP6 = {
    (1, 0): "no route to the destination",
    (1, 1): "communication administratively prohibited",
    (1, 2): "beyond the scope of the source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed policy",
    (1, 6): "route rejected",
    (2, 0): "packet too big",
    (3, 0): "hop limit exceeded",
}
"""RFC 4443 sections 3.1 to 3.3."""

VERIFY = {
    2: "its issuer's certificate is missing",
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "its chain ends in a root that is not trusted",
    20: "its issuer is not known here",
    21: "it was sent without the certificates between it and a known root",
    23: "it was revoked",
    62: "it was issued for another name",
    64: "it was issued for another address",
}
"""OpenSSL's X509_V_ERR_* (openssl-verification-options(1))."""

ALERT = {
    0: "close notify",
    10: "unexpected message",
    20: "bad record MAC",
    40: "handshake failure",
    42: "bad certificate",
    43: "unsupported certificate",
    44: "certificate revoked",
    45: "certificate expired",
    46: "certificate unknown",
    47: "illegal parameter",
    48: "unknown CA",
    49: "access denied",
    50: "decode error",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    109: "missing extension",
    112: "unrecognized name",
    116: "certificate required",
    120: "no application protocol",
}
"""TLS alerts, RFC 8446 section 6."""

RCODE = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    8: "NXRRSET",
    9: "NOTAUTH",
}
"""RFC 1035 section 4.1.1, RFC 2136."""


FACT = {
    "controls.all_failed": "any measurement of other hosts",
    "controls.any_healthy": "any measurement of other hosts",
    "controls.any_healthy6": "other hosts over IPv6",
    "controls.states": "any measurement of other hosts",
    "machine.clock_offset_s": "another clock to compare this machine's with",
    "machine.default_route4": "the machine's routes",
    "machine.default_route6": "the machine's routes",
    "machine.gateway_answers": "any packet to the gateway",
    "machine.gateways": "the machine's gateway",
    "machine.global_ipv6": "an IPv6 address of the machine",
    "machine.hosts_override": "the hosts file",
    "machine.lan_loss": "packets to the gateway",
    "machine.link_up": "the machine's interfaces",
    "machine.own_addresses": "the machine's addresses",
    "machine.proxy": "a proxy: none is set for the target",
    "names.authorities": "the zone's own name servers",
    "names.needed": "a name",
    "names.resolvers": "any question to a name server",
    "losses.path": "packets sent one by one along the path: nothing was lost that would have called for them",
    "path.members": "several flows to the target side by side",
    "sizes.stalls": "packets of several sizes to the target",
    "speed.slow": "a download of the URL",
    "target.addresses": "an address of the target to measure",
}
"""Facts for want of which a fault is not assessed."""


def fact_words(name: str) -> str:
    """What is missing when the fact of this name is: the name itself where it has no words yet."""
    return FACT.get(name, name)


def icmp_words(error: Icmp) -> str:
    """``host unreachable (ICMP 3/1)``."""
    known = (ICMP4 if error.version == 4 else ICMP6).get((error.type, error.code), "an error")
    return f"{known} ({'ICMP' if error.version == 4 else 'ICMPv6'} {error.type}/{error.code})"


def alert_words(number: int) -> str:
    """``alert 40 (handshake failure)``."""
    return f"alert {number} ({ALERT[number]})" if number in ALERT else f"alert {number}"


def verify_words(code: int) -> str:
    """``it has expired (code 10)``."""
    return f"{VERIFY.get(code, 'it is not trusted')} (code {code})"


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 probe``, ``3 probes``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """``812 bytes``, ``68 kB``, ``1.4 MB``."""
    if number < 1000:
        return count(number, "byte")
    return f"{round(number / 1000)} kB" if number < 999_500 else f"{number / 1e6:.1f} MB"


def span(seconds: float) -> str:
    """A duration with the two largest units that matter: ``850 ms``, ``3.1 s``, ``2 min 5 s``, ``3 days 2 h``."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, unit, small, small_unit in (
        (86_400, "day", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            large, rest = divmod(whole, size)
            word = unit + ("s" if unit == "day" and large != 1 else "")
            return f"{large} {word}" + (f" {rest // small} {small_unit}" if rest // small else "")
    return f"{whole} s"


def utc(moment: datetime) -> str:
    """``2026-03-14 09:26:53 UTC``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lost(share: Share, what: str, where: str) -> str:
    """How many of some packets were lost. ``what`` is one of them, ``where`` says whereto."""
    if share.sent == 1:
        return f"The one {what} {where} was {'lost' if share.lost else 'answered'}."
    if not share.lost:
        return f"None of {share.sent:,} {what}s {where} was lost."
    percent = 100 * share.lost / share.sent
    return f"{share.lost:,} of {share.sent:,} {what}s {where} were lost ({percent:.0f} %)."


def listing(items: Iterable[str], *, most: int = 6) -> str:
    """``a, b and c``; beyond ``most`` of them ``a, b, … and 4 more``."""
    words = list(items)
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def endpoint(host: str, port: int) -> str:
    """``198.51.100.7:443``, ``[2001:db8::7]:443``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def decapitalised(sentence: str) -> str:
    """``sentence`` in the middle of another; what is written in capitals or is a name stays so."""
    first = sentence.split(" ", 1)[0]
    return sentence[:1].lower() + sentence[1:] if first[1:].islower() or len(first) == 1 else sentence


def codes(faults: Iterable[str]) -> str:
    """Codes with what they share written once: ``host.tls.expired/wrong_name, local.link.down``."""
    groups: dict[str, list[str]] = {}
    for code in faults:
        group, dot, name = code.rpartition(".")
        groups.setdefault(group + dot, []).append(name)
    return ", ".join(group + "/".join(names) for group, names in groups.items())


def refs(names: Sequence[str], *, most: int = 8) -> str:
    """References, shortened when there are many."""
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return ", ".join(names)


def brief_refs(names: Sequence[str], *, most: int = 3) -> str:
    """The same with the name of the bundle written once: ``main:o12, o13 and 5 more``."""
    short: list[str] = []
    before = ""
    for name in names:
        bundle, colon, record = name.rpartition(":")
        short.append(record if bundle + colon == before and colon else name)
        before = bundle + colon
    return refs(short, most=most)


def fill(text: str, *, first: str = "", rest: str | None = None) -> list[str]:
    """``text`` wrapped to WIDTH columns behind ``first``, its other lines behind ``rest`` (as wide as ``first``)."""
    return textwrap.wrap(
        text,
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def two_columns(rows: Sequence[tuple[str, str]], *, indent: int = 2, most: int = 24) -> list[str]:
    """Names on the left, wrapped words on the right; a name that is too wide gets a line of its own."""
    left = min(max((len(name) for name, _ in rows), default=0), most)
    lines: list[str] = []
    for name, words in rows:
        if len(name) > left:
            lines += fill(name, first=" " * indent)
            lines += fill(words, first=" " * (indent + left + 2))
        else:
            lines += fill(words, first=" " * indent + name.ljust(left + 2))
    return lines
