"""Names of routers on a real network: asked of the own resolver, only where something fails, never of the own line."""

from __future__ import annotations

import pytest

from netdiag.evidence.addresses import classify
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.names import Lookup
from netdiag.facts import derive
from netdiag.probes.plan.owners import MOST_ROUTERS
from tests.conftest import LabFactory
from tests.netns.collecting import bundle_in, collect_command

pytestmark = pytest.mark.lab


def collected(lab: LabFactory, name: str, network: str) -> tuple[Bundle, dict[str, str]]:
    opened = lab(name, network=network)
    output = opened.home / "b.zip"
    done = opened.run("customer", collect_command(opened, output))
    assert done.returncode == 0, done.stderr
    return bundle_in(output), opened.values


@pytest.mark.parametrize("network", ["home", "office"])
def test_where_something_fails_each_public_router_once(lab: LabFactory, network: str) -> None:
    bundle, values = collected(lab, "host-blocked-drop", network)
    steps = [step for step in bundle.plan if step.probe == "reverse"]
    routers = [step.address or "" for step in steps]
    assert 4 <= len(routers) <= MOST_ROUTERS
    assert len(set(routers)) == len(routers)
    assert {classify(router) for router in routers} == {"public"}
    assert not {values.get(f"{role}{family}") for role in ("gateway", "customer", "vendor") for family in "46"} & {
        *routers
    }
    own = values["isp_resolver4"] if network == "home" else values["lan_resolver4"]
    asked = [one for one in bundle.observations if isinstance(one, Lookup) and one.step in {step.id for step in steps}]
    assert {one.server for one in asked} == {own}
    names = derive(bundle).path.hop_names.value or ()
    assert any(one.confirmed for one in names)
    assert all("." in one.name for one in names)


def test_a_healthy_run_asks_for_no_name_of_a_router(lab: LabFactory) -> None:
    bundle, _ = collected(lab, "healthy", "home")
    assert not [step for step in bundle.plan if step.probe == "reverse"]
