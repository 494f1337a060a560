"""When losses are sampled, and where: what was seen -> paced packets or none."""

from typing import Any, Literal

import pytest

from netdiag.evidence.bundle import Options, Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp
from netdiag.evidence.transport import Connect, Echo, HopReply, TcpInfo
from netdiag.probes.plan.losses import is_anything_lost, sample_losses
from netdiag.probes.plan.seen import Inputs, Seen, make_step
from tests.fakes.records import TCP
from tests.unit.probes.test_plan import VENDOR, VENDOR6, Line, inputs, plan, some

SILENT = Failure(op="connect", code=FailureCode.TIMED_OUT)
ROUTERS = ("192.168.1.1", "192.0.2.9", "192.0.2.17")


class Walked(Line):
    """A line whose walks meet three routers before the target, and whose connections tell how they went."""

    def __init__(self) -> None:
        super().__init__()
        self.sent_again: set[str] = set()
        self.slow: set[str] = set()
        self.first_syn_lost_at_end: set[str] = set()

    def _walk(self, step: Step) -> list[Observation]:
        fields: dict[str, Any] = {"address": step.address, "port": step.port, "flow": 1}
        routers = [
            self.record(
                HopReply, step, ttl=ttl, answer="icmp", replier=router,
                icmp=Icmp(type=11, code=0, sender=router), **fields,
            )
            for ttl, router in enumerate(ROUTERS, 1)
        ]  # fmt: skip
        lost = [self.record(HopReply, step, ttl=5, answer="none", **fields)]
        end = "none" if step.address in self.dead else "syn_ack"
        ends = [self.record(HopReply, step, ttl=4, answer=end, **fields)]
        return routers + ends + (lost if step.address in self.first_syn_lost_at_end else [])

    def _reach(self, step: Step) -> list[Observation]:
        again = step.address in self.sent_again
        tcp = TcpInfo(**({name: getattr(TCP, name) for name in TCP.__struct_fields__} | {"total_retrans": int(again)}))
        found = super()._reach(step)
        return [self._with(one, tcp, is_slow=step.address in self.slow) for one in found]

    def _with(self, one: Observation, tcp: TcpInfo, *, is_slow: bool) -> Observation:
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        if one.failure is None:
            fields["tcp"] = tcp
        if is_slow and not isinstance(one, Connect):
            fields["ended_ns"] = 900_000_000
        return type(one)(**fields)


def paced(line: Line, asked: Inputs | None = None) -> list[Step]:
    return [step for step in plan(asked or inputs(), line) if step.probe == "paced"]


def test_nothing_is_sampled_where_nothing_is_lost() -> None:
    assert not paced(Walked())


@pytest.mark.parametrize("sign", ["sent_again", "slow", "first_syn_lost_at_end"])
def test_each_sign_of_loss_starts_it(sign: str) -> None:
    line = Walked()
    getattr(line, sign).add(VENDOR6)
    steps = paced(line)
    assert [step.role for step in steps] == ["target", "control"]
    target, control = steps
    assert target.params["ttls"] == "1+2+3"
    assert (target.params["end"], target.params["end_ttl"]) == ("icmp", "4")
    assert (target.params["rounds"], target.params["pace_ms"], target.params["flows"]) == ("12", "1000", "1")
    assert (control.params["end"], control.port) == ("tcp", 443)
    assert ":" in (control.address or "") or target.address == VENDOR


def test_the_address_that_lost_something_is_sampled_and_no_other() -> None:
    for address in (VENDOR, VENDOR6):
        line = Walked()
        line.sent_again.add(address)
        assert [step.address for step in paced(line) if step.role == "target"] == [address]


def test_an_address_that_failed_once_and_then_worked_is_the_one() -> None:
    line = Walked()
    walks = [
        make_step("walk", "target", address=one, port=443, params={"protocol": "tcp"}) for one in (VENDOR6, VENDOR)
    ]
    reach = make_step("reach", "target", address=VENDOR, port=443, params={"tls": "yes"})
    line.dead = {VENDOR}
    failed = line.answer(reach)
    line.dead = set()
    seen = [*failed, *line.answer(reach), *(one for walk in walks for one in line.answer(walk))]
    started = {step.id: step for step in (*walks, reach)}
    chosen = next(iter(sample_losses(inputs(), Seen(started, frozenset(started), seen))))
    assert chosen.address == VENDOR


