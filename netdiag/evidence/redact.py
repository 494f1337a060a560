"""What is removed or replaced before anything is sealed, shown or printed.

Rules go by the type and name of a field. Text is searched only where it is free text, since words of a person's
machine and of the protocols are the same words: a user named ``server`` must not change a record of a name server.
"""

import functools
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from netdiag.evidence.bundle import Target
from netdiag.evidence.headers import clean_header
from netdiag.evidence.limits import LimitAttempt
from netdiag.evidence.machine import ResolverConfig
from netdiag.evidence.names import ExtendedError
from netdiag.evidence.record import Failure, NotRun, ObsId, StepId
from netdiag.evidence.tls import Verification
from netdiag.evidence.transport import Transfer
from netdiag.evidence.urls import clean_url, secrets_in
from netdiag.evidence.web import Exchange, Header

MAX_BODY = 2048
"""Bytes, as UTF-8, that are kept of a page (design.md, Never recorded)."""

REMOVED = "[removed]"

_SHORTEST = 4
"""Characters of the shortest secret that is searched for in text; shorter ones go only with the URL around them."""

_FREE_TEXT = frozenset(
    {
        (Failure, "text"),
        (NotRun, "what"),
        (NotRun, "detail"),
        (Exchange, "reason"),
        (Exchange, "body_start"),
        (Header, "value"),
        (Verification, "message"),
        (ExtendedError, "text"),
    }
)
_URLS = frozenset({(Exchange, "url"), (Exchange, "location"), (Target, "path"), (Transfer, "url")})

_NOT_PERSONAL = frozenset({"", "root", "nobody", "localhost", "localhost.localdomain"})
"""Names of users and hosts that are the same everywhere."""

# Neither is part of a longer run of groups: an IPv6 address or a certificate's fingerprint.
_MAC = re.compile(r"(?<![0-9a-fA-F:-])[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2})(?:\1[0-9a-fA-F]{2}){4}(?![0-9a-fA-F:-])")
# systemd.net-naming-scheme(7): names after the MAC address, "enx" + 12 hex digits; wlx and wwx likewise.
_MAC_NAME = re.compile(r"(?<![0-9a-zA-Z])(en|wl|ww|ib|sl)x([0-9a-fA-F]{12})(?![0-9a-zA-Z])")
# RFC 4291 appendix A: an interface identifier made of a MAC address has ff:fe in its middle.
_MAYBE_EUI64 = re.compile(r"(?<![0-9a-zA-Z:.])[fF][0-9a-fA-F]{3}:[0-9a-fA-F:]*[fF]{2}:[fF][eE][0-9a-fA-F:]+")
_LINK_LOCAL, _ULA = ipaddress.IPv6Network("fe80::/10"), ipaddress.IPv6Network("fc00::/7")

# Each takes time in proportion to the text: a stranger's page must not hold up the run.
_URL_IN_TEXT = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,31}://[^\s\"'<>]+")
_QUERY_IN_TEXT = re.compile(r"(?<=[\w/.~%-])\?[^\s\"'<>)\]]+")
_CREDENTIALS_IN_TEXT = re.compile(r"\b(basic|bearer|digest|negotiate)\s+[a-z0-9+/=_.~-]{8,}", re.IGNORECASE)

