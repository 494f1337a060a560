"""Loss along a path: never placed where it is not, never seen in a router that only limits its answers."""

import random

import pytest

from netdiag.facts import Facts
from netdiag.facts.losses import LossFacts, Onset
from tests.fakes.losses import END, ROUTERS, Limiter, Line, clean, control_syns, paced
from tests.fakes.records import EXCHANGE, GATEWAY, ISP, TARGET, TCP, Story
from tests.unit.facts import facts_of

STRANGER = "192.0.2.200"


def surrounded() -> Story:
    story = Story()
    story.surroundings()
    story.walk(TARGET, ROUTERS)
    return story


def losses(story: Story) -> LossFacts:
    return facts_of(story).losses


def onset_of(facts: Facts) -> Onset | None:
    return facts.losses.onset.value


def holds(onset: Onset, lossy_from: int) -> bool:
    """The link before ``lossy_from`` lies in the interval."""
    return onset.last_clean < lossy_from <= (onset.first_lossy or END)


def test_nothing_was_sampled() -> None:
    assert losses(surrounded()) == LossFacts()


def test_loss_that_begins_between_two_routers() -> None:
    story = surrounded()
    story.connect(TARGET, syns=2)
    lossy = "..!.!..!..!."
    paced(story, clean([1, 2, 3]) | {4: lossy, 5: lossy, 6: lossy}, end=lossy)
    found = losses(story)
    onset = found.onset.value
    assert onset is not None
    assert (onset.last_clean, onset.last_clean_place, onset.first_lossy) == (3, "public", 5)
    assert onset.before is not None
    assert ((onset.before.sent, onset.before.lost), (onset.beyond.sent, onset.beyond.lost)) == ((36, 0), (36, 24))
    assert onset.first_lossy_address == EXCHANGE
    assert found.limited_hops.value == ()


def test_loss_at_the_end_alone_ends_at_the_target() -> None:
    story = surrounded()
    story.connect(TARGET, syns=2)
    paced(story, clean(), end="..!.!..!..!.")
    onset = losses(story).onset.value
    assert onset is not None
    assert (onset.last_clean, onset.last_clean_place) == (6, "vendor")
    assert (onset.first_lossy, onset.first_lossy_address, onset.first_lossy_place) == (None, TARGET, "target")


def test_loss_in_the_lan_begins_at_this_machine() -> None:
    story = surrounded()
    story.connect(TARGET, syns=2)
    lossy = "..!.!..!..!."
    paced(story, dict.fromkeys(range(1, END), lossy), end=lossy)
    onset = losses(story).onset.value
    assert onset is not None
    assert (onset.last_clean, onset.last_clean_address, onset.before) == (0, None, None)
    assert (onset.first_lossy, onset.first_lossy_address) == (2, ISP)  # the gateway may limit its answers besides


def test_a_hop_that_never_answers_is_left_out() -> None:
    story = surrounded()
    paced(story, clean() | {3: "...."}, end="!" * 12)
    found = losses(story)
    assert found.path.value is not None
    assert [hop.ttl for hop in found.path.value.hops] == [1, 2, 4, 5, 6]
    assert found.limited_hops.value == ()


def test_silence_that_was_not_waited_for_is_no_loss() -> None:
    """The fake end answers echoes after 30 ms, and silence takes 1.5 s; one round trip of 600 ms asks for 2.4 s."""
    quick, slow = surrounded(), surrounded()
    paced(quick, clean(), end="!!!!....")
    paced(slow, clean(), end="!!!!....", end_rtt_ms=600)
    ends = [losses(story).path.value for story in (quick, slow)]
    assert [(end.end.sent, end.end.lost) for end in ends if end is not None and end.end is not None] == [(8, 4), (4, 0)]


def test_long_round_trips_of_repeated_syns_do_not_hide_loss() -> None:
    story = surrounded()
    story.echo(STRANGER, "!", role="control", rtt_ms=3000)
    paced(story, clean(), end="!!!!....")
    found = losses(story).path.value
    assert found is not None
    assert found.end is not None
    assert (found.end.sent, found.end.lost) == (8, 4)


def test_a_limiter_is_told_from_loss() -> None:
    story = surrounded()
    paced(story, clean() | {2: "!.!.!.!.!.!.", 3: "!..!..!..!.."}, end="!" * 12)
    found = losses(story)
    assert found.limited_hops.value == (2, 3)
    assert not found.onset.known


def test_a_limiter_before_a_real_loss_does_not_hide_it() -> None:
    story = surrounded()
    story.connect(TARGET, syns=2)
    lossy = "!!.!.!!!.!!!"
    paced(story, clean([1, 2]) | {3: "!...!...!...", 4: lossy, 5: lossy, 6: lossy}, end=lossy)
    found = losses(story)
    assert found.limited_hops.value == (3,)
    onset = found.onset.value
    assert onset is not None
    assert holds(onset, 4)


def test_tcp_that_comes_through_unharmed_speaks_against_loss() -> None:
    """Routers and the host limit their ICMP alike, and look like loss from hop 5 on; sixty segments came through."""
    story = surrounded()
    for _ in range(15):
        story.reach(TARGET)
    limited = "!.!.!.!.!.!."
    paced(story, clean([1, 2, 3, 4]) | {5: limited, 6: limited}, end=limited, end_by="udp")
    assert not losses(story).onset.known