def test_deep_asks_three_times_as_much_no_faster() -> None:
    line = Walked()
    line.sent_again.add(VENDOR)
    target = paced(line, inputs(options=Options(deep=True)))[0]
    assert (target.params["rounds"], target.params["pace_ms"], target.params["flows"]) == ("36", "1000", "4")


@pytest.mark.parametrize(
    ("may_ping", "deep", "ways"), [(False, False, "udp"), (False, True, "udp"), (True, True, "icmp+udp")]
)
def test_how_the_end_is_asked(may_ping: bool, deep: bool, ways: str) -> None:
    line = Walked()
    line.may_ping = may_ping
    line.sent_again.add(VENDOR)
    assert paced(line, inputs(options=Options(deep=deep)))[0].params["end"] == ways


def test_a_dead_target_alone_is_no_loss() -> None:
    line = Walked()
    line.dead |= {VENDOR, VENDOR6}
    assert not paced(line)


def test_a_private_target_is_sampled_without_a_control() -> None:
    line = Walked()
    line.names = {"configured": ("192.168.7.7",)}
    line.sent_again.add("192.168.7.7")
    assert [step.role for step in paced(line, inputs("printer.lan", private=True))] == ["target"]


def test_this_very_machine_is_not_sampled() -> None:
    line = Walked()
    line.sent_again.add("127.0.0.1")
    assert not paced(line, inputs("127.0.0.1", is_literal=True, private=True))


def test_it_waits_for_the_walks_and_stays_with_its_choice() -> None:
    line = Walked()
    line.sent_again.add(VENDOR)
    asked = inputs()
    walk = make_step("walk", "target", address=VENDOR, port=443, params={"protocol": "tcp"})
    reach = make_step("reach", "target", address=VENDOR, port=443, params={"tls": "yes"})
    started = {walk.id: walk, reach.id: reach}
    seen = [*line.answer(reach), *line.answer(walk)]
    assert not list(sample_losses(asked, Seen(started, frozenset({reach.id}), seen)))
    (chosen,) = sample_losses(asked, Seen(started, frozenset({reach.id, walk.id}), seen))
    started[chosen.id] = chosen
    other = make_step("walk", "target", address=VENDOR6, port=443, params={"protocol": "tcp"})
    started[other.id] = other
    later = Seen(started, frozenset(started), [*seen, *line.answer(other)])
    assert not [step for step in sample_losses(asked, later) if step.role == "target"]


@pytest.mark.parametrize("silent", [VENDOR, VENDOR6])
def test_the_address_whose_echoes_come_by_turns_is_the_one(silent: str) -> None:
    line = Walked()
    walks = [
        make_step("walk", "target", address=one, port=443, params={"protocol": "tcp"}) for one in (VENDOR, VENDOR6)
    ]
    echo = make_step("echo", "target", address=silent)
    seen = [one for walk in walks for one in line.answer(walk)]
    seen += [
        line.record(Echo, echo, address=silent, sequence=1, mode="unprivileged", rtt_us=rtt) for rtt in (2000, None)
    ]
    started = {step.id: step for step in (*walks, echo)}
    chosen = next(iter(sample_losses(inputs(), Seen(started, frozenset(started), seen))))
    assert chosen.address == silent


@pytest.mark.parametrize("deep", [False, True])
def test_it_waits_for_whatever_may_show_who_ails_and_for_what_takes_turns_with_it(deep: bool) -> None:
    line = Walked()
    line.sent_again.add(VENDOR)
    walk = make_step("walk", "target", address=VENDOR, port=443, params={"protocol": "tcp"})
    reach = make_step("reach", "target", address=VENDOR, port=443, params={"tls": "yes"})
    seen = [*line.answer(reach), *line.answer(walk)]
    asked = inputs(options=Options(deep=deep))
    for probe in ("walk", "echo", "reach", "flows"):
        running = make_step(probe, "target", address=VENDOR6)
        started = {step.id: step for step in (walk, reach, running)}
        waits = not (deep and probe == "flows")
        steps = list(sample_losses(asked, Seen(started, frozenset({walk.id, reach.id}), seen)))
        assert bool(steps) is not waits, probe