_NOT_PSEUDONYM = re.compile(r"(?!search-[0-9a-f]{8}$)\A.+\Z", re.DOTALL)

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The words by which the customer and the machine could be known. The caller reads them; nothing is read here."""

    user: str = ""
    home: str = ""
    hosts: tuple[str, ...] = ()
    ssids: tuple[str, ...] = ()
    search_domains: tuple[str, ...] = ()


class Redactor:
    """Cleans the records of one run, and everything that is shown of it.

    ``salt``: random bytes, made for the run and kept nowhere, so that a pseudonym is the same throughout one bundle,
    differs between two, and cannot be tried out. ``urls``: what the customer typed and the proxies in use, with their
    credentials; ``secrets``: any other string that must not be found.
    """

    def __init__(
        self,
        *,
        salt: bytes,
        identity: Identity | None = None,
        urls: Iterable[str] = (),
        secrets: Iterable[str] = (),
    ) -> None:
        self._salt = salt
        self._fired: set[str] = set()
        identity = Identity() if identity is None else identity
        hunted = {secret for url in urls for secret in secrets_in(url)} | set(secrets)
        self._secrets = _any_of({secret for secret in hunted if len(secret) >= _SHORTEST})
        home = identity.home.rstrip("/")
        self._home = re.compile(re.escape(home) + r"(?![\w.-])") if home else None
        self._names = [
            (rule, _any_word_of({word.lower() for word in words} - _NOT_PERSONAL))
            for rule, words in (
                ("host name", identity.hosts),
                ("user name", (identity.user,)),
                ("SSID", identity.ssids),
                ("search domain", identity.search_domains),
            )
        ]

    @property
    def removed(self) -> tuple[str, ...]:
        """Which rules have changed something so far, for ``Bundle.removed``."""
        return tuple(sorted(self._fired))

    def redact(self, record: S) -> S:
        """``record`` (an observation, a step, a target, a whole bundle) with every rule applied to every field.

        Rules go by field, as the tables above say. Literals are left alone, ids lose MAC addresses only, so that they
        stay unique. Strings also lose lone surrogates, which no JSON can hold. Idempotent.
        """
        changes: dict[str, object] = {}
        for field, is_id in _open_fields(type(record)):
            value = getattr(record, field)
            cleaned = self._macs(value) if is_id and value else self._field(type(record), field, value)
            if cleaned != value:
                changes[field] = cleaned
        return msgspec.structs.replace(record, **changes) if changes else record

    def text(self, text: str) -> str:
        """Free text (an error's words, a page, a line for the screen) without secrets, and with pseudonyms."""
        text = self._apply("URLs in text", _URL_IN_TEXT, lambda match: clean_url(match[0]), text)
        text = self._apply("URLs in text", _QUERY_IN_TEXT, lambda _: "", text)
        text = self._apply("credentials in text", _CREDENTIALS_IN_TEXT, lambda match: f"{match[1]} {REMOVED}", text)
        text = self._homes(text)
        for rule, pattern in self._names:
            if pattern is not None:
                text = self._apply(rule, pattern, functools.partial(self._pseudonym_of, rule), text)
        return self._word(text)

    def url(self, url: str) -> str:
        """``url`` as :func:`clean_url` leaves it, and without secrets in its path."""
        cleaned = clean_url(url)
        if cleaned != url:
            self._fired.add("URL user info, query or fragment")
        return self._word(cleaned)

    def pseudonym(self, rule: str, word: str) -> str:
        """What stands for ``word`` in this run: ``host-1f2e3d4c``. ``rule`` says what it is a name of."""
        kind = rule.split(maxsplit=1)[0].lower()
        digest = hmac.new(self._salt, f"{kind}\0{word.lower()}".encode(errors="replace"), hashlib.sha256)
        return f"{kind}-{digest.hexdigest()[:8]}"

    def _pseudonym_of(self, rule: str, match: re.Match[str]) -> str:
        return self.pseudonym(rule, match[0])

    def _field(self, owner: type, field: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._string(owner, field, value)
        if isinstance(value, msgspec.Struct):
            return self.redact(value)
        if isinstance(value, tuple):
            if field == "headers" and owner in {Exchange, LimitAttempt}:
                return self._headers(value)
            return tuple(self._field(owner, field, item) for item in value)
        if isinstance(value, Mapping):
            return {self._word(key): self._field(owner, field, item) for key, item in value.items()}
        return value

    def _string(self, owner: type, field: str, value: str) -> str:
        if (owner, field) == (ResolverConfig, "search"):
            return self._apply(
                "search domain", _NOT_PSEUDONYM, functools.partial(self._pseudonym_of, "search domain"), value
            )
        if (owner, field) in _URLS:
            return self.url(value)
        if (owner, field) in _FREE_TEXT:
            value = self.text(value)
            return self._cut(value) if field == "body_start" else value
        return self._word(value)

    def _headers(self, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        cleaned = [kept for header in headers if (kept := clean_header(header)) is not None]
        if tuple(cleaned) != headers:
            self._fired.add("header values outside the allow-list")
        return tuple(self.redact(header) for header in cleaned)

    def _cut(self, body: str) -> str:
        data = body.encode()
        if len(data) <= MAX_BODY:
            return body
        self._fired.add("body beyond 2 kB")
        return data[:MAX_BODY].decode(errors="ignore")

    def _word(self, text: str) -> str:
        """What holds of every string: no secret, no MAC address, no home directory, no lone surrogate."""
        if not text.isascii():
            text = text.encode(errors="backslashreplace").decode()
        text = self._homes(text)
        if self._secrets is not None:
            text = self._apply("secrets in text", self._secrets, lambda _: REMOVED, text)
        return self._macs(text)

    def _homes(self, text: str) -> str:
        """``text`` with ``~`` for the home directory: before user names and secrets, which may be words of it."""
        return text if self._home is None else self._apply("home directory", self._home, lambda _: "~", text)

    def _macs(self, text: str) -> str:
        """``text`` without MAC addresses, also inside interface names and IPv6 addresses."""
        text = self._apply("MAC address", _MAC, lambda match: self._mac(match[0]), text)
        text = self._apply(
            "MAC address", _MAC_NAME, lambda match: f"{match[1]}x-{self._mac(match[2]).removeprefix('mac-')}", text
        )
        return self._apply("MAC address", _MAYBE_EUI64, lambda match: self._interface_id(match[0]), text)

    def _mac(self, mac: str) -> str:
        return self.pseudonym("MAC address", re.sub("[:-]", "", mac))

    def _interface_id(self, address: str) -> str:
        """A link-local or unique local address whose lower half is a MAC address, with another lower half.

        Global addresses stay: the vendor has them in his logs, and the case may be about them.
        """
        try:
            parsed = ipaddress.IPv6Address(address)
        except ValueError:
            return address
        packed = parsed.packed
        if packed[11:13] != b"\xff\xfe" or not (parsed in _LINK_LOCAL or parsed in _ULA):
            return address
        mac = bytes([packed[8] ^ 0x02]) + packed[9:11] + packed[13:]  # RFC 4291 appendix A: the u bit is inverted
        low = bytes.fromhex(self._mac(mac.hex()).removeprefix("mac-"))
        return str(ipaddress.IPv6Address(packed[:8] + bytes(4) + low))

    def _apply(self, rule: str, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str], text: str) -> str:
        changed = pattern.sub(replace, text)
        if changed != text:
            self._fired.add(rule)
        return changed


def _any_of(words: set[str]) -> re.Pattern[str] | None:
    """Matches each of ``words`` anywhere, the longest first, so that none leaves the tail of another."""
    if not words:
        return None
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))))


def _any_word_of(words: set[str]) -> re.Pattern[str] | None:
    """Like :func:`_any_of`, but whole words in any case: not as a part of a longer name."""
    inner = _any_of(words)
    return None if inner is None else re.compile(rf"(?<![\w-])(?:{inner.pattern})(?![\w-])", re.IGNORECASE)


@functools.cache
def _open_fields(owner: type[msgspec.Struct]) -> tuple[tuple[str, bool], ...]:
    """The fields of ``owner`` that can hold a string of the machine's, neither literal nor number; True for an id."""
    hints = get_type_hints(owner)
    open_or_id = ((name, _is_open(hints[name]), _is_id(hints[name])) for name in owner.__struct_fields__)
    return tuple((name, is_id) for name, is_open, is_id in open_or_id if is_open or is_id)


def _is_open(hint: Any) -> bool:
    if hint is str or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return True
    return any(_is_open(inner) for inner in get_args(hint))


def _is_id(hint: Any) -> bool:
    return any(inner in (ObsId, StepId) for inner in (hint, *get_args(hint)))
