"""Which hops are counted in the output of each tracer, and what trace's bars are judged on."""

import pytest

from benchmarks.trace import HEALTHY, ROUND_TRIPS, Paths, Tool, Walked, bars, hops_in, library_words, table, tools

SAID = {
    "netdiag": "hop  router    where\n  1  192.0.2.1   gateway  1.0 ms  1/1\n  2  -   0/1\n\n192.0.2.7 accepts: 7.",
    "traceroute": "traceroute to 192.0.2.7 (192.0.2.7), 30 hops max\n 1  192.0.2.1  2.6 ms  2.5 ms\n 2  * * *\n",
    "mtr": "HOST: x    Loss%\n  1.|-- 192.0.2.1   0.0%  1\n  2.|-- ???        100.0  1\n",
    "scamper": "traceroute from 192.0.2.9 to 192.0.2.7\n 1  192.0.2.1  3.1 ms\n 2  *\n",
    "tracepath": " 1?: [LOCALHOST]   pmtu 1500\n 1:  192.0.2.1   2.4ms \n 1:  192.0.2.1   2.3ms \n 2:  no reply\n",
}


def walked(name: str, seconds: float, hops: int, scenario: str = HEALTHY, **more: object) -> Walked:
    tool = Tool(name, (), mine=name.startswith("netdiag"))
    fields: dict[str, object] = {"refused": False, "library_ms": None, **more}
    return Walked(scenario, True, tool, seconds, hops, 20, 30.0, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("tool", SAID)
def test_a_hop_is_a_line_with_its_number_and_who_answered(tool: str) -> None:
    assert hops_in(SAID[tool]) == {1}


def test_trace_is_judged_beside_the_fastest_that_was_not_refused() -> None:
    paths = Paths(
        [
            walked("netdiag trace", 0.45, 6),
            walked("netdiag, library, tcp", 0.3, 7, library_ms=95.0),
            walked("netdiag, library, raw udp", 0.3, 7, library_ms=75.0),
            walked("netdiag, library, raw tcp", 0.3, 7, library_ms=95.0),
            walked("traceroute -U", 0.1, 7),
            walked("mtr --udp", 0.01, 0, refused=True),
            walked("netdiag trace", 3.9, 2, "dead"),
            walked("traceroute -U", 25.0, 2, "dead"),
        ],
        rtt_ms=40.0,
    )
    found = {bar.what: bar for bar in bars(paths)}
    over = found["trace, healthy path, over the fastest, ordinary user"]
    assert (round(over.measured), over.holds) == (350, False)
    assert found["trace, library call, tcp, over 2 round trip(s), ordinary user"].measured == 15.0
    assert found["trace, library call, raw tcp, over 2 round trip(s), ordinary user"].measured == 15.0
    assert not found["trace, library call, raw udp, over 1 round trip(s), ordinary user"].holds
    assert found["trace, worst dead path, whole process, ordinary user"].holds
    missed = found["hops of the best tool that trace did not see, ordinary user"]
    assert (missed.measured, missed.holds) == (1, False)
    assert "refused" in table(Paths([walked("mtr --udp", 0.01, 0, refused=True)], 40.0), "seconds")


def test_a_call_that_was_refused_took_no_time_worth_telling() -> None:
    walks = [
        walked("netdiag, library, udp", 0.3, 7, library_ms=45.0),
        walked("netdiag, library, raw udp", 0.1, 0, library_ms=0.7, refused=True),
    ]
    said = library_words(Paths(walks, rtt_ms=40.0))
    assert "netdiag, library, udp, ordinary user: 45.0 ms" in said
    assert "raw udp" not in said


def test_every_walk_with_a_bar_is_run() -> None:
    names = {tool.name for tool in tools("192.0.2.7", "443")}
    assert {f"netdiag, library, {kind}" for kind in ROUND_TRIPS} <= names


def test_every_tool_of_the_issue_is_there() -> None:
    programs = {tool.name.split()[0] for tool in tools("192.0.2.7", "443") if not tool.mine}
    assert programs == {"traceroute", "mtr", "scamper", "tracepath", "icmplib", "scapy"}
