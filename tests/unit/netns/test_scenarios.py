"""Every scenario file parses, speaks only of what both networks have, and states a truth that can hold."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from tests.netns import placeholders
from tests.netns import scenario as scenarios
from tests.netns.networks import NETWORKS

NAMES = scenarios.names()
LIVE_AT_MOST = 40  # a live scenario costs CI seconds; the rest is replayed from recordings


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


@pytest.mark.parametrize("name", NAMES)
def test_scenario_fits_its_networks(name: str) -> None:
    scenario = scenarios.load(name)
    for network_name in scenario.networks:
        network = NETWORKS[network_name]()
        known = placeholders.values(network)
        for text in _strings(msgspec.to_builtins(scenario)):
            placeholders.fill(text, network, known)
        for at in (*(one.at for one in scenario.change), *(one.at for one in scenario.box)):
            for role in (at,) if isinstance(at, str) else at:
                network.node(role)
        for role in scenario.off:
            network.node(role)


@pytest.mark.parametrize("name", NAMES)
def test_truth_never_claims_more_than_it_names(name: str) -> None:
    truth = scenarios.load(name).truth
    true_side = truth.fault.split(".")[0]
    for answer in (truth.alone, truth.control, truth.profile):
        if answer is None:
            continue
        assert answer.sides
        # A side other than the true one may only be accepted together with a way out.
        assert true_side in answer.sides or answer.sides == ("inconclusive",)
        if set(answer.sides) <= {"none", "inconclusive"}:
            assert answer.certainty is None
        else:
            assert answer.certainty is not None


def test_fault_codes_have_side_group_and_name() -> None:
    for name in NAMES:
        fault = scenarios.load(name).truth.fault
        assert fault == "none" or (fault.split(".")[0] in ("local", "transit", "host") and fault.count(".") == 2)


def test_live_subset_is_small() -> None:
    assert sum(scenarios.load(name).expect_live for name in NAMES) <= LIVE_AT_MOST


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("colour = 'blue'", "unknown field `colour`"),
        ("[vendor]\ncertificate = 'stolen'", "Invalid enum value 'stolen'"),
        ("[[change]]\nnft = ['x']", "missing required field `at`"),
    ],
)
def test_unknown_keys_are_refused(line: str, says: str) -> None:
    head = 'schema = "netdiag/scenario/1"\ntitle = "t"\nabout = "a"\n'
    text = f'{head}{line}\n[truth]\nfault = "none"\nalone.sides = ["none"]'
    with pytest.raises(scenarios.ScenarioError, match=says):
        scenarios.parse(text.encode(), "here")


def test_unknown_placeholder_is_named() -> None:
    network = NETWORKS["home"]()
    with pytest.raises(placeholders.PlaceholderError, match=r"\{vendor5\}"):
        placeholders.fill("drop {vendor5}", network, placeholders.values(network))


def test_braces_of_nftables_pass() -> None:
    network = NETWORKS["home"]()
    filled = placeholders.fill("tcp dport { 80, 443 } ip daddr {vendor4}", network, placeholders.values(network))
    assert filled == "tcp dport { 80, 443 } ip daddr 185.112.41.10"
