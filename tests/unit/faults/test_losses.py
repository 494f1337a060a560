"""The three faults of loss: a side is named only where the whole interval lies on it, and never the wrong one."""

import random
from typing import Any

import pytest

from netdiag.facts import AddressState, ConnectState, Facts, HttpState, Proxy, TlsState
from netdiag.facts.agent import AgentRun
from netdiag.facts.base import Share
from netdiag.facts.derivation.statistics import share
from netdiag.facts.losses import LossFacts, Onset, PathLoss
from netdiag.faults.base import Fault, Lean
from netdiag.faults.host import block_source_address
from netdiag.faults.host import path_loss as host_loss
from netdiag.faults.local import lan_loss
from netdiag.faults.transit import path_loss as transit_loss
from netdiag.verdict import decide
from tests.fakes.losses import END, ROUTERS, Limiter, Line, control_syns
from tests.fakes.records import GATEWAY as STORY_GATEWAY
from tests.fakes.records import SILENT, TARGET, Story
from tests.unit.facts import facts_of
from tests.unit.faults.local.stage import (
    GATEWAY,
    VENDOR,
    agent,
    controls,
    facts,
    failing,
    judged,
    known,
    machine,
    opened,
    target,
    word,
)

ISP, CARRIER, BORDER = "203.0.113.1", "203.0.113.9", "198.51.100.1"
ELSEWHERE: dict[str, Any] = {"last_clean_address": "192.0.2.1", "first_lossy_address": "198.51.100.9"}
LAN, TRANSIT, HOST = lan_loss.FAULT, transit_loss.FAULT, host_loss.FAULT


def some(lost: int, sent: int) -> Share:
    found = share(sent, lost)
    assert found is not None
    return found


HEAVY, LIGHT, NONE = some(20, 40), some(4, 40), some(0, 40)
PLACES = {0: None, 1: "gateway", 2: "public", 3: "public", 4: "vendor"}
ADDRESSES = {0: None, 1: GATEWAY, 2: ISP, 3: CARRIER, 4: BORDER}
HURT = target(
    AddressState(
        address=VENDOR,
        family=4,
        source=("configured",),
        connect=ConnectState(how="open", attempts=3, worked=2, syn_lost=2),
        works=True,
        witnesses=("main:o7",),
    ),
    works=True,
)
"""It works, but for one attempt of three."""


def onset(clean: int, lossy: int | None, beyond: Share = HEAVY, **change: Any) -> Onset:
    """Loss between hops of gateway, two routers of providers, the vendor's border, and the target."""
    values: dict[str, Any] = {
        "last_clean": clean,
        "last_clean_address": ADDRESSES[clean],
        "last_clean_place": PLACES[clean],
        "first_lossy": lossy,
        "first_lossy_address": VENDOR if lossy is None else ADDRESSES[lossy],
        "first_lossy_place": "target" if lossy is None else PLACES[lossy],
        "before": some(0, 12 * clean) if clean else None,
        "beyond": beyond,
    } | change
    return Onset(**values)


def lossy(
    begins: Onset | None, *, lan: Share | None = NONE, shared: bool | None = None, beyond: Share | None = HEAVY,
    at: Any = HURT, **more: Any,
) -> Facts:  # fmt: skip
    values: dict[str, Any] = {"path": PathLoss(address=VENDOR, hops=(), end=HEAVY, tcp=HEAVY), "onset": begins}
    values |= {"shared": shared, "beyond_gateway": beyond, "control": HEAVY if shared else NONE}
    return facts(
        losses=LossFacts(**{name: known(value) for name, value in values.items() if value is not None}),
        machine=machine(lan_loss=lan) if lan is not None else machine(),
        target=at,
        **more,
    )


def run(begins: Onset | None, **change: Any) -> AgentRun:
    values: dict[str, Any] = {"name": "control1", "usable": True, "minutes_apart": 5, "loss": begins} | change
    return AgentRun(**values)


