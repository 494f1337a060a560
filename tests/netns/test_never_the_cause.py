"""A collect trips no limit: real limiters at their strictest usual settings, asked what they refused.

Each is shown to bite as well: a fast client on the same machine is stopped by it afterwards. Where something else ails,
netdiag looks closer and sends more; there the limiters must stay quiet, too.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from netdiag.evidence.limits import LimitAttempt
from netdiag.evidence.record import NotRun
from netdiag.facts.derivation.whole import derive
from netdiag.verdict import decide
from tests.conftest import LabFactory
from tests.netns.collecting import NETDIAG, NOTHING_IS_WRONG, bundle_in, crashes
from tests.netns.lab import Lab
from tests.netns.sniffer import Packet, sniffing

pytestmark = pytest.mark.lab

RECENT_S = 30
"""ufw limit: an address is refused while it began six connections within so long."""
EVASIVE_S = 10
"""DOSBlockingPeriod of mod_evasive: every request of a banned address begins it anew."""
MARGIN_S = 1.5

Refused = Callable[[Lab], int]


def _in_iptables(lab: Lab) -> int:
    """Packets that a rule with DROP or REJECT met, in both families."""
    saved = [lab.run("vendor", [tool, "-c"], ordinary=False).stdout for tool in ("iptables-save", "ip6tables-save")]
    found = re.findall(r"^\[(\d+):\d+\] -A .* -j (?:DROP|REJECT)\b", "\n".join(saved), re.MULTILINE)
    assert found, "no rule refuses anything: the limiter is not there"
    return sum(int(packets) for packets in found)


def _in_nftables(lab: Lab) -> int:
    """Packets that the counters of the lab's own table met."""
    listed = lab.run("vendor", ["nft", "-j", "list", "table", "inet", "lab"], ordinary=False).stdout
    rules = [entry["rule"]["expr"] for entry in json.loads(listed)["nftables"] if "rule" in entry]
    found = [part["counter"]["packets"] for rule in rules for part in rule if "counter" in part]
    assert found, "no rule counts: the limiter is not there"
    return sum(found)


def _in_fail2ban(lab: Lab) -> int:
    """Addresses that were ever banned."""
    client = ["fail2ban-client", "-s", "/run/lab/fail2ban/socket", "status", "web-refusals"]
    found = re.search(r"Total banned:\s*(\d+)", lab.run("vendor", client, ordinary=False).stdout)
    assert found, "fail2ban does not answer"
    return int(found[1])


def _in_log(file: str, pattern: str) -> Refused:
    """Lines of a log of the vendor's server."""

    def count(lab: Lab) -> int:
        return len(re.findall(pattern, (lab.run_folder / "vendor" / file).read_text(), re.MULTILINE))

    return count


_HAPROXY_TABLE = "\n".join(
    (
        "import socket",
        "asked = socket.socket(socket.AF_UNIX)",
        "asked.connect('/run/lab/vendor/socket')",
        "asked.sendall(b'show stat\\n')",
        "lines = asked.makefile().read().splitlines()",
        "front = next(one for one in lines if one.startswith('public,FRONTEND'))",
        "row = dict(zip(lines[0].split(','), front.split(',')))",
        "print(int(row['dreq']) + int(row['dcon']))",
    )
)


def _in_haproxy(lab: Lab) -> int:
    """Requests and connections that the front denied."""
    return int(lab.run("vendor", ["python3", "-c", _HAPROXY_TABLE], ordinary=False).stdout)


class Limiter(NamedTuple):
    """``toml``: the scenario. ``refused``: how much it refused so far. ``fast``: what it is made to stop."""

    toml: str
    refused: Refused
    fast: str = "for i in $(seq 70); do curl -s -k -o /dev/null -m 2 $URL & done; wait"
    status: str = "200"


def _rules(*rules: str) -> str:
    """These iptables lines at the vendor, for both families."""
    told = ", ".join(json.dumps(rule) for rule in rules)
    return f'{NOTHING_IS_WRONG}\n[[change]]\nat = "vendor"\niptables = [{told}]\nip6tables = [{told}]\n'


