"""nsd: the vendor's own name servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.netns.scenario import Dns
from tests.netns.topology import Vendor

_TTL = 60


def zone_text(vendor: Vendor, dns: Dns, *, two_addresses: bool) -> str:
    """The zone file, healthy but for what ``dns`` asks."""
    lines = [
        f"$ORIGIN {vendor.zone}.",
        f"$TTL {_TTL}",
        f"@ SOA {next(iter(vendor.ns))}. hostmaster 2024050101 7200 3600 1209600 60",
    ]
    for server, addresses in vendor.ns.items():
        lines.append(f"@ NS {server}.")
        lines += [f"{server}. {'AAAA' if ':' in address else 'A'} {address}" for address in addresses]
    served4, served6 = [vendor.address4], [vendor.address6] if dns.aaaa else []
    if two_addresses:
        served4.append(vendor.second4)
        served6 += [vendor.second6] if dns.aaaa else []
    if dns.authority != "nxdomain":
        lines += [f"{vendor.name}. A {address}" for address in served4]
        lines += [f"{vendor.name}. AAAA {address}" for address in served6]
    lines.append(f"@ A {vendor.address4}")
    return "\n".join(lines) + "\n"


def write(folder: Path, vendor: Vendor, dns: Dns, *, two_addresses: bool) -> list[str]:
    """Write configuration and zone; returns the command to run.

    ``lame`` servers do not know the zone (REFUSED); ``servfail`` ones know it but have no zone file to serve.
    """
    folder.mkdir(parents=True, exist_ok=True)
    addresses: Sequence[str] = [address for found in vendor.ns.values() for address in found]
    lines = [
        "server:",
        *(f"ip-address: {address}" for address in addresses),
        'username: ""',
        'chroot: ""',
        f'zonesdir: "{folder}"',
        'database: ""',
        'pidfile: ""',
        'zonelistfile: "/run/lab/nsd.zones"',
        f'xfrdfile: "{folder}/xfrd.state"',
        f'xfrdir: "{folder}"',
        f'logfile: "{folder}/log"',
        "server-count: 1",
        "rrl-ratelimit: 0",
        "remote-control:",
        "control-enable: no",
    ]
    if dns.authority != "lame":
        lines += ["zone:", f'name: "{vendor.zone}"', 'zonefile: "zone"']
    (folder / "nsd.conf").write_text("\n".join(lines) + "\n")
    if dns.authority != "servfail":
        (folder / "zone").write_text(zone_text(vendor, dns, two_addresses=two_addresses))
    return ["nsd", "-d", "-c", str(folder / "nsd.conf")]