@pytest.mark.parametrize(
    ("begins", "local", "transit", "host"),
    [
        pytest.param(onset(0, 1), "opposes", "opposes", "opposes", id="before-the-gateway-that-answers-knocks"),
        pytest.param(onset(0, 2), "opposes", "possible", "opposes", id="before-or-behind-the-gateway"),
        pytest.param(onset(1, 2), "opposes", "possible", "opposes", id="in-the-gateway-or-on-the-access-line"),
        pytest.param(onset(2, 3), "opposes", "supports", "opposes", id="between-two-providers"),
        pytest.param(onset(2, 4), "opposes", "possible", "possible", id="up-to-the-border"),
        pytest.param(onset(3, 4), "opposes", "possible", "possible", id="the-link-to-the-border"),
        pytest.param(onset(3, None), "opposes", "possible", "possible", id="at-the-end-with-no-second-sign"),
        pytest.param(onset(1, None), "opposes", "possible", "possible", id="anywhere"),
        pytest.param(onset(4, None), "opposes", "opposes", "supports", id="behind-the-border"),
        pytest.param(
            onset(2, 3, last_clean_place="private"), "opposes", "possible", "opposes", id="behind-a-private-hop"
        ),
        pytest.param(
            onset(2, 3, last_clean_place="shared"), "opposes", "supports", "opposes", id="behind-the-providers-nat"
        ),
        pytest.param(onset(2, 3, last_clean_place=None), "opposes", "possible", "opposes", id="behind-who-knows"),
    ],
)
def test_whose_the_interval_is(begins: Onset, local: str, transit: str, host: str) -> None:
    given = lossy(begins)
    assert [word(judged(fault, given)) for fault in (LAN, TRANSIT, HOST)] == [local, transit, host]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(lossy(onset(0, 2), lan=HEAVY), "supports", id="fires"),
        pytest.param(lossy(None, lan=HEAVY), "possible", id="the-hops-do-not-show-where"),
        pytest.param(lossy(onset(1, 2), lan=HEAVY), "possible", id="the-first-hop-is-clean"),
        pytest.param(lossy(onset(2, 3), lan=HEAVY), "opposes", id="the-path-is-clean-beyond-the-gateway"),
        pytest.param(lossy(onset(0, 2), lan=HEAVY, at=target(opened())), "stray", id="target-works"),
        pytest.param(lossy(onset(0, 2), lan=HEAVY, beyond=NONE), "opposes", id="the-gateway-limits-its-answers"),
        pytest.param(lossy(onset(0, 2), lan=HEAVY, beyond=some(1, 5)), "silent", id="too-few-beyond-it"),
        pytest.param(facts(machine=machine(lan_loss=HEAVY)), "silent", id="nothing-beyond-it"),
        pytest.param(
            facts(machine=machine(lan_loss=HEAVY), controls=controls(loss=HEAVY), target=HURT),
            "possible",
            id="controls-alone",
        ),
        pytest.param(facts(machine=machine(lan_loss=some(1, 4))), "silent", id="too-few"),
        pytest.param(facts(machine=machine(lan_loss=NONE), controls=controls(loss=HEAVY)), "opposes", id="lan-is-fine"),
        pytest.param(Facts(), "silent", id="unknown"),
    ],
)
def test_lan_loss(given: Facts, expected: str) -> None:
    assert word(judged(LAN, given)) == expected


