"""unbound: the ISP's, the LAN's and the public resolvers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.netns.daemons import names


def write(folder: Path, *, forward_to: Sequence[str] = (), extra: Sequence[str] = (), six: bool = True) -> list[str]:
    """Write the configuration; returns the command to run. Recursive from the lab's root unless it forwards."""
    folder.mkdir(parents=True, exist_ok=True)
    hints = [f". 3600000 NS {name}.\n" for name in names.ROOT_SERVERS]
    for name in names.ROOT_SERVERS:
        hints += [f"{name}. 3600000 {'AAAA' if ':' in a else 'A'} {a}\n" for a in names.WELL_KNOWN[name]]
    (folder / "root.hints").write_text("".join(hints))
    lines = [
        "server:",
        'username: ""',
        'chroot: ""',
        f'directory: "{folder}"',
        'pidfile: ""',
        "use-syslog: no",
        f'logfile: "{folder}/log"',
        "verbosity: 1",
        "num-threads: 1",
        "so-reuseport: no",
        "interface: 0.0.0.0",
        "interface: ::0",
        "interface-automatic: yes",
        "access-control: 0.0.0.0/0 allow",
        "access-control: ::0/0 allow",
        'module-config: "iterator"',
        f'root-hints: "{folder}/root.hints"',
        f"do-ip6: {'yes' if six else 'no'}",
        # The lab answers for these itself, and unbound would otherwise answer out of its own built-in zones.
        "unblock-lan-zones: yes",
        "insecure-lan-zones: yes",
        "outgoing-range: 128",
        "num-queries-per-thread: 64",
        "ede: yes",
        *extra,
        "remote-control:",
        "control-enable: no",
    ]
    if forward_to:
        lines += ["forward-zone:", 'name: "."', *(f"forward-addr: {address}" for address in forward_to)]
    (folder / "unbound.conf").write_text("\n".join(lines) + "\n")
    return ["unbound", "-d", "-p", "-c", str(folder / "unbound.conf")]
