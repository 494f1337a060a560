"""``scenario.toml``: what is broken in an otherwise healthy network, and what is true about it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

import msgspec

SCHEMA = "netdiag/scenario/1"
BUNDLES = Path(__file__).resolve().parents[2] / "bundles"

Side = Literal["local", "transit", "host", "none", "inconclusive"]
Certainty = Literal["established", "likely"]
ResolverName = Literal["default", "isp", "lan", "public"]
CertificateKind = Literal[
    "good",
    "expired",
    "not_yet_valid",
    "wrong_name",
    "private_ca",
    "missing_intermediate",
    "self_signed",
    "many_names",
]
ServerKind = Literal[
    "nginx",
    "haproxy",
    "none",
    "accept_silent",
    "accept_close",
    "accept_reset",
    "tls_silent",
    "tls_slow",
    "tls_close",
    "tls_cut_body",
    "plain_http",
    "accept_never",
    "apache",
    "caddy",
    "api_gateway",
]
GatewayAnswer = Literal[
    "aws_throttled",
    "aws_quota",
    "aws_denied",
    "kong_limit",
    "kong_address",
    "traefik_limit",
    "envoy_limit",
    "envoy_rbac",
]


class ScenarioError(Exception):
    """A scenario file that cannot be used; the text names the file and the key."""


# A key that nobody reads would be a fault that nobody made, so every struct below refuses unknown ones.


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may come out, and never more: the sides allowed and the strongest word allowed with a side."""

    sides: tuple[Side, ...]
    certainty: Certainty | None = None


class Truth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is really broken, and what each set of evidence can know of it."""

    fault: str
    like: tuple[str, ...] = ()  # faults of the same side that one end cannot tell from the true one
    alone: Answer
    control: Answer | None = None  # with the agent's own bundle
    profile: Answer | None = None  # with the vendor's profile


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something done to one or several nodes after the healthy network is up, in the order of the fields."""

    at: str | tuple[str, ...]
    sysctl: dict[str, str | int] = {}
    ip: tuple[str, ...] = ()
    nft: tuple[str, ...] = ()
    iptables: tuple[str, ...] = ()
    ip6tables: tuple[str, ...] = ()
    run: tuple[str, ...] = ()  # one shell line each


class Vendor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vendor's own machine."""

    server: ServerKind = "nginx"
    certificate: CertificateKind = "good"
    http: str = ""  # nginx, inside http {}
    site: str = ""  # nginx, inside server { listen 443 }
    location: str = ""  # nginx, inside location / {}; replaces the healthy answer
    haproxy: str = ""  # haproxy, inside the frontend; its backend "origin" is nginx
    apache: str = ""  # Apache, inside its virtual host
    caddy: str = ""  # Caddy, inside the site's route
    gateway_answer: GatewayAnswer = "kong_limit"  # what the API gateway tells those whom it refuses
    gateway_refuses: tuple[str, ...] = ()  # addresses and networks
    fail2ban: str = ""  # a real fail2ban jail over nginx' access log: the lines of [jail]
    two_addresses: bool = False  # publish and serve the second address pair too
    listen6: bool = True  # nginx answers on IPv6


class Dns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vendor's zone, and the resolvers on the way to it (raw unbound ``server:`` lines)."""

    authority: Literal["ok", "nxdomain", "lame", "servfail", "off"] = "ok"
    aaaa: bool = True
    isp_resolver: tuple[str, ...] = ()
    lan_resolver: tuple[str, ...] = ()


class Customer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer's machine."""

    resolver: ResolverName | tuple[str, ...] = "default"
    ipv6: bool | None = None  # None: as the network has it
    hosts: tuple[str, ...] = ()
    env: dict[str, str] = {}
    clock: str | None = None  # libfaketime's relative form, such as "-900d"
    trust: tuple[Literal["lab", "interception"], ...] = ("lab",)
    collect: tuple[str, ...] = ()  # flags of his netdiag collect
    warm_up: tuple[str, ...] = ()  # shell lines run as the customer before anything is measured


class Gateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the first hop does besides forwarding."""

    portal: bool = False
    interception: bool = False
    proxy: Literal["none", "open", "auth_required", "forbidding"] = "none"


class Box(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something on the way that takes a port over and answers in the place of those that it was meant for."""

    at: str | tuple[str, ...]
    port: Literal[80, 443] = 443
    takes: Literal["vendor", "all"] = "vendor"  # connections to the vendor's network, or to everybody
    # On 443: a public one for a name of its own; one that it signed itself; for the vendor's name, by the company's
    # authority ([customer] trust), and then what is for other names is opened and passed on.
    certificate: Literal["none", "own_name", "self_signed", "company"] = "none"
    answer: Literal["page", "alert", "plain", "silent"] = "page"  # "plain": the page, to whatever is said first
    status: str = "403 Forbidden"
    headers: dict[str, str] = {}
    body: str = ""


class Agent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agent's machine, on a line of its own."""

    proxy: Literal["none", "open", "forbidding"] = "none"  # a proxy that anybody may use: a second way out


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario file."""

    schema: Literal["netdiag/scenario/1"]
    title: str
    about: str
    truth: Truth
    networks: tuple[Literal["home", "office"], ...] = ("home", "office")
    url: str = "{vendor_url}"
    ordinary_user: bool = True
    expect_live: bool = False
    off: tuple[str, ...] = ()  # roles whose daemon is not started (its port is closed)
    change: tuple[Change, ...] = ()
    vendor: Vendor = Vendor()
    dns: Dns = Dns()
    customer: Customer = Customer()
    gateway: Gateway = Gateway()
    box: tuple[Box, ...] = ()
    agent: Agent = Agent()


def parse(raw: bytes, where: str) -> Scenario:
    """Decode one file. Raises ScenarioError."""
    try:
        return msgspec.toml.decode(raw, type=Scenario)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise ScenarioError(f"{where}: {error}") from error


def find(name: str) -> Path:
    """The file of a scenario: a name of a folder under ``bundles/``, a path to one, or a ``.toml`` file.

    Raises ScenarioError with the nearest names.
    """
    path = Path(name)
    for candidate in (path, path / "scenario.toml", BUNDLES / name / "scenario.toml"):
        if candidate.is_file():
            return candidate
    near = [known for known in names() if name in known] or difflib.get_close_matches(name, names(), 5, 0.3)
    raise ScenarioError(f"no scenario {name!r}; near it: {', '.join(near) or 'none'} (the command `list` names all)")


def load(name: str) -> Scenario:
    """Find and decode one scenario. Raises ScenarioError."""
    path = find(name)
    return parse(path.read_bytes(), path.parent.name)


def names() -> list[str]:
    """Every scenario of the corpus."""
    return sorted(path.parent.name for path in BUNDLES.glob("*/scenario.toml"))


def change_from(plain: object) -> Change:
    """A change out of plain JSON values. Raises msgspec.ValidationError."""
    return msgspec.convert(plain, Change)