_NEW = "-A INPUT -p tcp --dport {vendor_port} -m conntrack --ctstate NEW"
UFW_RULES = (
    "-N limited",
    "-A limited -j REJECT",
    f"{_NEW} -m recent --set",
    f"{_NEW} -m recent --update --seconds {RECENT_S} --hitcount 6 -j limited",
)
_CONNLIMIT = (
    "-A INPUT -p tcp --syn --dport {vendor_port} -m connlimit --connlimit-above 4 -j REJECT --reject-with tcp-reset"
)
_HASHLIMIT = (
    f"{_NEW} -m hashlimit --hashlimit-above 10/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name a"
)
_METER = """
[[change]]
at = "vendor"
nft = [
    "add set inet lab callers4 { type ipv4_addr; flags dynamic; timeout 1h; }",
    "add set inet lab callers6 { type ipv6_addr; flags dynamic; timeout 1h; }",
    "add rule inet lab input tcp dport {vendor_port} ct state new update @callers4 { ip saddr limit rate over 10/minute burst 5 packets } counter drop",
    "add rule inet lab input tcp dport {vendor_port} ct state new update @callers6 { ip6 saddr limit rate over 10/minute burst 5 packets } counter drop",
]
"""  # noqa: E501 - one rule a line
_NGINX = """
[vendor]
http = "{zone}"
site = "location @ok {{ default_type application/json; return 200 '{{}}'; }}"
location = "{limit}; try_files /none @ok;"
"""
EVASIVE = f"""
[vendor]
server = "apache"
apache = \"\"\"
    DOSHashTableSize 3097
    DOSPageCount 2
    DOSSiteCount 50
    DOSPageInterval 1
    DOSSiteInterval 1
    DOSBlockingPeriod {EVASIVE_S}
    DOSLogDir /run/lab/vendor\"\"\"
"""
_JAIL = """
fail2ban = \"\"\"
maxretry = 5
findtime = 10m
bantime = 10m
action = iptables-allports[name=web]\"\"\"
"""


def _jailed(location: str, site: str = "") -> str:
    """fail2ban counts the refusals in the access log of a site that answers so."""
    return f"{NOTHING_IS_WRONG}\n[vendor]\nsite = {json.dumps(site)}\nlocation = {json.dumps(location)}{_JAIL}"


LIMITERS = {
    "ufw limit, 6 in 30 s": Limiter(_rules(*UFW_RULES), _in_iptables),
    "connlimit, 4 connections": Limiter(_rules(_CONNLIMIT), _in_iptables),
    "hashlimit, 10 a minute": Limiter(_rules(f"{_HASHLIMIT} -j DROP"), _in_iptables),
    "nftables meter, 10 a minute": Limiter(NOTHING_IS_WRONG + _METER, _in_nftables),
    "nginx limit_req, 1 a second": Limiter(
        NOTHING_IS_WRONG
        + _NGINX.format(
            zone="limit_req_zone $binary_remote_addr zone=a:1m rate=1r/s;", limit="limit_req zone=a burst=1 nodelay"
        ),
        _in_log("error.log", "limiting requests"),
    ),
    "nginx limit_conn, 2 requests": Limiter(
        NOTHING_IS_WRONG
        + "[vendor]\nhttp = 'limit_conn_zone $binary_remote_addr zone=a:1m;'\n"
        + "site = \"location @ok { limit_rate 100; return 200 'a hundred bytes a second'; }\"\n"
        + "location = 'limit_conn a 2; try_files /none @ok;'\n",
        _in_log("error.log", "limiting connections"),
    ),
    "HAProxy, 5 connections in 10 s": Limiter(
        NOTHING_IS_WRONG
        + '[vendor]\nserver = "haproxy"\nhaproxy = """\n'
        + "    stick-table type ipv6 size 1k expire 10m store conn_rate(10s),http_req_rate(10s)\n"
        + "    tcp-request connection track-sc0 src\n"
        + "    tcp-request connection reject if { sc_conn_rate(0) gt 5 }\n"
        + '    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 5 }"""\n',
        _in_haproxy,
    ),
    "mod_evasive, 2 a page and second": Limiter(NOTHING_IS_WRONG + EVASIVE, _in_log("access.log", '" 403 ')),
    "fail2ban, 5 refusals, none given": Limiter(
        _jailed("return 200;", "location /login { return 401; }"),
        _in_fail2ban,
        "for i in 1 2 3 4 5 6 7; do curl -s -o /dev/null -m 2 https://$NAME/login; done; sleep 3",
    ),
    "fail2ban, 5 refusals, a login is asked for": Limiter(
        _jailed("return 401;", "add_header WWW-Authenticate 'Bearer realm=\"api\"' always;"),
        _in_fail2ban,
        "for i in 1 2 3 4 5 6 7; do curl -s -o /dev/null -m 2 $URL; done; sleep 3",
        "401",
    ),
    "fail2ban, 5 refusals, nothing is found": Limiter(
        _jailed("return 404;"),
        _in_fail2ban,
        "for i in 1 2 3 4 5 6 7; do curl -s -o /dev/null -m 2 $URL; done; sleep 3",
        "404",
    ),
}


