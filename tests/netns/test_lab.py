"""The lab proves itself, with tools that are not netdiag's: curl, dig, ping, plain sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.netns.lab import ROOT, Lab
from tests.netns.namespaces import LabError

pytestmark = pytest.mark.lab

LabFactory = Callable[..., Lab]

HEADER = 'schema = "netdiag/scenario/1"\ntitle = "t"\nabout = "a"\n'
TRUTH = '\n[truth]\nfault = "none"\nalone.sides = ["none"]\n'
CURL = ("curl", "-sS", "-m", "3")

# One connect with the ICMP error kept: prints errno, and type, code and sender of what the error queue holds.
CONNECT = """
import errno, json, socket, struct, sys
s = socket.socket(); s.settimeout(2)
s.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
if len(sys.argv) > 3: s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(sys.argv[3]))
code = "ok"
try: s.connect((sys.argv[1], int(sys.argv[2])))
except TimeoutError: code = "timeout"
except OSError as e: code = errno.errorcode[e.errno]
found = None
s.setblocking(False)
try:
    _, anc, _, _ = s.recvmsg(512, 512, 0x2000 | 0x40)  # MSG_ERRQUEUE | MSG_DONTWAIT
    d = next(d for _, _, d in anc)
    found = [d[5], d[6], socket.inet_ntoa(d[20:24])]
except OSError: pass
print(json.dumps([code, found]))
"""


def _connect(lab: Lab, role: str, address: str, port: int = 443, ttl: int | None = None) -> tuple[str, object]:
    argv = [sys.executable, "-c", CONNECT, address, str(port), *([str(ttl)] if ttl else [])]
    done = lab.run(role, argv)
    assert done.returncode == 0, done.stderr
    code, found = json.loads(done.stdout)
    return code, found


@pytest.fixture(scope="module", params=["home", "office"])
def healthy(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One healthy lab of each network for all tests that only look."""
    with Lab.load("healthy", network=request.param) as lab:
        yield lab


def test_vendor_answers_with_a_good_certificate(healthy: Lab) -> None:
    for role in ("customer", "agent"):
        done = healthy.run(role, [*CURL, "-4", healthy.url])
        assert json.loads(done.stdout)["status"] == "ok", done.stderr


def test_ipv6_is_as_the_network_has_it(healthy: Lab) -> None:
    done = healthy.run("customer", [*CURL, "-6", healthy.url])
    assert (done.returncode == 0) == (healthy.network == "home"), done.stderr
    assert healthy.run("agent", [*CURL, "-6", healthy.url]).returncode == 0


def test_certificates_of_controls_have_other_issuers(healthy: Lab) -> None:
    issuers = set()
    for url in (healthy.url, "https://www.gstatic.com/", "https://dns.quad9.net/", "https://captive.apple.com/"):
        done = healthy.run("customer", [*CURL, "-v", "-o", "/dev/null", url])
        assert done.returncode == 0, done.stderr
        issuers.add(next(line for line in done.stderr.splitlines() if "issuer:" in line))
    assert len(issuers) >= 2


@pytest.mark.parametrize("server", ["configured", "1.1.1.1", "8.8.8.8", "9.9.9.9", "authority"])
def test_dns_answers_everywhere(healthy: Lab, server: str) -> None:
    name = healthy.values["vendor_name"]
    at = {"configured": [], "authority": ["@" + healthy.values["vendor_dns4"]]}.get(server, ["@" + server])
    for transport in ("+notcp", "+tcp"):
        done = healthy.run("customer", ["dig", *at, transport, "+short", name, "A"])
        assert done.stdout.split() == [healthy.values["vendor4"]], done.stdout + done.stderr


def test_resolvers_know_what_does_not_exist(healthy: Lab) -> None:
    done = healthy.run("customer", ["dig", "nx-1234.example.com"])
    assert "status: NXDOMAIN" in done.stdout
    done = healthy.run("customer", ["dig", "+short", "ipv4only.arpa", "A"])
    assert sorted(done.stdout.split()) == ["192.0.0.170", "192.0.0.171"]
    assert healthy.run("customer", ["dig", "+short", "ipv4only.arpa", "AAAA"]).stdout == ""


def test_routers_have_reverse_names(healthy: Lab) -> None:
    done = healthy.run("customer", ["dig", "+short", "-x", healthy.values["border4"]])
    assert "border" in done.stdout


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://connectivitycheck.gstatic.com/generate_204", "204 "),
        ("http://detectportal.firefox.com/success.txt", "200 success\n"),
        ("http://www.msftconnecttest.com/connecttest.txt", "200 Microsoft Connect Test"),
    ],
)
def test_connectivity_checks(healthy: Lab, url: str, expected: str) -> None:
    done = healthy.run("customer", [*CURL, "-w", "%{stderr}%{http_code} ", url])
    assert done.stderr + done.stdout == expected


