"""collect on a real network: what an ordinary user sees of the path, and when it looks again."""

from __future__ import annotations

import pytest

from netdiag.evidence.machine import Platform
from netdiag.evidence.transport import Connect, HopReply
from tests.conftest import LabFactory
from tests.netns.collecting import bundle_in, crashes

pytestmark = pytest.mark.lab


def test_an_ordinary_user_sees_the_path(lab: LabFactory) -> None:
    """Without any capability the walk names the routers, and what this process may do is written down."""
    bundle = bundle_in(lab("healthy").collect("customer", ordinary=True))
    assert not crashes(bundle)
    replies = [one for one in bundle.observations if isinstance(one, HopReply) and one.replier is not None]
    assert len({one.ttl for one in replies}) >= 6
    assert all(one.mode == "unprivileged" for one in replies)
    (platform,) = [one for one in bundle.observations if isinstance(one, Platform)]
    assert (platform.error_queue, platform.raw_sockets, platform.ping_sockets) == (True, False, True)


@pytest.mark.parametrize(("scenario", "rounds"), [("healthy", {1}), ("host-blocked-drop", {1, 2})])
def test_a_second_round_follows_a_failure_and_none_follows_health(
    lab: LabFactory, scenario: str, rounds: set[int]
) -> None:
    bundle = bundle_in(lab(scenario).collect("customer"))
    steps = {step.id: step for step in bundle.plan}
    made = {
        steps[one.step].round
        for one in bundle.observations
        if isinstance(one, Connect) and steps[one.step].role == "target"
    }
    assert made == rounds