@pytest.mark.parametrize(
    ("fault", "given", "expected"),
    [
        pytest.param(TRANSIT, lossy(onset(2, 3), at=target(opened())), "stray", id="nothing-failed"),
        pytest.param(
            TRANSIT,
            lossy(onset(2, 3, some(6, 40)), at=target(failing())),
            "stray",
            id="four-syns-of-four-are-no-chance-at-a-sixth",
        ),
        pytest.param(
            TRANSIT, lossy(onset(2, 3, some(28, 40)), at=target(failing())), "supports", id="but-at-70-percent"
        ),
        pytest.param(TRANSIT, lossy(onset(0, 1), lan=HEAVY), "opposes", id="the-lan-loses"),
        pytest.param(TRANSIT, lossy(None), "silent", id="no-place"),
        pytest.param(TRANSIT, lossy(onset(3, None), shared=True), "supports", id="others-lose-too-so-not-the-vendors"),
        pytest.param(HOST, lossy(onset(3, None), shared=True), "opposes", id="others-lose-too"),
        pytest.param(HOST, lossy(onset(4, None), at=target(opened())), "stray", id="host-nothing-failed"),
        pytest.param(HOST, lossy(None), "silent", id="host-no-place"),
        pytest.param(
            HOST,
            lossy(onset(3, 4), agent=agent(runs=(run(onset(3, 4, **ELSEWHERE)),))),
            "supports",
            id="another-line-enters-elsewhere-and-loses-too",
        ),
        pytest.param(
            HOST,
            lossy(onset(3, 4), agent=agent(runs=(run(onset(3, 4, last_clean_address="192.0.2.1")),))),
            "possible",
            id="one-router-has-another-address-on-each-link",
        ),
        pytest.param(
            HOST,
            lossy(onset(3, 4), agent=agent(runs=(run(onset(2, 4, **ELSEWHERE)),))),
            "possible",
            id="by-a-link-that-is-not-known",
        ),
        pytest.param(
            HOST,
            lossy(onset(3, None), agent=agent(runs=(run(onset(3, None, last_clean_address="192.0.2.1")),))),
            "possible",
            id="the-first-router-inside-is-not-known",
        ),
        pytest.param(
            HOST,
            lossy(
                onset(3, 4),
                agent=agent(
                    runs=(run(onset(3, 4, last_clean_address="2001:db8:1::1", first_lossy_address="2001:db8:2::1")),)
                ),
            ),
            "possible",
            id="the-other-family-tells-no-links-apart",
        ),
        pytest.param(
            HOST, lossy(onset(3, 4), agent=agent(runs=(run(onset(3, 4)),))), "possible", id="by-the-same-router"
        ),
        pytest.param(
            HOST,
            lossy(onset(3, 4), agent=agent(runs=(run(onset(2, 3, last_clean_address="192.0.2.1")),))),
            "possible",
            id="the-other-loses-before",
        ),
        pytest.param(
            HOST, lossy(onset(3, 4), agent=agent(runs=(run(None),))), "possible", id="the-other-loses-nothing"
        ),
        pytest.param(TRANSIT, Facts(), "silent", id="unknown"),
        pytest.param(HOST, Facts(), "silent", id="host-unknown"),
    ],
)
def test_loss_on_the_way_or_at_the_end(fault: Fault, given: Facts, expected: str) -> None:
    assert word(judged(fault, given)) == expected


@pytest.mark.parametrize(
    ("state", "explained"),
    [
        pytest.param(failing("refused"), False, id="a-refusal"),
        pytest.param(opened(works=False, failed_at="tls", tls=TlsState(how="alert", alert=40)), False, id="an-alert"),
        pytest.param(opened(works=False, failed_at="tls", tls=TlsState(how="silent")), True, id="silence-in-tls"),
        pytest.param(
            opened(works=False, failed_at="http", http=HttpState(how="answered", status=502)), False, id="an-answer"
        ),
    ],
)
def test_loss_explains_silence_and_nothing_else(state: AddressState, explained: bool) -> None:
    given = lossy(onset(2, 3, some(28, 40)), at=target(state))
    assert judged(TRANSIT, given).explains is explained


def test_a_connection_that_came_to_nothing_on_a_lossy_path_is_no_block() -> None:
    """The look-alike: without the loss, a limit that netdiag's own connections tripped."""
    cut = opened(works=False, failed_at="http", tls=TlsState(how="ok"), http=HttpState(how="failed"))
    by_loss = lossy(onset(2, 3, some(28, 40)), at=target(cut), controls=controls(any_healthy=True))
    assert judged(block_source_address.FAULT, by_loss).lean is Lean.OPPOSES
    assert decide(by_loss).side == "transit"
    for begins in (None, onset(2, 3, some(28, 40), by_tcp=False), onset(2, 3, some(5, 40))):
        given = lossy(begins, at=target(cut), controls=controls(any_healthy=True))
        assert judged(block_source_address.FAULT, given).lean is Lean.SUPPORTS


@pytest.mark.parametrize(("lost", "named"), [(17, True), (1, False), (0, False)])
def test_a_limit_that_may_have_been_tripped_is_told_beside_the_loss_that_was_seen(lost: int, named: bool) -> None:
    cut = opened(works=False, failed_at="http", tls=TlsState(how="ok"), http=HttpState(how="failed"))
    seen = LossFacts(beyond_gateway=known(some(lost, 72)))
    found = judged(
        block_source_address.FAULT, facts(losses=seen, target=target(cut), controls=controls(any_healthy=True))
    )
    assert found.lean is Lean.SUPPORTS
    assert (f"{lost} of 72" in found.because) is named