def test_walk_names_every_hop(healthy: Lab) -> None:
    first = _connect(healthy, "customer", healthy.values["vendor4"], ttl=1)
    assert first == ("EHOSTUNREACH", [11, 0, healthy.values["gateway4"]])
    hops = []
    for ttl in range(2, 15):
        code, found = _connect(healthy, "customer", healthy.values["vendor4"], ttl=ttl)
        if code == "ok":
            break
        assert isinstance(found, list), f"hop {ttl}: {code}"
        hops.append(found[2])
    assert len(hops) == (5 if healthy.network == "home" else 8)
    assert healthy.values["vendor_firewall4"] == hops[-1]


def test_documentation_space_is_unrouted(healthy: Lab) -> None:
    assert _connect(healthy, "customer", "203.0.113.7")[0] == "timeout"


def test_ordinary_user_has_no_capability(healthy: Lab) -> None:
    done = healthy.run("customer", ["sh", "-c", "grep -E '^Cap|NoNewPrivs' /proc/self/status; ip link set lo down"])
    values = {line.split(":")[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert {int(value, 16) for key, value in values.items() if key.startswith("Cap")} == {0}
    assert values["NoNewPrivs"] == "1"
    assert done.returncode != 0


def test_other_machines_have_other_resolvers(healthy: Lab) -> None:
    here = healthy.run("customer", ["cat", "/etc/resolv.conf"]).stdout
    assert here != healthy.run("agent", ["cat", "/etc/resolv.conf"]).stdout
    assert "nameserver" in here


def test_syns_are_counted_at_the_vendor(healthy: Lab) -> None:
    assert healthy.count_syns() == 0
    for _ in range(3):
        assert _connect(healthy, "customer", healthy.values["vendor4"])[0] == "ok"
    assert healthy.count_syns() == 3


def test_delay_is_real_in_the_office(healthy: Lab) -> None:
    """Not a timed test of anything: the relay sleeps, so less than its delay is impossible."""
    done = healthy.run("customer", ["ping", "-n", "-c1", healthy.values["isp24"]])
    assert done.returncode == 0, done.stdout
    milliseconds = float(done.stdout.split("time=")[1].split()[0])
    assert milliseconds >= (34 if healthy.network == "office" else 0.6)


# -- changes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["home", "office"])
@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("host-blocked-drop", "timeout", None),
        ("host-blocked-reject-port-unreachable", "ECONNREFUSED", [3, 3, "vendor4"]),
        ("host-blocked-reject-admin-prohibited", "EHOSTUNREACH", [3, 13, "vendor4"]),
        ("host-blocked-reject-tcp-reset", "ECONNREFUSED", None),
        ("host-port-closed", "ECONNREFUSED", None),
        ("transit-net-unreachable", "ENETUNREACH", [3, 0, "isp2"]),
        ("transit-admin-prohibited", "EHOSTUNREACH", [3, 13, "isp2"]),
        ("transit-loop", "EHOSTUNREACH", [11, 0, "isp"]),
        ("transit-black-hole-isp", "timeout", None),
    ],
)
def test_refusals_look_as_they_say(
    lab: LabFactory, network: str, name: str, code: str, found: list[object] | None
) -> None:
    here = lab(name, network=network)
    got, queue = _connect(here, "customer", here.values["vendor4"])
    assert got == code
    if found is None:
        assert queue is None
        return
    assert isinstance(queue, list)
    assert queue[:2] == found[:2]
    if found[2] == "vendor4":
        assert queue[2] == here.values["vendor4"]
    agent = _connect(here, "agent", here.values["vendor4"])[0]
    assert agent == "ok"


def test_changes_can_be_made_while_it_runs(lab: LabFactory) -> None:
    here = lab("host-blocked-drop")
    assert _connect(here, "customer", here.values["vendor4"])[0] == "timeout"
    here.apply(at="vendor-firewall", nft=["flush chain inet lab forward"])
    assert _connect(here, "customer", here.values["vendor4"])[0] == "ok"


