"""Whose keys are trusted: OpenSSH allowed-signers files, as in the section ALLOWED SIGNERS of ssh-keygen(1)."""

import base64
import binascii
import fnmatch
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from netdiag.evidence import sshsig
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.errors import SignatureRejected


class TrustFileError(Exception):
    """An allowed-signers file cannot be read. ``str(error)`` is one line for a person, with the line's number."""


@dataclass(frozen=True, kw_only=True)
class Signer:
    """One line: a public key (32 bytes), whose it is, what it may sign (patterns) and when."""

    principals: str
    public: bytes
    namespaces: str | None = None
    valid_after: datetime | None = None
    valid_before: datetime | None = None

    def objection(self, namespace: str, now: datetime) -> str | None:
        """Why this line does not let its key sign in ``namespace`` at ``now``; None if it does."""
        if self.namespaces is not None and not _matches(namespace, self.namespaces):
            return f"it may sign only for {self.namespaces}"
        if self.valid_after is not None and now < self.valid_after:
            return f"it is valid only from {self.valid_after:%Y-%m-%d %H:%M} UTC"
        if self.valid_before is not None and now > self.valid_before:
            return f"it was valid only until {self.valid_before:%Y-%m-%d %H:%M} UTC"
        return None


@dataclass(frozen=True)
class AllowedSigners:
    """The Ed25519 keys of an allowed-signers file. No key of it being right, none is trusted."""

    signers: tuple[Signer, ...]

    def principals_of(self, public: bytes, namespace: str, now: datetime) -> str:
        """Whose key ``public`` is, by the first line that lets it sign. Raises SignatureRejected if none does."""
        objection = "it is not in the list of trusted keys"
        for signer in self.signers:
            if signer.public == public:
                found = signer.objection(namespace, now)
                if found is None:
                    return signer.principals
                objection = f"{signer.principals} is in the list of trusted keys, but {found}"
        raise SignatureRejected(f"its key {sshsig.fingerprint(public)} is not trusted: {objection}")


@dataclass(frozen=True, kw_only=True)
class TrustPolicy:
    """What the reader of a bundle demands. No ``allowed_signers``: any key will do, and its trust stays unknown.

    ``ticket``: the bundle should have been made for it; if not, the provenance says so.
    """

    allowed_signers: AllowedSigners | None = None
    ticket: str | None = None


def parse_allowed_signers(text: str) -> AllowedSigners:
    """The Ed25519 keys of an allowed-signers file; lines with keys of other types are skipped.

    A line is ``principals [options] key-type base64-key [comment]``; ``#`` begins a comment line. Options are
    ``namespaces="…"``, ``valid-after=`` and ``valid-before=``. Raises TrustFileError for a line that is none of this,
    and for ``cert-authority``: netdiag knows no certificates, and half of a trust file is worse than none.
    """
    signers = tuple(
        signer
        for number, line in enumerate(text.split("\n"), start=1)
        if (signer := _parse_line(line.strip(), number)) is not None
    )
    return AllowedSigners(signers)


_WORD = re.compile(r'(?:"[^"]*"|[^\s"])+')
"""A field: no white space but inside double quotes."""

_KEY_TYPE = re.compile(r"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+")

_OPTION = re.compile(r'([a-z-]+)(?:=(?:"([^"]*)"|([^",]*)))?(?:,|$)', re.IGNORECASE)


def _parse_line(line: str, number: int) -> Signer | None:
    if not line or line.startswith("#"):
        return None
    words = _WORD.findall(line)
    options: dict[str, str] = {}
    if len(words) > 2 and not _KEY_TYPE.fullmatch(words[1]):
        options = dict(_options(words.pop(1), number))
    if len(words) < 3 or not _KEY_TYPE.fullmatch(words[1]):
        raise TrustFileError(f"line {number} of the trusted keys is not `principals [options] key-type key`")
    if "cert-authority" in options:
        raise TrustFileError(f"line {number} of the trusted keys is a cert-authority: netdiag knows no certificates")
    if words[1].encode() != sshsig.KEY_TYPE:
        return None
    return Signer(
        principals=sanitize_text(words[0].strip('"')),
        public=_public(words[2], number),
        namespaces=options.get("namespaces"),
        valid_after=_time(options.get("valid-after"), number),
        valid_before=_time(options.get("valid-before"), number),
    )


_KNOWN_OPTIONS = frozenset({"cert-authority", "namespaces", "valid-after", "valid-before"})


def _options(word: str, number: int) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(word):
        match = _OPTION.match(word, at)
        if match is None or match[1].lower() not in _KNOWN_OPTIONS:
            raise TrustFileError(f"line {number} of the trusted keys has an option that netdiag does not know")
        yield match[1].lower(), match[2] or match[3] or ""
        at = match.end()


def _public(text: str, number: int) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    public = blob[-32:]
    if len(public) != 32 or sshsig.public_blob(public) != blob:
        raise TrustFileError(f"line {number} of the trusted keys does not hold a whole Ed25519 key")
    return public


_TIME_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def _time(text: str | None, number: int) -> datetime | None:
    """A time of ssh-keygen(1): ``YYYYMMDD[HHMM[SS]]`` in local time, or with a ``Z`` in UTC."""
    if text is None:
        return None
    digits = text.removesuffix("Z")
    try:
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError
        parsed = time.strptime(digits, _TIME_FORMATS.get(len(digits), ""))
        if text.endswith("Z"):
            return datetime(*parsed[:6], tzinfo=UTC)
        return datetime.fromtimestamp(time.mktime(parsed), tz=UTC)
    except (ValueError, OverflowError):
        raise TrustFileError(f"line {number} of the trusted keys has a time that is none") from None


def _matches(text: str, patterns: str) -> bool:
    """Whether ``text`` matches an OpenSSH pattern list (PATTERNS in ssh_config(5)): ``*``, ``?``, ``!`` for never."""
    wanted = False
    for pattern in patterns.split(","):
        literal = pattern.removeprefix("!").replace("[", "[[]")  # no sets in these patterns
        if fnmatch.fnmatchcase(text, literal):
            if pattern.startswith("!"):
                return False
            wanted = True
    return wanted
