"""The second ways out that the customer names: which there are, and what a socket needs to take one."""

import base64
import errno
import ipaddress
import socket
import urllib.parse

import msgspec

from netdiag.evidence.bundle import Via

_DEFAULT_PORT = 8080
"""Of a proxy whose URL names no port: as netdiag reads the system's proxy settings."""


class WayError(ValueError):
    """No way out of this machine is called so; the text is for the person who typed it."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One second way. ``via`` is what is recorded of it; ``proxy_authorization`` is a secret (RFC 7617) and is not."""

    via: Via
    source: str | None = None
    device: str | None = None
    proxy: str | None = None
    proxy_authorization: str | None = None

    @property
    def family(self) -> int | None:
        """The only family that this way carries: 4 or 6; None: both, as far as it has them."""
        return None if self.source is None else ipaddress.ip_address(self.source).version


def way_of(text: str) -> Way:
    """The way that ``text`` names: ``http://[user:password@]host[:port]``, an address of this machine, or the name of
    one of its interfaces that is up. Sends nothing. Raises ``WayError``."""
    if "://" in text:
        return _proxy(text)
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        return _interface(text)
    return _source(address)


def _proxy(text: str) -> Way:
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port or _DEFAULT_PORT
    except ValueError:
        raise WayError("the proxy's port is a number from 1 to 65535") from None
    if parts.scheme.lower() != "http":
        raise WayError("a proxy is named as http://host:port; other kinds (https, socks) are not supported")
    if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise WayError("a proxy is named as http://host:port")
    name = f"[{parts.hostname}]:{port}" if ":" in parts.hostname else f"{parts.hostname}:{port}"
    secret = None
    if parts.username is not None:
        user, password = (urllib.parse.unquote(word or "") for word in (parts.username, parts.password))
        secret = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return Way(via=Via(kind="proxy", name=name), proxy=name, proxy_authorization=secret)


def _source(address: str) -> Way:
    """Whether the kernel lets a socket have the address says whether it is this machine's (bind(2), EADDRNOTAVAIL)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.bind((address, 0))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise WayError(f"{address} is no address of this machine") from None
        raise WayError(f"{address} cannot be sent from: {error.strerror}") from None
    return Way(via=Via(kind="source", name=address), source=address)


def _interface(name: str) -> Way:
    named = [known for _, known in socket.if_nameindex()]
    if name not in named:
        there = ", ".join(known for known in named if known != "lo")
        raise WayError(f"this machine has no interface of that name (it has {there or 'none'})")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    except (OSError, AttributeError):
        raise WayError("this system lets no program choose its interface; name a local address instead") from None
    return Way(via=Via(kind="interface", name=name), device=name)
