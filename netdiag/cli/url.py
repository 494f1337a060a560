"""The URL as people type it -> the target, or one line that says what is wrong with it."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from netdiag.cli.problem import usage
from netdiag.evidence.addresses import classify, parse
from netdiag.evidence.bundle import Target

LONGEST = 2000
"""Characters of a URL that is taken: what servers and browsers in use take."""

PRIVATE_NAMES = frozenset({"local", "internal", "home.arpa", "localhost", "onion", "lan", "home", "corp", "intranet"})
"""Endings of names that no outside resolver should learn of: special use (RFC 6761, 6762, 7686, 8375, ICANN's
``internal``), and those that networks took for themselves so often that they are blocked in the root."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A target, what was ``typed`` (it may hold secrets: only for finding them), and what was left out of it."""

    target: Target
    typed: str
    notes: tuple[str, ...]


def parse_url(typed: str) -> Typed:
    """``http(s)://host[:port][/path]``; a bare host means https. User info, query and fragment are left out.

    Raises Problem (exit code 2).
    """
    text = typed.strip()
    _check_characters(text)
    found = _SCHEME.match(text)
    if found is None and re.match(r"https?:", text, re.IGNORECASE):
        raise usage(f"{_show(text)} is not a URL: two slashes are missing after the colon")
    if found is not None and found[1].lower() not in {"http", "https"}:
        raise usage(f"netdiag measures http and https only, not {_show(found[1])}")
    rest = text[found.end() :] if found is not None else text.removeprefix("//")
    scheme: Literal["http", "https"] = "http" if found is not None and found[1].lower() == "http" else "https"
    authority, path, dropped = _split(rest)
    user_info, _, place = authority.rpartition("@")
    notes = [f"the {what} of the URL is neither sent nor stored" for what in dropped]
    if user_info:
        notes.append("the user name and password in the URL are neither sent nor stored")
    host, port = _host_and_port(place, 443 if scheme == "https" else 80)
    is_literal = _is_address(host)
    target = Target(
        scheme=scheme,
        host=host,
        port=port,
        path=quote(path, safe="/%:@!$&'()*+,=~-._") or "/",
        is_literal=is_literal,
        private=is_private(host),
    )
    return Typed(target=target, typed=typed, notes=tuple(notes))


def is_private(host: str) -> bool:
    """Whether outside resolvers and controls must not learn of ``host`` (design.md, Private names stay private)."""
    if _is_address(host):
        return classify(host) in {"loopback", "private", "link_local"}
    labels = host.split(".")
    return len(labels) == 1 or labels[-1] in PRIVATE_NAMES or ".".join(labels[-2:]) in PRIVATE_NAMES


def _check_characters(text: str) -> None:
    if not text:
        raise usage("the URL is empty: give one such as https://api.example.com/")
    if len(text) > LONGEST:
        raise usage(f"the URL is longer than {LONGEST:,} characters")
    if any(char.isspace() for char in text):
        raise usage(f"{_show(text)} is not a URL: there is a space in it")
    if not text.isprintable():
        raise usage("the URL has characters in it that cannot be seen: type it again by hand")
    if "\\" in text:
        raise usage(f"{_show(text)} is not a URL: there is a backslash in it")


def _split(rest: str) -> tuple[str, str, list[str]]:
    """Authority, path, and what else there was: a path parameter may carry a session, as a query may."""
    rest, hash_mark, _ = rest.partition("#")
    rest, question_mark, _ = rest.partition("?")
    authority, slash, path = rest.partition("/")
    path, semicolon, _ = path.partition(";")
    dropped = [
        what
        for what, there in (
            ("part after the semicolon", semicolon),
            ("query", question_mark),
            ("part after #", hash_mark),
        )
        if there
    ]
    return authority, slash + path, dropped


def _host_and_port(place: str, default: int) -> tuple[str, int]:
    if _is_address(place) and ":" in place:  # an IPv6 address without the brackets that a port would need
        return str(parse(place)), default
    if place.startswith("["):
        inner, bracket, tail = place[1:].partition("]")
        if not bracket or not _is_address(inner) or ":" not in inner or (tail and not tail.startswith(":")):
            raise usage(f"{_show(place)} is not an IPv6 address in brackets")
        return str(parse(inner)), _port(tail[1:], default) if tail else default
    if place.count(":") > 1:
        raise usage(f"{_show(place)} is not a host: an IPv6 address is written in brackets, [2001:db8::1]")
    host, colon, port = place.partition(":")
    return _host(host), _port(port, default) if colon else default


def _port(text: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise usage(f"{_show(text)} is not a port: it is a number from 1 to 65535")
    return int(text)


def _host(text: str) -> str:
    if not text:
        raise usage("there is no host in the URL: give one such as https://api.example.com/")
    host = _ascii(text).lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise usage(f"{_show(text)} is not a host name")
    # Programs read 127.1 and 0x7f000001 as addresses, each in its own way (WHATWG URL 3.5: ends in a number).
    if (labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1])) and not _is_address(host):
        raise usage(f"{_show(text)} is not an IPv4 address: it has four numbers from 0 to 255")
    return host


def _ascii(text: str) -> str:
    """An international name as it is asked for in DNS: what browsers do (UTS 46, without transitional processing)."""
    if text.isascii():
        return text
    import idna  # noqa: PLC0415  # its tables are large, and few names need them

    try:
        return idna.encode(text, uts46=True).decode()
    except idna.IDNAError:
        raise usage(f"{_show(text)} is not a host name that can be written in ASCII (IDNA)") from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _show(text: str) -> str:
    """What was typed, shortened, without what may be secret in it: an error line ends up in logs, too."""
    shown = re.split(r"[?#;]", text)[0]
    shown = re.sub(r"(//|^)[^/]*@", r"\1…@", shown)
    return "'" + (shown if len(shown) <= 60 else shown[:59] + "…") + "'"
