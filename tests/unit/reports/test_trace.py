"""What a trace says: where it ends, what one end cannot tell, and that silence in the middle is no fault."""

import json
from typing import Any

import pytest

from netdiag.evidence import transport
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.record import Icmp
from netdiag.facts import derive
from netdiag.reports.trace import conclusions, rows, trace_json, trace_text
from tests.fakes.records import CARRIER, EDGE, GATEWAY, GATEWAY6, ISP, TARGET, TARGET6, Story

LONG = "2001:db8:1234:5678:9abc:def0:1234:5678"


def walked(*hops: str | None, end: str = "open", address: str = TARGET, **how: Any) -> Bundle:
    story = Story(f"https://[{address}]/" if ":" in address else f"https://{address}/", literal=True)
    story.walk(address, hops, end=end, **how)
    return story.bundle()


def said(bundle: Bundle) -> str:
    return " ".join(conclusions(bundle, derive(bundle)))


@pytest.mark.parametrize("end", ["open", "refused", "silent", "local"])
@pytest.mark.parametrize(("gateway", "router", "target"), [(GATEWAY, ISP, TARGET), (GATEWAY6, LONG, TARGET6)])
def test_every_end_fits_80_columns_and_is_valid_json(end: str, gateway: str, router: str, target: str) -> None:
    bundle = walked(gateway, router, None, router, end=end, address=target)
    text = trace_text(bundle, derive(bundle))
    assert all(len(line) <= 80 for line in text.splitlines())
    document = json.loads(trace_json(bundle, derive(bundle)))
    assert document["schema"] == "netdiag/trace/1"
    assert document["says"] == conclusions(bundle, derive(bundle))


def test_a_silent_end_names_both_sides_of_the_gap_and_its_doubt() -> None:
    bundle = walked(GATEWAY, ISP, CARRIER, end="silent")
    assert f"lost between hop 3 ({CARRIER}) and hop 4" in said(bundle)
    assert "One end cannot tell" in said(bundle)
    assert [row.ttl for row in rows(bundle, derive(bundle))] == [1, 2, 3, 4]


def test_silence_before_an_answer_is_no_fault() -> None:
    text = said(walked(GATEWAY, None, CARRIER, EDGE))
    assert "Hop 2 sent no answer while later ones did" in text
    assert "accepts connections on port 443: it is 5 hops away" in text
    assert "no fault" not in said(walked(GATEWAY, ISP, CARRIER, EDGE))


def test_a_refusal_is_told_with_its_sender_and_in_words() -> None:
    refusal = Icmp(type=3, code=13, sender=ISP, version=4)
    text = said(walked(GATEWAY, end="icmp", end_icmp=refusal))
    assert f"{ISP} at hop 2 refuses the packets: communication administratively prohibited (ICMP 3/13)" in text


def test_a_refusal_in_the_name_of_the_target_may_be_somebody_elses() -> None:
    refusal = Icmp(type=3, code=3, sender=TARGET, version=4)
    text = said(walked(GATEWAY, end="icmp", end_icmp=refusal))
    assert f"{TARGET} refuses connections on port 443, from hop 2" in text
    assert "or something on the way in its name" in text
    assert "the way to it is whole" in said(walked(GATEWAY, end="icmp", end_icmp=refusal, protocol="udp"))


def test_what_the_kernel_refuses_to_send_is_no_packet() -> None:
    bundle = walked(end="local")
    assert json.loads(trace_json(bundle, derive(bundle)))["packets"] == 0
    assert ", 0 packets in" in trace_text(bundle, derive(bundle))


def test_a_loop_is_a_circle_and_its_rows_end() -> None:
    bundle = walked(GATEWAY, *([ISP, CARRIER] * 6), end="cut")
    assert "round in a circle from hop 2 on" in said(bundle)
    assert len(rows(bundle, derive(bundle))) <= 7


def test_a_silence_that_nobody_waited_for_is_not_counted() -> None:
    bundle = walked(GATEWAY, ISP, CARRIER, end="silent", wait_ms=20, beyond=3)
    assert [row.ttl for row in rows(bundle, derive(bundle))] == [1, 2, 3]
    assert "Nothing came" not in said(bundle)


def test_the_round_trip_is_the_median_and_labels_are_shown() -> None:
    story = Story(f"https://{TARGET}/", literal=True)
    step = story.step("walk", "target", TARGET, TARGET, 443, params={"protocol": "tcp"})
    for attempt, rtt in enumerate((1000, 90_000, 3000), 1):
        story.add(
            transport.HopReply, step, ms=100, attempt=attempt, address=TARGET, port=443, flow=attempt, ttl=1,
            answer="icmp", replier=GATEWAY, icmp=Icmp(type=11, code=0, sender=GATEWAY), rtt_us=rtt,
            labels=(transport.Label(label=16_004),),
        )  # fmt: skip
    bundle = story.bundle()
    (row,) = rows(bundle, derive(bundle))
    assert (row.rtt_ms, row.answered, row.asked) == (3.0, 3, 3)
    assert "MPLS label 16004" in trace_text(bundle, derive(bundle))


def test_nothing_that_a_host_says_reaches_the_terminal_raw() -> None:
    story = Story("https://x.test/")
    story.walk(TARGET, (GATEWAY,), host="x\x1b[31m.test")
    assert "\x1b" not in trace_text(story.bundle(), derive(story.bundle()))
