"""--via on real lines: a proxy elsewhere, a second address behind the same NAT, a way that does not lead anywhere."""

from __future__ import annotations

import json

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange
from netdiag.facts import derive
from netdiag.probes.manners import SYN_WINDOW_NS, SYNS_IF_NONE_ACCEPTED
from netdiag.verdict import decide
from tests.conftest import LabFactory
from tests.netns.collecting import NETDIAG, NOTHING_IS_WRONG, bundle_in, crashes
from tests.netns.scenario import find

pytestmark = pytest.mark.lab

BOTH = pytest.mark.parametrize("network", ["home", "office"])


@BOTH
def test_refused_here_and_served_by_the_proxy(lab: LabFactory, network: str) -> None:
    opened = lab("host-blocked-reject-second-way", network=network)
    bundle = bundle_in(opened.collect("customer"))
    assert not crashes(bundle)
    facts = derive(bundle)
    assert opened.values["vendor4"] in (facts.ways.outlasted.value or ())
    verdict = decide(facts)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "established", "host.block.source_address")
    assert "works through the proxy, dead from here" in verdict.summary


@BOTH
def test_a_silent_drop_is_likely_at_most_and_is_tried_here_again_after_the_proxy(lab: LabFactory, network: str) -> None:
    opened = lab("host-blocked-drop-second-way", network=network)
    facts = derive(bundle_in(opened.collect("customer")))
    assert opened.values["vendor4"] in (facts.ways.outlasted.value or ())
    verdict = decide(facts)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.block.source_address")


@BOTH
def test_a_black_hole_with_a_way_round_it_is_not_the_hosts(lab: LabFactory, network: str) -> None:
    verdict = decide(derive(bundle_in(lab("transit-black-hole-second-way", network=network).collect("customer"))))
    assert verdict.side != "host"


@BOTH
def test_two_addresses_behind_one_nat_say_nothing(lab: LabFactory, network: str) -> None:
    bundle = bundle_in(lab("host-firewall-drop-all-two-addresses", network=network).collect("customer"))
    assert not crashes(bundle)
    facts = derive(bundle)
    (way,) = facts.ways.states.value or ()
    assert way.control_works is not None, "the second way was not tried with a control"
    assert {trial.works for trial in way.trials} <= {False, None}
    assert facts.ways.fails_there.value is None
    verdict = decide(facts)
    assert verdict.certainty != "established"


SECOND_ADDRESS = (
    NOTHING_IS_WRONG
    + """
[[change]]
at = "customer"
run = [
    "echo {customer6} | sed 's/::.*$/::77/' > /run/second",
    "ip -6 address add $(cat /run/second)/64 dev {dev:customer>gateway} nodad preferred_lft 0",
]
[[change]]
at = "vendor"
ip6tables = ["-I INPUT -s {customer6} -j REJECT --reject-with icmp6-port-unreachable"]
"""
)


def test_a_second_local_address_is_really_used(lab: LabFactory) -> None:
    """The vendor refuses one IPv6 address of the customer and serves the other."""
    opened = lab(toml=SECOND_ADDRESS)
    second = opened.values["customer6"].partition("::")[0] + "::77"
    bundle = bundle_in(opened.collect("customer", ["--via", second]))
    assert not crashes(bundle)
    facts = derive(bundle)
    (way,) = facts.ways.states.value or ()
    assert (way.kind, way.name, way.control_works) == ("source", second, True)
    assert facts.ways.outlasted.value == (opened.values["vendor6"],)


def test_a_way_that_leads_nowhere_says_nothing(lab: LabFactory) -> None:
    """The proxy lets nobody through: no host by it, so that the target fails by it is no news."""
    opened = lab("host-blocked-reject-port-unreachable")
    opened.apply(at="agent", nft=["add rule inet lab input tcp dport 3128 drop"])
    bundle = bundle_in(opened.collect("customer", ["--via", f"http://{opened.values['agent4']}:3128"]))
    facts = derive(bundle)
    (way,) = facts.ways.states.value or ()
    assert way.control_works is not True
    assert {trial.works for trial in way.trials} == {None}
    assert decide(facts).fault == "host.block.rejected"