def test_through_a_proxy_the_path_explains_nothing() -> None:
    given = lossy(onset(2, 3), lan=None)
    behind = facts(losses=given.losses, machine=machine(lan_loss=NONE, proxy=Proxy(where="10.0.0.1:3128")), target=HURT)
    assert not judged(TRANSIT, behind).explains


@pytest.mark.parametrize(
    ("end", "tcp", "lean"),
    [(NONE, NONE, Lean.OPPOSES), (NONE, LIGHT, Lean.SILENT), (LIGHT, NONE, Lean.SILENT), (NONE, None, Lean.OPPOSES)],
)
def test_loss_on_the_way_is_excluded_only_where_connections_lost_nothing_either(
    end: Share, tcp: Share | None, lean: Lean
) -> None:
    """The flow of the test packets may be one of those that lose nothing."""
    path = PathLoss(address=VENDOR, hops=(), end=end, tcp=tcp)
    found = judged(TRANSIT, facts(losses=LossFacts(path=known(path)), machine=machine(lan_loss=NONE)))
    assert found.lean is lean


def test_that_loss_begins_in_the_lan_is_said_only_where_all_hops_lose() -> None:
    for begins in (None, onset(0, 1)):
        said = judged(LAN, lossy(begins, lan=HEAVY)).because
        assert ("only limits its answers" in said) is (begins is None)


def test_every_sentence_with_a_rate_has_its_interval() -> None:
    for fault in (LAN, TRANSIT, HOST):
        said = judged(fault, lossy(onset(2, 3), lan=HEAVY)).because
        assert "95 % confidence" in said or "%" not in said


def told(line: Line, *, lan_is_lossy: bool = False) -> Facts:
    """A run over ``line`` in which one attempt at the target failed and others worked."""
    story = Story()
    story.surroundings()
    story.walk(TARGET, ROUTERS)
    story.well(TARGET)
    line.connects(story, 8)
    story.connect(TARGET, SILENT, attempts=1)
    line.tell(story)
    knocks = "".join("!" if not lan_is_lossy or line.passes(1) else "." for _ in range(20))
    story.echo(STORY_GATEWAY, knocks, role="gateway")
    control_syns(story, "".join("!" if not lan_is_lossy or line.passes(1) else "." for _ in range(12)))
    return facts_of(story)


@pytest.mark.parametrize("percent", [10, 25, 60])
def test_the_customer_is_never_blamed_for_loss_beyond_his_gateway(percent: int) -> None:
    """150 lines of each loss, beginning at some router beyond the first of the provider's; some routers limit."""
    dice = random.Random(percent)
    sides: list[str] = []
    for seed in range(150):
        limiters = {ttl: Limiter(rate=0.5) for ttl in range(2, END) if dice.random() < 0.15}
        line = Line(random.Random(seed), dice.randint(3, END), percent / 100, limiters)
        sides.append(decide(told(line)).side)
    assert "local" not in sides
    assert sides.count("host") + sides.count("transit") >= {10: 0, 25: 5, 60: 50}[percent]


def test_the_right_side_is_named_for_loss_between_providers() -> None:
    """Loss from hop 4 on, of six before the target: the vendor's border is hop 6."""
    sides = [decide(told(Line(random.Random(seed), 4, 0.4))).side for seed in range(100)]
    assert sides.count("host") == 0
    assert sides.count("local") == 0
    assert sides.count("transit") >= 40


def test_loss_in_the_lan_is_named_local_or_nothing() -> None:
    sides = [decide(told(Line(random.Random(seed), 1, 0.3), lan_is_lossy=True)).side for seed in range(100)]
    assert set(sides) <= {"local", "inconclusive"}
    assert sides.count("local") >= 40


def test_limiters_alone_accuse_nobody() -> None:
    dice = random.Random(9)
    for seed in range(150):
        limiters = {ttl: Limiter(rate=dice.choice([0.33, 0.5, 0.75])) for ttl in range(1, END) if dice.random() < 0.5}
        verdict = decide(told(Line(random.Random(seed), limiters=limiters)))
        assert verdict.fault not in {LAN.code, TRANSIT.code, HOST.code}