@pytest.mark.parametrize("network", ["home", "office"])
def test_portal_and_interceptor(lab: LabFactory, network: str) -> None:
    portal = lab("local-captive-portal", network=network)
    check = "http://connectivitycheck.gstatic.com/generate_204"
    assert "302" in portal.run("customer", [*CURL, "-i", check]).stdout
    untrusted = lab("local-interception-untrusted", network=network)
    assert untrusted.run("customer", [*CURL, "-4", untrusted.url]).returncode == 60
    trusted = lab("none-interception-trusted", network=network)
    done = trusted.run("customer", [*CURL, "-4", "-v", trusted.url])
    assert "Gatewatch" in done.stderr
    assert json.loads(done.stdout)["status"] == "ok"


def test_proxy_is_the_only_way_out(lab: LabFactory) -> None:
    here = lab("none-through-proxy", network="office")
    assert json.loads(here.run("customer", [*CURL, here.url]).stdout)["status"] == "ok"
    assert here.run("customer", [*CURL, "--noproxy", "*", here.url]).returncode == 28


def test_clock_is_faked_for_the_customer_only(lab: LabFactory) -> None:
    here = lab("local-clock-years-back")
    year = time.gmtime().tm_year
    assert int(here.run("customer", ["date", "+%Y"]).stdout) < year
    assert int(here.run("agent", ["date", "+%Y"]).stdout) == year
    assert here.run("customer", [*CURL, here.url]).returncode == 60
    slept = here.run("customer", [sys.executable, "-c", "import time; time.sleep(0.01)"], timeout=20)
    assert slept.returncode == 0, slept.stderr


def test_real_fail2ban_bans(lab: LabFactory) -> None:
    here = lab("host-blocked-fail2ban")
    got = _connect(here, "customer", here.values["vendor4"])
    assert got == ("ECONNREFUSED", [3, 3, here.values["vendor4"]])
    assert _connect(here, "agent", here.values["vendor4"])[0] == "ok"


def test_haproxy_serves(lab: LabFactory) -> None:
    here = lab("host-rate-limit-haproxy-429")
    done = here.run("customer", [*CURL, "-i", here.url])
    assert "429" in done.stdout.splitlines()[0]


def test_bad_rules_are_named(lab: LabFactory) -> None:
    bad = HEADER + '[[change]]\nat = "border"\nnft = ["add rule inet lab nowhere drop"]' + TRUTH
    with pytest.raises(LabError, match="nowhere"):
        lab(toml=bad)


# -- nothing stays, nothing clashes ------------------------------------------------------------------------------------


def test_labs_run_side_by_side(lab: LabFactory) -> None:
    one, two = lab("healthy"), lab("host-blocked-drop")
    assert one.run("customer", [*CURL, "-4", one.url]).returncode == 0
    assert two.run("customer", [*CURL, "-4", two.url]).returncode == 28
    assert one.run("customer", [*CURL, "-4", one.url]).returncode == 0


OWNER = """
import sys, time
from tests.netns.lab import Lab
lab = Lab.load("healthy"); lab.__enter__()
inner = lab.popen("customer", ["sleep", "600"])
print(lab._pid, lab._process.pid, inner.pid, lab.home, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_stays_when_the_owner_dies(number: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert owner.stdout is not None
    *words, home = owner.stdout.readline().split()
    first, *others = (int(word) for word in words)
    inside = _tree(first)
    assert len(inside) > 5
    owner.send_signal(number)
    owner.wait()
    owner.stdout.close()
    end = time.monotonic() + 20
    left = [first, *others, *inside]
    while left and time.monotonic() < end:
        left = [pid for pid in left if _alive(pid)]
        time.sleep(0.02)
    assert left == []
    assert not Path(home).exists()


def _tree(pid: int) -> list[int]:
    """All processes below one."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [deep for child in children for deep in _tree(child)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.root
def test_an_ordinary_user_has_a_lab_too(tmp_path: Path) -> None:
    """The whole lab as nobody, inside a user namespace, with the Python of the system."""
    python = "/usr/bin/python3"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    if not os.access(python, os.X_OK):
        pytest.skip("no system Python that nobody may run")
    base = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-i", "PATH=/usr/sbin:/usr/bin:/bin"]
    base += [f"PYTHONPATH={ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE=1", "TMPDIR=/tmp", python]
    importable = subprocess.run(
        [*base, "-c", "import msgspec, tests.netns.lab"], capture_output=True, cwd="/", check=False
    )
    if importable.returncode != 0:
        pytest.skip("nobody may not read this checkout or its packages")
    url = "https://track.nordwerk-logistik.eu/v2/status"
    command = [*base, "-m", "tests.netns", "run", "healthy", "--network", "office", "--", *CURL, url]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, timeout=60)
    assert done.stdout.startswith('{"status":"ok"'), done.stdout + done.stderr