@pytest.mark.parametrize("network", ["home", "office"])
@pytest.mark.parametrize("name", LIMITERS)
def test_a_collect_trips_no_limit(
    lab: LabFactory, name: str, network: str, record_property: Callable[[str, object], None]
) -> None:
    limiter = LIMITERS[name]
    opened = lab(name, toml=limiter.toml, network=network)
    with sniffing(opened, "vendor-firewall") as seen:
        bundle = bundle_in(opened.collect())
    record_property("packets to the vendor", sum(one.ttl > 1 for one in seen["vendor-firewall"]))
    assert not crashes(bundle)
    assert limiter.refused(opened) == 0, "netdiag was refused"
    for family in _families(opened):
        assert _plain_request(opened, family) == limiter.status
    assert limiter.refused(opened) == 0, "the customer is refused after netdiag"
    verdict = decide(derive(bundle))
    assert verdict.side == "none", verdict.summary
    opened.run("customer", ["sh", "-c", limiter.fast], env=_names(opened), timeout=60)
    assert limiter.refused(opened) > 0, "the limiter bites nobody, so this test shows nothing"


IN_FLIGHT = 4
"""What a rate section may have under way when the first refusal arrives: of these each may be refused, and no other. A
dropped SYN is repeated by the kernel, and stands for one of them."""


@pytest.mark.parametrize("name", [name for name in LIMITERS if not name.startswith("fail2ban")])
def test_a_rate_section_begins_nothing_once_it_was_refused(lab: LabFactory, name: str) -> None:
    """Consented to, it finds each limit, self-extending ones too (ufw limit, mod_evasive), and leaves it alone."""
    opened = lab(name, toml=LIMITERS[name].toml)
    assert not crashes(bundle_in(opened.collect(args=["--rate-limit"])))
    assert 1 <= LIMITERS[name].refused(opened) <= IN_FLIGHT


@pytest.mark.parametrize("command", ["collect --rate-limit", "limits"])
@pytest.mark.parametrize("answer", ["401", "403", "404"])
def test_a_rate_section_repeats_no_answer_that_fail2ban_counts(lab: LabFactory, answer: str, command: str) -> None:
    opened = lab(answer, toml=_jailed(f"default_type application/json; return {answer} '{{}}';"))
    if command == "limits":
        done = opened.run("customer", [*NETDIAG, "limits", opened.url, "--yes"])
        assert f"answered with HTTP {answer}, so nothing more was sent" in " ".join(done.stdout.split())
    else:
        bundle = bundle_in(opened.collect(args=["--rate-limit"]))
        assert not [one for one in bundle.observations if isinstance(one, LimitAttempt)]
        (why,) = [one.detail for one in bundle.observations if isinstance(one, NotRun) and "rate" in one.what]
        assert f"HTTP {answer}" in why
        assert "give a URL that is served" in why
    time.sleep(MARGIN_S)  # fail2ban reads its log once a second
    assert _in_fail2ban(opened) == 0
    opened.run("customer", ["sh", "-c", LIMITERS["fail2ban, 5 refusals, nothing is found"].fast], env=_names(opened))
    assert _in_fail2ban(opened) > 0, "the jail bites nobody, so this test shows nothing"


_BY_NAME = "-A FORWARD -p tcp --dport 443 -m string --algo bm --string {vendor_name} -j REJECT --reject-with tcp-reset"
AILING = {
    "packets are lost": """
[[change]]
at = "border"
nft = ["add rule inet lab forward numgen random mod 100 < 15 drop"]
""",
    "large packets are lost": """
[vendor]
certificate = "many_names"
[[change]]
at = "vendor"
ip = ["link set dev eth0 gso_max_segs 1"]
[[change]]
at = "vendor-firewall"
ip = ["link set dev {dev:vendor-firewall>vendor} mtu 1400"]
nft = [
    "add rule inet lab output icmp type destination-unreachable icmp code frag-needed drop",
    "add rule inet lab output icmpv6 type packet-too-big drop",
]
""",
    "the name is reset": f"""
[[change]]
at = ["transit-a", "transit-b"]
iptables = ["{_BY_NAME}"]
ip6tables = ["{_BY_NAME}"]
""",
    "it is accepted and closed": '[vendor]\nserver = "accept_close"\n',
    "it is accepted and silent": '[vendor]\nserver = "accept_silent"\n',
    "the answer is slow": '[vendor]\nserver = "tls_slow"\n',
    "the service is unavailable": '[vendor]\nlocation = "return 503;"\n',
    "the request is forbidden": '[vendor]\nlocation = "return 403;"\n',
}
"""What makes netdiag look closer, as the rest of a scenario file."""


