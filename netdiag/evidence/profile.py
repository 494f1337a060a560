"""The vendor profile, a TOML file "netdiag/profile/1": who the vendor is, and what it consents to on its own hosts.

```toml
schema = "netdiag/profile/1"
[vendor]
name = "Acme"
support = "support@acme.example"
internal = false
[[endpoint]]
url = "https://api.acme.example"
[[control]]
url = "https://status.acme.example"
[network]
prefixes = ["198.51.100.0/24"]
[rate_limit]
max_requests = 40
max_rate = 10
```
"""

import hashlib
import ipaddress
import tomllib
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

SCHEMA = "netdiag/profile/1"
CEILING_REQUESTS = 60
"""Requests of the rate section in all, whatever a profile consents to: 20 in a burst and 40 paced (design.md)."""
CEILING_RATE = 20.0
"""Requests per second, whatever a profile consents to."""

_MOST_BYTES = 64 * 1024
_MOST_ENTRIES = 100
# Shorter ones hold more than any one vendor announces, and would make every hop the vendor's.
_SHORTEST_PREFIX = {4: 8, 6: 16}
_PORTS = {"http": 80, "https": 443}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ProfileError(Exception):
    """The profile cannot be used; its text is one line for the one who wrote it."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor consents to in ``--rate-limit``: requests in all, and per second; never above the ceilings."""

    max_requests: int
    max_rate: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that was read whole. ``sha256`` is that of the file's bytes."""

    sha256: str
    name: str | None = None
    support: str | None = None
    internal: bool = False
    endpoints: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    prefixes: tuple[Network, ...] = ()
    rate_limit: RateLimit | None = None

    def consents_to(self, url: str) -> bool:
        """Is ``url`` on one of the vendor's own endpoints (same scheme, host, port)? A profile speaks for no other."""
        wanted = _origin(url)
        return any(_origin(endpoint) == wanted for endpoint in self.endpoints)

    def owns(self, address: str) -> bool:
        """Is ``address`` in the vendor's own network? Raises ``ValueError`` when it is no address."""
        parsed = ipaddress.ip_address(address.partition("%")[0])
        return any(parsed in prefix for prefix in self.prefixes)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the file's tables: unknown keys are refused."""


class _Vendor(_Table, frozen=True, kw_only=True):
    name: Text | None = None
    support: Text | None = None
    internal: bool = False


class _Place(_Table, frozen=True, kw_only=True):
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class _Network(_Table, frozen=True, kw_only=True):
    prefixes: Annotated[tuple[Text, ...], msgspec.Meta(max_length=_MOST_ENTRIES)] = ()


class _RateLimit(_Table, frozen=True, kw_only=True):
    max_requests: Annotated[int, msgspec.Meta(ge=1)]
    max_rate: Annotated[float, msgspec.Meta(gt=0)]


class _File(_Table, frozen=True, kw_only=True):
    schema: Literal["netdiag/profile/1"]
    vendor: _Vendor = _Vendor()
    endpoint: Annotated[tuple[_Place, ...], msgspec.Meta(max_length=_MOST_ENTRIES)] = ()
    control: Annotated[tuple[_Place, ...], msgspec.Meta(max_length=_MOST_ENTRIES)] = ()
    network: _Network = _Network()
    rate_limit: _RateLimit | None = None


def parse_profile(raw: bytes) -> Profile:
    """Read a profile from the bytes of its file. Raises ``ProfileError``."""
    if len(raw) > _MOST_BYTES:
        raise ProfileError(f"the profile is larger than {_MOST_BYTES // 1024} kB")
    try:
        tables = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProfileError(f"the profile is not TOML: {_line(error)}") from error
    _check_schema(tables.get("schema"))
    try:
        read = msgspec.convert(tables, _File)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ProfileError(f"the profile is not as {SCHEMA} says: {_line(error)}") from error
    limit = read.rate_limit
    return Profile(
        sha256=hashlib.sha256(raw).hexdigest(),
        name=_printable(read.vendor.name),
        support=_printable(read.vendor.support),
        internal=read.vendor.internal,
        endpoints=tuple(_url(place.url) for place in read.endpoint),
        controls=tuple(_url(place.url) for place in read.control),
        prefixes=tuple(_prefix(prefix) for prefix in read.network.prefixes),
        rate_limit=None
        if limit is None
        else RateLimit(
            max_requests=min(limit.max_requests, CEILING_REQUESTS), max_rate=min(limit.max_rate, CEILING_RATE)
        ),
    )


def _check_schema(schema: object) -> None:
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("netdiag/profile/"):
        raise ProfileError(f"the profile is newer than this netdiag: it says {_line(schema)}, known is {SCHEMA}")
    raise ProfileError(f'the profile does not begin with schema = "{SCHEMA}"')


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
        parts = urlsplit("")
    if not known or not url.isprintable() or " " in url:
        raise ProfileError(f"not an http or https URL in the profile: {_line(url)}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ProfileError(f"a URL in the profile has user info, a query or a fragment: {parts.hostname}")
    return url


def _prefix(text: str) -> Network:
    try:
        prefix = ipaddress.ip_network(text)
    except ValueError as error:
        raise ProfileError(f"not a prefix in the profile: {_line(error)}") from error
    if prefix.prefixlen < _SHORTEST_PREFIX[prefix.version]:
        raise ProfileError(f"a prefix in the profile is too wide to be one vendor's: {prefix}")
    return prefix


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)


def _printable(text: str | None) -> str | None:
    if text is not None and not text.isprintable():
        raise ProfileError("the profile's vendor table has control characters")
    return text


def _line(said: object) -> str:
    """What a library or a file said, as one line that is safe on a terminal."""
    return "".join(char if char.isprintable() else " " for char in str(said))[:200]
