"""The rate section is planned last, once, and only where it was asked for and something serves."""

import pytest

from netdiag.evidence.limits import LimitBudget
from tests.unit.probes.test_plan import VENDOR, VENDOR6, Line, inputs, plan, some


def test_nobody_is_asked_for_limits_unasked() -> None:
    assert not some(plan(inputs(), Line()), "limits")


def test_it_comes_after_everything_else_and_before_the_last_look() -> None:
    steps = plan(inputs(limits=LimitBudget()), Line())
    (step,) = some(steps, "limits")
    assert LimitBudget.of(step.params) == LimitBudget()
    assert step.address is not None
    after = steps[steps.index(step) + 1 :]
    assert {(one.probe, one.role) for one in after} == {("machine", "machine")}


@pytest.mark.parametrize("status", [429, 503, 500])
def test_who_refuses_already_is_left_alone(status: int) -> None:
    line = Line()
    line.status = status
    (step,) = some(plan(inputs(limits=LimitBudget()), line), "limits")
    assert step.address is None
    assert "does not serve" in step.params["left_out"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_answer_that_guards_ban_for_is_not_asked_for_in_a_row(status: int) -> None:
    line = Line()
    line.status = status
    (step,) = some(plan(inputs(limits=LimitBudget()), line), "limits")
    assert step.address is None
    assert step.params["left_out"].startswith(f"HTTP {status}: ")
    assert "give a URL that is served" in step.params["left_out"][:120]


@pytest.mark.parametrize("status", [204, 301, 302, 308])
def test_a_redirect_is_served(status: int) -> None:
    line = Line()
    line.status = status
    (step,) = some(plan(inputs(limits=LimitBudget()), line), "limits")
    assert step.address is not None


def test_who_is_not_reached_is_left_alone() -> None:
    line = Line()
    line.dead = {VENDOR, VENDOR6}
    (step,) = some(plan(inputs(limits=LimitBudget()), line), "limits")
    assert "left_out" in step.params
