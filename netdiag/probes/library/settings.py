"""What the machine is configured with: resolvers, hosts file, proxies. Text in, values out."""

import ipaddress
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Literal, NamedTuple

Scheme = Literal["http", "https", "socks", "pac"]


class Resolvers(NamedTuple):
    """The parts of a resolv.conf(5)."""

    servers: tuple[str, ...]
    search: tuple[str, ...]
    options: tuple[str, ...]


class Proxy(NamedTuple):
    """A proxy for requests of ``scheme``; ``host`` None: none is set. Credentials are gone, ``source`` says so."""

    scheme: Scheme
    source: str
    host: str | None = None
    port: int | None = None


def parse_resolv_conf(text: str) -> Resolvers:
    """Name servers in order, the last search list (``domain`` is one of one), all options. Lines that glibc would
    ignore are ignored: comments, and servers that are no addresses."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word == "nameserver" and rest and _is_address(rest[0]):
            servers.append(rest[0])
        elif word in {"search", "domain"}:
            search = tuple(rest)
        elif word == "options":
            options += rest
    return Resolvers(tuple(servers), search, tuple(options))


def parse_hosts(text: str, name: str) -> tuple[str, ...]:
    """The addresses that a hosts(5) file gives ``name``; nothing of other names is kept."""
    wanted = name.rstrip(".").lower()
    found: list[str] = []
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if wanted in (one.rstrip(".").lower() for one in names) and _is_address(address):
            found.append(address)
    return tuple(dict.fromkeys(found))


def proxies_of(settings: Mapping[str, str]) -> list[Proxy]:
    """The proxies for http and https in ``urllib.request.getproxies()``'s form (lower-case scheme to URL)."""
    found: list[Proxy] = []
    for scheme in ("http", "https"):
        key = scheme if settings.get(scheme) else "all"
        found.append(_proxy(scheme, f"{key}_proxy", settings.get(key, "")))
    return found


def _proxy(scheme: Literal["http", "https"], source: str, setting: str) -> Proxy:
    if not setting:
        return Proxy(scheme, "none set")
    try:
        parts = urllib.parse.urlsplit(setting if "://" in setting else f"http://{setting}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return Proxy(scheme, f"{source} (cannot be read)")
    notes = [f"{parts.scheme} proxy"] if parts.scheme != "http" else []
    notes += ["with credentials, removed"] if "@" in parts.netloc else []
    is_socks = parts.scheme.startswith("socks")
    default = 1080 if is_socks else 443 if parts.scheme == "https" else 80
    said = f"{source} ({', '.join(notes)})" if notes else source
    return Proxy("socks" if is_socks else scheme, said, host, port or default)


def is_bypassed(host: str, settings: Mapping[str, str]) -> bool:
    """Does the exception list (``no_proxy``, or the system's) take ``host`` out? Networks in CIDR form count for
    literals, as curl and requests have it; urllib alone knows only names."""
    if settings.get("no") is None:
        return bool(urllib.request.proxy_bypass(host))
    if urllib.request.proxy_bypass_environment(host, dict(settings)):  # type: ignore[attr-defined]
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(_contains(one.strip(), address) for one in settings["no"].split(",") if "/" in one)


def _contains(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
