"""The second ways out that the customer names: which there are, and what a socket needs to take one."""

import base64
import errno
import ipaddress
import re
import socket
import sys
import urllib.parse
from collections.abc import Sequence
from typing import Literal

import msgspec

from netdiag.evidence.addresses import classify, family_of, parse
from netdiag.evidence.bundle import Via
from netdiag.probes.library import netlink

_DEFAULT_PORT = 8080
"""Of a proxy whose URL names no port: as netdiag reads the system's proxy settings."""


_LOOPBACK = "lo"
_LONGEST_NAME = 253  # RFC 1035 section 2.3.4, in text

_ANYWHERE: dict[Literal[4, 6], str] = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Addresses that no network has a route of its own for (RFC 5737, RFC 3849): what is sent to the Internet goes as they
would. Only the routing table is asked for them."""

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.ASCII)


class WayError(ValueError):
    """No second way out of this machine is called so; the text is for the person who typed it."""


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


def way_of(text: str, target: str | None = None) -> Way:
    """The way that ``text`` names: ``http://[user:password@]host[:port]``, an address of this machine, or the name of
    one of its interfaces. Sends nothing.

    Raises ``WayError``, also for the way that is taken anyway: measured twice and taken for two, it would be evidence
    for what it disproves. ``target``: the address that is asked; None: it is not known yet, and a way is refused only
    where no route leads anywhere else.
    """
    way = _named(text)
    if _is_taken_anyway(way, target):
        raise WayError(
            f"{way.via.name} is the way that is taken anyway; name another interface, an own address that is not used "
            "by itself, or a proxy (http://host:port)"
        )
    return way


def _named(text: str) -> Way:
    if "://" in text:
        return _proxy(text)
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        return _interface(text)
    return _source(address)


def _proxy(text: str) -> Way:
    if any(char.isspace() for char in text):  # urlsplit leaves some of them out in silence
        raise WayError("a proxy is named as http://host:port, and there is a space in this one")
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port or _DEFAULT_PORT
    except ValueError:
        raise WayError("the proxy's port is a number from 1 to 65535") from None
    if parts.scheme.lower() != "http":
        raise WayError("a proxy is named as http://host:port; other kinds (https, socks) are not supported")
    if not parts.hostname or not _is_host(parts.hostname):
        raise WayError("a proxy is named as http://host:port")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise WayError("a proxy is named as http://host:port")
    name = f"[{parts.hostname}]:{port}" if ":" in parts.hostname else f"{parts.hostname}:{port}"
    secret = None
    if parts.username is not None:
        user, password = (urllib.parse.unquote(word or "") for word in (parts.username, parts.password))
        secret = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return Way(via=Via(kind="proxy", name=name), proxy=name, proxy_authorization=secret)


def _is_host(text: str) -> bool:
    """A name or an address that something may listen at."""
    try:
        return classify(text) not in {"unspecified", "multicast"}
    except ValueError:
        return len(text) <= _LONGEST_NAME and _HOST.fullmatch(text) is not None


def _source(address: str) -> Way:
    """Whether the kernel lets a socket have the address says whether it is this machine's (bind(2), EADDRNOTAVAIL); of
    those that are no host's own it says nothing."""
    leads = {"loopback": "leads back into this machine", "link_local": "leads no further than the own network"}
    kind = classify(address)
    if kind in {"unspecified", "multicast"}:
        raise WayError(f"{address} is not the address of one machine")
    if kind in leads:
        raise WayError(f"{address} {leads[kind]}, and is no way out")
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
    if name == _LOOPBACK:
        raise WayError(f"{name} leads back into this machine, and is no way out")
    if name not in named:
        there = ", ".join(known for known in named if known != _LOOPBACK)
        raise WayError(f"this machine has no interface of that name (it has {there or 'none'})")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    except (OSError, AttributeError):
        raise WayError("this system lets no program choose its interface; name a local address instead") from None
    return Way(via=Via(kind="interface", name=name), device=name)


def _is_taken_anyway(way: Way, target: str | None) -> bool:
    """Every packet to ``target`` leaves so by itself, or every packet to anywhere, in all families that the way has."""
    if way.proxy is not None:
        return False
    families: Sequence[Literal[4, 6]] = (4, 6)
    if target is not None:
        families = (family_of(target),)
    own = [
        (family, route)
        for family in families
        if way.family in {None, family} and (route := _route(target or _ANYWHERE[family])) is not None
    ]
    if not all(_is_by(way, route) for _, route in own):
        return False
    return bool(own) and (target is not None or not any(_may_go_elsewhere(family, route) for family, route in own))


def _route(address: str) -> netlink.Route | None:
    """The machine's own way to ``address``; None: it has none, or does not tell."""
    try:
        return netlink.route_to(address) if sys.platform == "linux" else None
    except OSError:
        return None


def _is_by(way: Way, route: netlink.Route) -> bool:
    if way.device is not None:
        return route.device == way.device
    return route.source is not None and parse(route.source) == parse(way.source or "")


def _may_go_elsewhere(family: Literal[4, 6], usual: netlink.Route) -> bool:
    """Some networks are reached by another interface than the rest: the target may be in one of them."""
    try:
        return bool(netlink.detours(family) - {usual.device})
    except OSError:
        return True