def test_the_manners_hold_over_all_ways_together(lab: LabFactory) -> None:
    """Both ways leave by one public address: what the way took of the SYNs in 30 s is missing to the check after
    it, which waits for its place instead of going without."""
    toml = scenario("host-firewall-drop-all-two-addresses").replace('at = "vendor-firewall"', 'at = "vendor"')
    opened = lab(toml=toml.replace("lab forward", "lab input"))
    opened.count_syns()
    bundle = bundle_in(opened.collect("customer"))
    mine = [step.id for step in bundle.plan if step.role == "target" and step.address == opened.values["vendor4"]]
    sent = [
        one
        for one in bundle.observations
        if one.step in mine and isinstance(one, Connect | Exchange) and one.port == 443
    ]
    assert [type(one) for one in sent] == [Connect, Connect, Exchange, Connect]
    assert sent[-1].began_ns - sent[0].began_ns > SYN_WINDOW_NS
    assert opened.count_syns() <= 2 * (SYNS_IF_NONE_ACCEPTED + 1), (
        "of two addresses, and one check each when the window had passed"
    )


def test_the_proxys_password_is_used_and_never_written(lab: LabFactory) -> None:
    opened = lab("host-blocked-reject-second-way")
    way = f"http://someone:s3cr3t-word@{opened.values['agent4']}:3128"
    path = opened.collect("customer", ["--via", way])
    bundle = bundle_in(path)
    assert b"s3cr3t-word" not in path.read_bytes()
    assert _by_the_way(bundle)
    assert {step.via.name for step in bundle.plan if step.via} == {f"{opened.values['agent4']}:3128"}


def test_wrong_ways_are_told_before_anything_is_sent(lab: LabFactory) -> None:
    opened = lab("healthy")
    for way in ("nosuch0", "198.51.100.1", "socks5://127.0.0.1:1080", "http://proxy.test:0x1"):
        done = opened.run("customer", [*NETDIAG, "collect", opened.url, "--yes", "--via", way])
        assert done.returncode == 2, done.stderr
        assert "--via" in done.stderr


@BOTH
def test_the_way_that_is_taken_anyway_is_refused_before_anything_is_sent(lab: LabFactory, network: str) -> None:
    """Measured as a second way it would make a block of a service that fails now and then."""
    opened = lab("healthy", network=network)
    default = opened.run("customer", ["ip", "-json", "route", "show", "default"])
    device = json.loads(default.stdout)[0]["dev"]
    has6 = network == "home"
    urls = (opened.url, f"https://{opened.values['vendor4']}/", f"https://[{opened.values['vendor6']}]/")
    for url in urls if has6 else urls[:2]:
        done = opened.run("customer", [*NETDIAG, "collect", url, "--yes", "--via", device])
        assert done.returncode == 2, done.stderr
        assert f"--via: {device} is the way that is taken anyway" in " ".join(done.stderr.split())
    own = [opened.values["customer4"], *([opened.values["customer6"]] if has6 else [])]
    for way, words in (
        *((address, "is the way that is taken anyway") for address in own),
        ("lo", "leads back into this machine"),
        ("127.0.0.1", "leads back into this machine"),
        ("0.0.0.0", "is not the address of one machine"),
        ("http://a b:3128", "a proxy is named as http://host:port"),
    ):
        done = opened.run("customer", [*NETDIAG, "collect", opened.url, "--yes", "--via", way])
        assert done.returncode == 2, done.stderr
        assert words in " ".join(done.stderr.split())


TUNNEL = (
    NOTHING_IS_WRONG
    + """
[[change]]
at = "customer"
run = [
    "ip link add tun7 type veth peer name tun8",
    "ip address add 10.77.0.2/24 dev tun7",
    "ip link set tun8 up",
    "ip link set tun7 up",
    "ip route add 198.18.7.0/24 dev tun7",
]
"""
)


def test_what_only_the_resolved_name_tells_is_left_out_of_the_run(lab: LabFactory) -> None:
    """Some networks are reached by a tunnel, so that the line itself may be a second way; for this name it is not."""
    opened = lab(toml=TUNNEL)
    default = opened.run("customer", ["ip", "-json", "route", "show", "default"])
    device = json.loads(default.stdout)[0]["dev"]
    bundle = bundle_in(opened.collect("customer", ["--via", device]))
    assert not crashes(bundle)
    asked = [step for step in bundle.plan if step.via is not None and step.role == "target"]
    assert [step.params.get("left_out") for step in asked] == [
        f"{device} is the way that is taken to the target anyway"
    ]
    assert not _by_the_way(bundle)
    assert not derive(bundle).ways.states.known


def scenario(name: str) -> str:
    """The text of a scenario of the corpus."""
    return find(name).read_text()


def _by_the_way(bundle: Bundle) -> list[Exchange]:
    ways = {step.id for step in bundle.plan if step.via is not None}
    return [one for one in bundle.observations if isinstance(one, Exchange) and one.step in ways]
