"""Host names as text: no sockets, no dnspython."""

import ipaddress


def is_literal(host: str) -> bool:
    """Is ``host`` an address, with or without a zone?"""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def without_zone(name: str) -> str:
    """``fe80::1%eth0`` without its zone, ``name.`` without its dot: as certificates and Host headers write them."""
    return name.partition("%")[0].removesuffix(".")


def is_within(name: str, zone: str) -> bool:
    """Is ``name`` in ``zone`` (itself or below)? Both without final dots; the root is ``.`` or empty."""
    lower, top = name.lower(), zone.lower().strip(".")
    return not top or lower == top or lower.endswith(f".{top}")