def by_turns(line: Line, walk: Step) -> list[Observation]:
    """The second router is silent at first, and answers the next time."""
    return [
        line.record(
            HopReply, walk, address=VENDOR, port=443, flow=1, ttl=2, answer=answer,
            icmp=None if answer == "none" else Icmp(type=11, code=0, sender=ROUTERS[1]),
        )
        for answer in ("none", "icmp")
    ]  # fmt: skip


def test_a_failing_address_whose_router_answers_by_turns() -> None:
    """Routers that limit their ICMP answer by turns, too: only a failure makes it worth a closer look."""
    walk = make_step("walk", "target", address=VENDOR, port=443, params={"protocol": "tcp"})
    reach = make_step("reach", "target", address=VENDOR, port=443, params={"tls": "yes"})
    line = Walked()
    turns = by_turns(line, walk)
    started = {walk.id: walk, reach.id: reach}
    for dead in (True, False):
        line.dead = {VENDOR} if dead else set()
        seen = Seen(started, frozenset(started), [*line.answer(reach), *turns])
        assert is_anything_lost(inputs(), seen) is dead


@pytest.mark.parametrize(("answer", "is_lost"), [("icmp", False), ("rst", True)])
def test_who_limits_the_icmp_of_its_refusals_loses_nothing(answer: Literal["icmp", "rst"], is_lost: bool) -> None:
    """The walk's SYNs are refused once, and are silent the next time: ICMP is limited by whoever sends it, resets are
    not."""
    walk = make_step("walk", "target", address=VENDOR, port=443, params={"protocol": "tcp"})
    line = Walked()
    refused = Icmp(type=3, code=3, sender=VENDOR)
    met = [
        line.record(
            HopReply, walk, address=VENDOR, port=443, flow=ttl, ttl=ttl, answer=said,
            icmp=refused if said == "icmp" else None, replier=None if said == "none" else VENDOR,
        )
        for ttl, said in ((4, answer), (5, "none"))
    ]  # fmt: skip
    seen = Seen({walk.id: walk}, frozenset({walk.id}), met)
    assert is_anything_lost(inputs(), seen) is is_lost


def test_a_connection_that_is_refused_by_icmp_and_then_silent_is_no_sign_of_loss() -> None:
    walk = make_step("walk", "target", address=VENDOR, port=443, params={"protocol": "tcp"})
    reach = make_step("reach", "target", address=VENDOR, port=443, params={"tls": "yes"})
    line = Walked()
    turns = by_turns(line, walk)
    silence = line.record(Connect, reach, address=VENDOR, port=443, limit_ms=1000, failure=SILENT)
    refusal = Failure(
        op="connect", code=FailureCode.UNREACHABLE, native=Icmp(type=3, code=10, sender=VENDOR, version=4)
    )
    first = line.record(Connect, reach, address=VENDOR, port=443, limit_ms=3000, failure=refusal)
    started = {walk.id: walk, reach.id: reach}
    for refused in (True, False):
        seen = Seen(started, frozenset(started), [*([first] if refused else []), silence, *turns])
        assert is_anything_lost(inputs(), seen) is not refused


def test_silence_before_a_refusal_is_known_to_be_no_loss_once_all_attempts_have_ended() -> None:
    walk = make_step("walk", "target", address=VENDOR, port=443, params={"protocol": "tcp"})
    reach = make_step("reach", "target", address=VENDOR, port=443, params={"tls": "yes"})
    line = Walked()
    turns = by_turns(line, walk)
    silence = line.record(Connect, reach, address=VENDOR, port=443, limit_ms=3000, failure=SILENT)
    started = {walk.id: walk, reach.id: reach}
    for finished in ({walk.id}, {walk.id, reach.id}):
        seen = Seen(started, frozenset(finished), [silence, *turns])
        assert is_anything_lost(inputs(), seen) is (reach.id in finished)


def test_the_plan_still_ends() -> None:
    line = Walked()
    line.loses = True
    line.sent_again |= {VENDOR, VENDOR6}
    assert some(plan(inputs(), line), "machine")[-1].round == 2