@pytest.mark.parametrize("ailment", AILING)
def test_what_ails_makes_netdiag_trip_no_limit_either(lab: LabFactory, ailment: str) -> None:
    """ufw limit and connlimit side by side. A refusal that netdiag met, or caused itself, would have been counted; and
    so would one of the customer's own connection right after it."""
    opened = lab(ailment, toml=_rules(*UFW_RULES, _CONNLIMIT) + AILING[ailment])
    bundle = bundle_in(opened.collect())
    assert not crashes(bundle)
    assert _in_iptables(opened) == 0, "netdiag was refused"
    for family in _families(opened):
        _plain_request(opened, family)
    assert _in_iptables(opened) == 0, "the customer is refused after netdiag"


REFUSING = {
    "403 of the server": "return 403;",
    "403 of the application": 'default_type application/json; return 403 \'{"message":"Missing API key"}\';',
    "429": "return 429;",
    "401": "return 401;",
}


@pytest.mark.parametrize("answer", REFUSING)
def test_refused_requests_are_too_few_for_fail2ban(lab: LabFactory, answer: str) -> None:
    opened = lab(answer, toml=_jailed(REFUSING[answer]))
    bundle_in(opened.collect())
    time.sleep(MARGIN_S)  # fail2ban reads its log once a second
    assert _in_fail2ban(opened) == 0


def test_a_ban_that_extends_itself_ends_as_if_netdiag_had_asked_once(lab: LabFactory) -> None:
    """``recent --update`` counts refused attempts, too. Those of a whole run are as many as leave no trace once the
    first of them is 30 s old."""
    opened = lab("recent", toml=_rules(*UFW_RULES))
    opened.run(
        "customer", ["sh", "-c", "for i in $(seq 8); do curl -4 -s -o /dev/null -m 1 $URL; done"], env=_names(opened)
    )
    assert _in_iptables(opened) > 0, "the ban does not stand"
    with sniffing(opened, "vendor-firewall") as seen:
        bundle_in(opened.collect())
    _wait_for_the_first(opened, seen["vendor-firewall"])
    assert _plain_request(opened, "-4") == "200"


def test_a_ban_of_mod_evasive_ends_as_if_netdiag_had_asked_last_and_once(lab: LabFactory) -> None:
    opened = lab("evasive", toml=NOTHING_IS_WRONG + EVASIVE)
    burst = "for i in 1 2 3 4 5 6 7 8; do curl -4 -s -o /dev/null $URL & done; wait"
    opened.run("customer", ["sh", "-c", burst], env=_names(opened))
    refused = _in_log("access.log", '" 403 ')
    before = refused(opened)
    assert before > 0, "the ban does not stand"
    bundle_in(opened.collect())
    ended = time.monotonic()
    assert refused(opened) > before, "the run met no ban"
    time.sleep(max(0.0, ended + EVASIVE_S + MARGIN_S - time.monotonic()))
    assert _plain_request(opened, "-4") == "200"


def _wait_for_the_first(lab: Lab, packets: Sequence[Packet]) -> None:
    """Until the first SYN of a run to the service is as old as ufw's rules look back."""
    port = int(lab.values["vendor_port"])
    first = min(one.at for one in packets if one.is_syn and one.ttl > 1 and one.port == port)
    time.sleep(max(0.0, first + RECENT_S + MARGIN_S - time.monotonic()))


def _families(lab: Lab) -> tuple[str, ...]:
    return ("-4", "-6") if lab.network == "home" else ("-4",)


def _plain_request(lab: Lab, family: str) -> str:
    """The status that the customer's own client gets; ``000`` where the connection came to nothing."""
    command = ["curl", family, "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "8", lab.url]
    return lab.run("customer", command).stdout


def _names(lab: Lab) -> dict[str, str]:
    return {"URL": lab.url, "NAME": lab.values["vendor_name"]}
