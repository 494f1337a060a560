"""From a scenario to a running network: addresses, files, daemons, readiness, then the changes."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.netns import kernel, placeholders
from tests.netns import namespaces as ns
from tests.netns.daemons import apache, authority, caddy, internet, nginx, relay, resolver, web, zone
from tests.netns.namespaces import MOZILLA, RUN, LabError
from tests.netns.networks import NETWORKS
from tests.netns.pki import Pki
from tests.netns.scenario import Change, Scenario
from tests.netns.topology import reverse_names

_READY_SECONDS = 15.0  # far above the usual half second; a slower machine only waits longer
PROXY_PORT = 3128
# libfaketime 0.9.10 breaks the absolute clock_nanosleep(2) under time.sleep: EINVAL, or a sleep of years.
_SLEEP = "import select, time\ntime.sleep = lambda seconds: (select.select([], [], [], seconds), None)[1]\n"
_TABLE = """
table inet lab {
  chain prerouting { type filter hook prerouting priority -300; policy accept; }
  chain input { type filter hook input priority 0; policy accept; }
  chain forward { type filter hook forward priority 0; policy accept; }
  chain output { type filter hook output priority 0; policy accept; }
}
"""


class Assembly:
    """One running lab, seen from inside its supervisor."""

    def __init__(self, scenario: Scenario, network: str) -> None:
        self.scenario = scenario
        self.network = NETWORKS[network]()
        self.known = placeholders.values(self.network)
        self.spaces = ns.Namespaces(self.network)
        self.pki = Pki.make()
        self._tables: set[str] = set()
        self._waits: list[tuple[str, str, int]] = []  # node, address, TCP port

    def build(self) -> None:
        """Everything up and answering. Raises LabError and PlaceholderError."""
        six = self.scenario.customer.ipv6
        off = frozenset() if (self.network.customer_ipv6 if six is None else six) else frozenset({"customer"})
        self.spaces.create(ipv6_off=off)
        self._files()
        self._relays()
        self._internet()
        self._resolvers()
        self._vendor()
        self._gateway()
        self._boxes()
        self._agent()
        self._wait_ready()
        for change in self.scenario.change:
            self.apply(change)
        for line in self.scenario.customer.warm_up:
            self._shell("customer", self.fill(line))

    def description(self) -> dict[str, Any]:
        """What the owner needs: descriptors per role, placeholders, the customer's environment."""
        roles = {node.name: node.name for node in self.network.nodes} | dict(self.network.aliases)
        return {
            "roles": {role: [self.spaces.net[name], self.spaces.mnt[name]] for role, name in roles.items()},
            "values": self.known | {"url": self.fill(self.scenario.url)},
            "env": self.customer_env(),
        }

    def customer_env(self) -> dict[str, str]:
        """Environment of a process on the customer's machine."""
        env = {name: self.fill(value) for name, value in self.scenario.customer.env.items()}
        if self.scenario.customer.clock is not None:
            env |= {
                "LD_PRELOAD": "/usr/$LIB/faketime/libfaketimeMT.so.1",
                "FAKETIME": self.scenario.customer.clock,
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "PYTHONPATH": str(RUN / "python"),  # lab.py puts the caller's own behind it
            }
        return env

    def fill(self, text: str) -> str:
        """Placeholders of this network."""
        return placeholders.fill(text, self.network, self.known)

    def apply(self, change: Change) -> None:
        """Make one change. Raises LabError naming the line that failed."""
        for role in (change.at,) if isinstance(change.at, str) else change.at:
            try:
                name = self.network.node(role).name
            except KeyError as error:
                raise LabError(str(error)) from error
            if change.sysctl:
                ns.sysctl(self.spaces, name, {key: str(value) for key, value in change.sysctl.items()})
            if change.ip:
                ns.ip_batch(name, [self.fill(line) for line in change.ip])
            if change.nft:
                if name not in self._tables:
                    ns.nft(name, _TABLE)
                    self._tables.add(name)
                ns.nft(name, "\n".join(self.fill(line) for line in change.nft) + "\n")
            for tool, lines in (("iptables", change.iptables), ("ip6tables", change.ip6tables)):
                for line in lines:
                    self._shell(name, f"{tool} -w {self.fill(line)}")
            for line in change.run:
                self._shell(name, self.fill(line))

    # -- processes -----------------------------------------------------------------------------------------------

    def spawn(self, role: str, command: Sequence[str]) -> None:
        """Start a program in a node, its output into a log under /run/lab/log."""
        name = self.network.node(role).name
        with self._log(f"{role}-{Path(command[0]).name}").open("ab") as log:
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: self.spaces.enter(name),  # noqa: PLW1509 - this process has no threads
            )

    def fork(self, role: str | None, what: str, work: Callable[[], object]) -> None:
        """Run a Python function in a child inside a node (None: in the base namespace)."""
        if os.fork():
            return
        try:
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            with self._log(what).open("ab") as log:
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, 0)
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            if role is not None:
                self.spaces.enter(self.network.node(role).name)
            work()
        except BaseException:  # noqa: BLE001 - a forked child must never return into its parent's code
            import traceback  # noqa: PLC0415

            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(1)

    @staticmethod
    def _log(what: str) -> Path:
        path = RUN / "log" / what
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _shell(self, role: str, line: str) -> None:
        name = self.network.node(role).name
        customer = {
            "PATH": os.environ["PATH"],
            "HOME": str(RUN),
            "SSL_CERT_FILE": str(RUN / "trust.pem"),
            **self.customer_env(),
        }
        done = subprocess.run(
            ["sh", "-ec", line],
            capture_output=True,
            text=True,
            check=False,
            env=customer if role == "customer" else None,
            preexec_fn=lambda: self.spaces.enter(name),
        )
        if done.returncode != 0:
            raise LabError(f"at {role}: {line!r} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")

    # -- parts ---------------------------------------------------------------------------------------------------

    def _files(self) -> None:
        for tool in ("ping", "mtr-packet"):
            # Debian gives these a file capability, and a process that may never gain one cannot even start them.
            # A plain copy runs, as far as an ordinary user gets with it.
            found = shutil.which(tool)
            if found is not None:
                (RUN / "bin").mkdir(exist_ok=True)
                shutil.copyfile(found, RUN / "bin" / tool)
                (RUN / "bin" / tool).chmod(0o755)
        (RUN / "python").mkdir()
        (RUN / "python" / "sitecustomize.py").write_text(_SLEEP)
        trusted = self.pki.trusted_pem
        MOZILLA.write_bytes(trusted)
        if "interception" in self.scenario.customer.trust:
            trusted += self.pki.interception_pem
        (RUN / "trust.pem").write_bytes(trusted)
        (RUN / "interception.pem").write_bytes(self.pki.interception_pem)
        isp = self.known["isp_resolver4"]
        lists = {
            "customer": self._customer_resolvers(),
            "agent": self.network.agent_resolvers,
            "gateway": (isp,),
        }
        hosts = "127.0.0.1 localhost\n::1 localhost\n"
        own = "".join(self.fill(line) + "\n" for line in self.scenario.customer.hosts)
        for node in self.network.nodes:
            if node.name in lists:
                text = "".join(f"nameserver {address}\n" for address in lists[node.name])
                self.spaces.write_etc(node.name, "resolv.conf", text)
                self.spaces.write_etc(node.name, "hosts", hosts + (own if node.name == "customer" else ""))
        for role in ("customer", "agent"):
            # As distributions set it: every user may ping.
            ns.sysctl(self.spaces, role, {"net.ipv4.ping_group_range": "0 0"})

    def _customer_resolvers(self) -> Sequence[str]:
        choice = self.scenario.customer.resolver
        if not isinstance(choice, str):
            return [self.fill(text) for text in choice]
        return {
            "default": self.network.customer_resolvers,
            "isp": (self.known["isp_resolver4"],),
            "lan": (self._lan_resolver(),),
            "public": ("1.1.1.1", "8.8.8.8"),
        }[choice]

    def _lan_resolver(self) -> str:
        """The LAN's own resolver: the home router itself, or a machine of its own."""
        return self.known["gateway4" if "lan-resolver" in self.network.aliases else "lan_resolver4"]

    def _relays(self) -> None:
        for link in self.network.links:
            if link.delay_ms:
                for end in (link.a, link.b):
                    with self.spaces.inside(end):
                        kernel.offloads_off(ns.cable_end(self.network, link, end))
                work = functools.partial(relay.serve, *ns.relay_ends(self.network, link), link.delay_ms, link.jitter_ms)
                self.fork(None, "relay", work)

    def _internet(self) -> None:
        dns = authority.Authority({self.network.vendor.zone: self.network.vendor.ns}, reverse_names(self.network))

        def sites() -> None:
            web.listen(80, internet.handle)
            web.listen(443, internet.handle, self._foreign_chain)

        def world() -> None:
            sites()
            authority.serve(dns)

        def resolvers() -> None:
            sites()
            signal.pause()

        self.fork("internet", "internet", world)
        self.fork("public-resolvers", "public-resolvers-web", resolvers)
        self._waits += [("internet", "127.0.0.1", 53), ("public-resolvers", "1.1.1.1", 443)]

    def _foreign_chain(self, names: tuple[str, ...]) -> tuple[bytes, bytes]:
        """Nobody but the vendor has a certificate for the vendor's zone; a wrong address shows somebody else's."""
        zone = self.network.vendor.zone
        strange = names[0] == zone or names[0].endswith(f".{zone}")
        return self.pki.control_chain(("parked.example.net", *names[1:]) if strange else names)

    def _resolvers(self) -> None:
        off, dns = self.scenario.off, self.scenario.dns
        isp = self.known["isp_resolver4"]
        wanted: list[tuple[str, str, Sequence[str], Sequence[str]]] = [
            ("public-resolvers", "1.1.1.1", (), ()),
            ("isp-resolver", isp, (), dns.isp_resolver),
        ]
        if self._lan_resolver() in self._customer_resolvers():
            upstream = (isp,) if self.network.lan_resolver_forwards else ()
            wanted.append(("lan-resolver", self._lan_resolver(), upstream, dns.lan_resolver))
        for role, address, forward, extra in wanted:
            if role in off:
                continue
            six = role != "lan-resolver"
            lines = [self.fill(line) for line in extra]
            self.spawn(role, resolver.write(RUN / role, forward_to=forward, extra=lines, six=six))
            self._waits.append((role, address, 53))

    def _vendor(self) -> None:
        vendor, options = self.network.vendor, self.scenario.vendor
        dns = self.scenario.dns
        if dns.authority != "off" and "vendor-dns" not in self.scenario.off:
            command = zone.write(RUN / "vendor-dns", vendor, dns, two_addresses=options.two_addresses)
            self.spawn("vendor-dns", command)
            self._waits.append(("vendor-dns", next(iter(vendor.ns.values()))[0], 53))
        if options.server == "none" or "vendor" in self.scenario.off:
            return
        folder = RUN / "vendor"
        folder.mkdir()
        chain, key = self.pki.vendor_chain(vendor.name, options.certificate)
        for file, text in (("chain.pem", chain), ("key.pem", key), ("site.pem", chain + key)):
            (folder / file).write_bytes(text)
        if options.server in ("nginx", "haproxy"):
            filled = msgspec.structs.replace(
                options,
                http=self.fill(options.http),
                site=self.fill(options.site),
                location=self.fill(options.location),
                haproxy=self.fill(options.haproxy),
            )
            self.spawn("vendor", nginx.write(folder, filled, vendor.name, behind_proxy=options.server == "haproxy"))
            if options.server == "haproxy":
                self.spawn("vendor", nginx.write_haproxy(folder, filled.haproxy))
        elif options.server == "apache":
            ns.sysctl(self.spaces, "vendor", {"net.ipv4.ip_unprivileged_port_start": "0"})
            self.spawn("vendor", apache.write(folder, self.fill(options.apache), vendor.name))
        elif options.server == "caddy":
            self.spawn("vendor", caddy.write(folder, self.fill(options.caddy), vendor.name))
        elif options.server == "api_gateway":
            from tests.netns.daemons import api_gateway  # noqa: PLC0415

            refused = [self.fill(one) for one in options.gateway_refuses]
            told = options.gateway_answer
            self.fork("vendor", "vendor-api-gateway", lambda: api_gateway.serve(told, refused, chain, key))
        else:
            from tests.netns.daemons import misbehaving  # noqa: PLC0415

            kind = options.server
            self.fork("vendor", f"vendor-{kind}", lambda: misbehaving.serve(kind, chain, key))
        self._waits.append(("vendor", vendor.address4, 443))
        if options.fail2ban:
            from tests.netns.daemons import fail2ban  # noqa: PLC0415

            self.spawn("vendor", fail2ban.write(RUN / "fail2ban", self.fill(options.fail2ban), folder / "access.log"))
            fail2ban.wait(RUN / "fail2ban", _READY_SECONDS)

    def _gateway(self) -> None:
        options = self.scenario.gateway
        if not (options.portal or options.interception or options.proxy != "none"):
            return
        from tests.netns.daemons import middle  # noqa: PLC0415

        middle.start(self, options)

    def _boxes(self) -> None:
        for box in self.scenario.box:
            from tests.netns.daemons import middle  # noqa: PLC0415

            middle.start_box(self, box)

    def _agent(self) -> None:
        if self.scenario.agent.proxy != "none":
            from tests.netns.daemons import middle  # noqa: PLC0415

            middle.start_proxy(self, "agent", self.scenario.agent.proxy)

    def wait_for(self, node: str, address: str, port: int) -> None:
        """Have readiness wait for a TCP port too."""
        self._waits.append((node, address, port))

    def _wait_ready(self) -> None:
        """Wait until every daemon accepts connections at its own address, tried from inside its own node."""
        end = time.monotonic() + _READY_SECONDS
        for role, address, port in self._waits:
            with self.spaces.inside(self.network.node(role).name):
                while True:
                    try:
                        socket.create_connection((address, port), timeout=0.5).close()
                        break
                    except OSError as error:
                        if time.monotonic() > end:
                            logs = "\n".join(f"--- {p.name}\n{p.read_text()[-800:]}" for p in (RUN / "log").iterdir())
                            raise LabError(f"{role} does not answer on {address}:{port}: {error}\n{logs}") from error
                        time.sleep(0.01)