def test_an_end_that_answers_nothing_is_judged_by_tcp() -> None:
    story = surrounded()
    story.connect(TARGET, syns=2)
    story.connect(TARGET, syns=3)
    story.connect(TARGET, syns=2)
    lossy = "!..!.!!.!.!!"
    paced(story, clean([1, 2, 3]) | {4: lossy, 5: lossy, 6: lossy})
    found = losses(story)
    assert found.path.value is not None
    assert found.path.value.end is None
    assert found.path.value.tcp is not None
    assert (found.path.value.tcp.sent, found.path.value.tcp.lost) == (7, 4)
    assert found.onset.value is not None
    assert holds(found.onset.value, 4)


def test_routers_alone_never_make_a_loss() -> None:
    """Two limiters at the far end of a path whose host answers nothing."""
    story = surrounded()
    limited = "!.!.!.!.!.!."
    paced(story, clean([1, 2, 3, 4]) | {5: limited, 6: limited})
    assert not losses(story).onset.known


@pytest.mark.parametrize(
    ("here", "there", "shared"),
    [("!..!.!!.!.!!", "!.!!.!.!!!.!", True), ("!..!.!!.!..!", "!" * 12, False), ("!!!!!!!!!!.!", "!" * 12, None)],
)
def test_what_a_control_shares(here: str, there: str, shared: bool | None) -> None:
    story = surrounded()
    paced(story, clean([1, 2, 3]) | dict.fromkeys((4, 5, 6), here), end=here)
    control_syns(story, there)
    found = losses(story)
    assert found.control.value is not None
    assert found.control.value.sent == 12
    assert found.shared.value is shared


@pytest.mark.parametrize(
    ("mine", "others", "said"),
    [("." * 10 + "!!", "!" * 9, "lossy"), ("!" * 12, "." * 8 + "!", "clean"), ("!" * 12, "!" * 9, None)],
)
def test_one_flow_of_several(mine: str, others: str, said: str | None) -> None:
    story = surrounded()
    paced(story, clean(), end=mine, end_by="udp", flow=1)
    paced(story, {}, end=others, end_by="udp", flow=2)
    assert losses(story).one_flow.value == said


def test_round_trips_to_the_gateway() -> None:
    story = surrounded()
    story.echo(GATEWAY, "!" * 18, role="gateway", rtt_ms=2)
    story.echo(GATEWAY, "!!", role="gateway", rtt_ms=150)
    assert losses(story).gateway_ms.value == (2.0, 150.0)


def told(line: Line, *, end_by: str = "icmp") -> Facts:
    story = surrounded()
    line.connects(story, 10)
    line.tell(story, end_by="udp" if end_by == "udp" else "icmp")
    return facts_of(story)


@pytest.mark.parametrize("percent", [10, 25, 60])
@pytest.mark.parametrize("end_by", ["udp", "icmp"])
def test_loss_is_never_placed_where_it_is_not(percent: int, end_by: str) -> None:
    """200 paths each: none of the intervals excludes the link that loses (calibrated: below 1 in 300)."""
    dice = random.Random(percent)
    placed, wrong = 0, 0
    for seed in range(200):
        lossy_from = dice.randint(1, END)
        onset = onset_of(told(Line(random.Random(seed), lossy_from, percent / 100), end_by=end_by))
        placed += onset is not None
        wrong += onset is not None and not holds(onset, lossy_from)
    assert wrong <= 1
    assert placed >= {10: 10, 25: 120, 60: 190}[percent]


def test_limiters_are_never_loss() -> None:
    """200 paths on which some routers and the host limit their ICMP in every way: at most two are called lossy."""
    dice = random.Random(11)
    called = 0
    for seed in range(200):
        limiters = {
            ttl: Limiter(rate=dice.choice([0.2, 0.33, 0.5, 0.75, 0.9]), burst=dice.choice([1, 2, 6]))
            for ttl in range(1, END + 1)
            if dice.random() < 0.4
        }
        line = Line(random.Random(seed), limiters=limiters)
        called += onset_of(told(line, end_by=dice.choice(["udp", "icmp"]))) is not None
    assert called <= 2


def test_a_limiter_is_found_beside_a_real_loss() -> None:
    """Limiters and a lossy link on one path: the interval holds the link in all but at most 1 % of 200 paths."""
    dice = random.Random(5)
    wrong = 0
    for seed in range(200):
        lossy_from = dice.randint(1, END)
        limiters = {ttl: Limiter(rate=dice.choice([0.33, 0.5, 0.75])) for ttl in range(2, END) if dice.random() < 0.15}
        onset = onset_of(told(Line(random.Random(seed), lossy_from, 0.25, limiters)))
        wrong += onset is not None and not holds(onset, lossy_from)
    assert wrong <= 2


def test_tcp_counts_data_that_was_sent_again() -> None:
    story = surrounded()
    story.reach(TARGET)
    story.http(TARGET)
    paced(story, clean(), end="!" * 12)
    found = losses(story).path.value
    assert found is not None
    assert found.tcp is not None
    assert TCP.data_segs_out is not None
    assert (found.tcp.sent, found.tcp.lost) == (1 + 2 * TCP.data_segs_out, 0)
    assert ISP in {hop.address for hop in found.hops}
