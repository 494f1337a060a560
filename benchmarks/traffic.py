"""What one run put on the wire, counted by the kernels of the customer's gateway and of the vendor's firewall."""

import json
from pathlib import Path
from typing import NamedTuple

from tests.netns.lab import Lab

_GATEWAY, _FIREWALL = "gateway", "vendor-firewall"


class Traffic(NamedTuple):
    """Packets of one run: ``sent`` came to the customer's gateway, ``met`` reached the vendor's firewall."""

    sent: int
    """All packets from the customer, whoever they were for."""
    sent_to_vendor: int
    syns_to_vendor: int
    """SYNs towards the service port, those of walks that die on the way included."""
    met: int
    syns_met: int
    requests_met: int
    """Lines in the vendor's access log."""

    def since(self, before: "Traffic") -> "Traffic":
        """The difference of two readings."""
        return Traffic(*(now - then for now, then in zip(self, before, strict=True)))


def install(lab: Lab) -> None:
    """Start counting. Raises RuntimeError when a node's kernel refuses."""
    for role, rules in ((_GATEWAY, gateway_rules(lab.values)), (_FIREWALL, firewall_rules(lab.values))):
        done = lab.run(role, ["nft", "-f", "-"], ordinary=False, input=rules)
        if done.returncode != 0:
            raise RuntimeError(f"cannot count at {role}: {done.stderr.strip()}")


def read(lab: Lab) -> Traffic:
    """The counters now."""
    gateway, firewall = _counters(lab, _GATEWAY), _counters(lab, _FIREWALL)
    return Traffic(
        sent=gateway["everything"],
        sent_to_vendor=gateway["to_vendor"],
        syns_to_vendor=gateway["syns"],
        met=firewall["everything"],
        syns_met=firewall["syns"],
        requests_met=_lines(lab.run_folder / "vendor" / "access.log"),
    )


def gateway_rules(values: dict[str, str]) -> str:
    """nft rules for the gateway: what comes from the customer, and the part of it that is for the vendor."""
    rules = []
    for family, word in (("4", "ip"), ("6", "ip6")):
        if f"customer{family}" in values and f"vendor_net{family}" in values:
            source = f"{word} saddr {values[f'customer{family}']}"
            vendor = f"{source} {word} daddr {values[f'vendor_net{family}']}"
            rules += [f"{source} counter name everything", f"{vendor} counter name to_vendor"]
            rules += [f"{vendor} {_syn(values)} counter name syns"]
    return _table(("everything", "to_vendor", "syns"), rules)


def firewall_rules(values: dict[str, str]) -> str:
    """nft rules for the vendor's firewall: what comes in for the vendor, before any of it is dropped."""
    rules = []
    for family, word in (("4", "ip"), ("6", "ip6")):
        if f"vendor_net{family}" in values:
            to_vendor = f"{word} daddr {values[f'vendor_net{family}']}"
            rules += [f"{to_vendor} counter name everything", f"{to_vendor} {_syn(values)} counter name syns"]
    return _table(("everything", "syns"), rules)


def _syn(values: dict[str, str]) -> str:
    return f"tcp dport {values['vendor_port']} tcp flags & (syn|ack) == syn"


def _table(counters: tuple[str, ...], rules: list[str]) -> str:
    lines = ["add table inet bench", *(f"add counter inet bench {name}" for name in counters)]
    lines.append("add chain inet bench seen { type filter hook prerouting priority -400; }")
    return "\n".join([*lines, *(f"add rule inet bench seen {rule}" for rule in rules)]) + "\n"


def _counters(lab: Lab, role: str) -> dict[str, int]:
    done = lab.run(role, ["nft", "-j", "list", "counters", "table", "inet", "bench"], ordinary=False)
    entries = [entry["counter"] for entry in json.loads(done.stdout)["nftables"] if "counter" in entry]
    return {entry["name"]: int(entry["packets"]) for entry in entries}


def _lines(log: Path) -> int:
    return len(log.read_text(errors="replace").splitlines()) if log.is_file() else 0
