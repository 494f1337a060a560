"""Where connections are cut, told as stories: whose it is, and what may look like it."""

import msgspec
import pytest

from netdiag.evidence import transport
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import ObsId
from netdiag.facts import Facts
from netdiag.facts.derivation.whole import derive
from netdiag.facts.flow import FlowState
from netdiag.verdict import Verdict, decide
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL_HOST,
    EDGE,
    EXCHANGE,
    GATEWAY,
    HOST,
    ISP,
    OWN,
    REFUSED,
    RESET,
    SILENT,
    TARGET,
    TCP,
    Story,
)

# GATEWAY 1, ISP 2, CARRIER 3, EXCHANGE 4, EDGE 5 (the vendor's: in the target's /24), the host 6.
ROUTERS = (GATEWAY, ISP, CARRIER, EXCHANGE, EDGE)
DISTANCE = len(ROUTERS) + 1
OTHERS = (GATEWAY, ISP, CARRIER)
"""What a control's packets pass, too."""

HOST_TTL = 59


class Tale(Story):
    """A target whose connections are cut after they were accepted."""

    def __init__(self, *, reset: bool = True, at_ttl_1: str = "gateway", own: str = OWN) -> None:
        super().__init__()
        self.machine(own=own)
        self.healthy_names()
        self.healthy_controls()
        self.egress(target=at_ttl_1)
        self.connect(TARGET)
        self.handshake(TARGET, RESET if reset else SILENT, acked=None if reset else False)
        self.walk(TARGET, ROUTERS)
        self.walk(CONTROL, OTHERS, role="control", host=CONTROL_HOST)
        self._flow = self.step("in_flow", "target", self.host, TARGET, 443)

    def neutral(self, answer: str = "data", *, ms: float | None = None) -> None:
        """The neutral name at full TTL; with the host's TTL, where it was answered."""
        line = self._connected()
        self._stage(line, None, answer, neutral=True, ms=ms)
        if answer == "data":
            self.add(
                transport.ArrivingTtl, self._flow, address=TARGET, port=443, of="ack", how="min_ttl", low=HOST_TTL,
                high=HOST_TTL,
            )  # fmt: skip

    def expires(self, *ttls: int) -> None:
        """The neutral name with these TTLs: a router tells each time that it expired."""
        line = self._connected()
        for ttl in ttls:
            self._stage(line, ttl, "expired", neutral=True)

    def vendor(self, *stages: tuple[int | None, str] | tuple[int | None, str, int], ms: float | None = None) -> None:
        """One connection: TTL, answer, and the least TTL that is seen."""
        line = self._connected()
        for stage in stages:
            self._stage(line, stage[0], stage[1], min_ttl=stage[2] if len(stage) > 2 else None, ms=ms)

    def _connected(self) -> ObsId:
        return self.add(
            transport.Connect, self._flow, ms=20, address=TARGET, port=443, limit_ms=1500, syns_sent=1, tcp=TCP
        )

    def _stage(
        self, line: ObsId, ttl: int | None, answer: str, *, neutral: bool = False, min_ttl: int | None = None,
        ms: float | None = None,
    ) -> None:  # fmt: skip
        took = {"none": 1500, "expired": 220, "reset": 5}
        self.add(
            transport.InFlow, self._flow, ms=ms or took.get(answer, 30), caused_by=line, address=TARGET,
            port=443, payload="client_hello", name="www.example.com" if neutral else HOST, neutral=neutral, ttl=ttl,
            min_ttl=min_ttl, limit_ms=1000, answer=answer,
        )  # fmt: skip

    def facts(self) -> Facts:
        return derive(self.bundle())

    def state(self) -> FlowState:
        (only,) = self.facts().flow.states.value or ()
        return only

    def verdict(self) -> Verdict:
        return decide(self.facts())


def told(verdict: Verdict) -> tuple[str, str | None, str | None]:
    return verdict.side, verdict.certainty, verdict.fault


def cut(*stages: tuple[int | None, str], neutral: str = "data", reset: bool = True, beside: bool = True) -> Tale:
    """``beside``: where the vendor's name met silence, a neutral one is told to expire."""
    tale = Tale(reset=reset)
    tale.neutral(neutral)
    tale.vendor(*stages)
    silent = [stage[0] for stage in stages if stage[0] is not None and stage[1] == "none"]
    if beside and silent:
        tale.expires(*silent)
    return tale


def test_the_interval_reaches_from_the_last_expiry_to_the_first_reset() -> None:
    state = cut((1, "expired"), (2, "expired"), (4, "reset")).state()
    assert (state.vendor, state.neutral, state.passed, state.stopped_at) == ("reset", "data", 2, 4)
    assert (state.passed_address, state.stopped_address, state.on_the_way) == (ISP, EXCHANGE, True)


def test_a_reset_by_name_before_a_router_that_carries_others() -> None:
    assert told(cut((1, "expired"), (2, "expired"), (3, "reset")).verdict()) == (
        "transit",
        "established",
        "transit.tamper.reset_by_name",
    )


def test_the_first_public_routers_of_a_machine_without_nat_may_be_its_owners() -> None:
    """An office or a university with public addresses: its own border looks like a provider's first router."""
    tale = Tale(own="203.0.114.50")
    tale.neutral()
    tale.vendor((2, "expired"), (3, "reset"))
    assert told(tale.verdict()) == ("transit", "likely", "transit.tamper.reset_by_name")


def test_a_drop_by_name_there_is_at_most_likely() -> None:
    tale = cut((2, "expired"), (3, "none"), (4, "none"), (None, "none"), reset=False)
    assert told(tale.verdict()) == ("transit", "likely", "transit.tamper.drop_by_name")


@pytest.mark.parametrize("first", [1, 2, 3])
def test_silence_where_no_data_are_known_to_be_answered_places_nothing(first: int) -> None:
    """Routers that forward known connections in hardware answer a walk's SYN, and say nothing of data that expire."""
    tale = cut((first, "none"), (first + 1, "none"), (None, "none"), reset=False, beside=False)
    assert (tale.state().stopped_at, tale.state().on_the_way) == (None, None)
    assert tale.verdict().side == "inconclusive"


def test_a_router_tied_by_its_private_block_alone_is_no_more_than_likely() -> None:
    """Providers number their access from 192.168/16, too."""
    tale = Tale()
    tale._records = [inner(one) for one in tale._records]
    tale.neutral()
    tale.vendor((1, "expired"), (2, "reset"))
    assert told(tale.verdict()) == ("local", "likely", "local.firewall.by_name")


def inner(record: Observation) -> Observation:
    """The provider's first router under a private address."""
    if isinstance(record, transport.HopReply) and record.replier == ISP and record.icmp is not None:
        icmp = msgspec.structs.replace(record.icmp, sender="192.168.100.1")
        return msgspec.structs.replace(record, replier="192.168.100.1", icmp=icmp)
    return record


@pytest.mark.parametrize("stages", [((1, "reset"),), ((1, "expired"), (2, "reset"))])
def test_a_first_hop_of_a_machine_without_a_private_address_may_be_the_providers(
    stages: tuple[tuple[int | None, str], ...],
) -> None:
    """A modem, a mobile line, a rented server: its gateway is the provider's."""
    tale = Tale(own="203.0.114.50")
    tale.neutral()
    tale.vendor(*stages)
    assert tale.verdict().side == "inconclusive"


def test_silence_at_the_gateway_that_answers_other_data_is_the_customers() -> None:
    tale = cut((1, "none"), (2, "none"), (None, "none"), reset=False)
    assert told(tale.verdict()) == ("local", "likely", "local.firewall.by_name")


@pytest.mark.parametrize("last", [4, 5])
def test_an_interval_that_may_touch_the_vendors_network_accuses_nobody(last: int) -> None:
    assert cut((2, "expired"), (last, "reset")).verdict().side == "inconclusive"


def test_between_the_gateway_and_the_provider_it_is_undecided() -> None:
    verdict = cut((1, "expired"), (2, "reset")).verdict()
    assert verdict.side == "inconclusive"
    possible = {one.fault for one in verdict.hypotheses if one.suspect}
    assert {"local.firewall.by_name", "transit.tamper.reset_by_name"} <= possible


def test_a_reset_at_ttl_1_is_the_customers_only_after_some_quiet() -> None:
    """At once it may be a host that hangs up on whomever it accepted."""
    assert cut((1, "reset")).verdict().side == "inconclusive"
    quiet = cut((2, "expired"), (1, "reset"))
    assert told(quiet.verdict()) == ("local", "established", "local.firewall.by_name")


@pytest.mark.parametrize("neutral", ["data", "reset"])
def test_a_host_that_hangs_up_on_whom_it_accepted_ends_no_data(neutral: str) -> None:
    """A round trip after the connection stood, data with a TTL of 1 or 2 were out: they are not what it is about."""
    for stages in (((1, "reset"),), ((1, "expired"), (2, "reset"))):
        tale = Tale()
        tale.neutral(neutral)
        tale.vendor(*stages, ms=21)
        assert (tale.state().stopped_at, tale.state().on_the_way) == (None, None)
        assert tale.verdict().side not in ("local", "transit")


def test_a_host_that_hangs_up_later_does_so_on_the_neutral_name_too() -> None:
    """A balancer that gives its dead servers up after 0.4 s."""
    tale = Tale()
    tale.neutral("reset", ms=400)
    tale.vendor((1, "expired"), (2, "expired"), (3, "reset"), ms=200)
    assert tale.state().stopped_at is None
    assert tale.verdict().side not in ("local", "transit")


def test_the_vendors_end_that_minds_the_name() -> None:
    tale = cut((4, "expired"), (5, "expired"), (None, "reset", HOST_TTL + 1))  # type: ignore[arg-type]
    assert (tale.state().on_the_way, tale.state().arrived_with) == (False, "higher")
    assert told(tale.verdict()) == ("host", "likely", "host.block.by_name")


def test_the_host_that_resets_everybody() -> None:
    tale = cut((4, "expired"), (5, "expired"), (None, "reset"), neutral="reset")
    assert told(tale.verdict()) == ("host", "likely", "host.service.closes")


def test_the_provider_that_resets_everybody() -> None:
    tale = cut((2, "expired"), (3, "reset"), neutral="reset")
    assert told(tale.verdict()) == ("transit", "established", "transit.tamper.reset")


def test_the_arriving_ttl_beside_the_hosts() -> None:
    for stages, word in (
        (((None, "reset", HOST_TTL + 1),), "higher"),
        (((None, "none", HOST_TTL + 1), (None, "reset", HOST_TTL)), "equal"),
        (((None, "none", HOST_TTL + 1), (None, "none", HOST_TTL), (None, "reset")), "lower"),
        (((None, "reset"),), None),
    ):
        assert cut(*stages).state().arrived_with == word


def test_a_router_that_never_answers_is_no_drop() -> None:
    tale = Tale(reset=False)
    tale._records = [one for one in tale._records if getattr(one, "replier", None) != EXCHANGE]
    tale.neutral()
    tale.vendor((3, "expired"), (4, "none"), (None, "none"))
    assert (tale.state().passed, tale.state().stopped_at) == (3, None)
    assert tale.verdict().side == "inconclusive"


def agents_line() -> Story:
    """Another line, on which the same address works."""
    story = Story()
    story.surroundings()
    story.well()
    return story


@pytest.mark.parametrize(("end", "certainty"), [("reset", "established"), ("none", "likely")])
def test_what_ends_before_the_vendor_is_no_block_of_the_vendors(end: str, certainty: str) -> None:
    """That the agent's line is served does not make a filter on the way a ban of this customer."""
    tale = cut((2, "expired"), (3, end), (None, end), reset=end == "reset")
    verdict = decide(derive(tale.bundle(), [agents_line().bundle()]))
    assert (verdict.side, verdict.certainty) == ("transit", certainty)
    standings = {one.fault: one.standing for one in verdict.hypotheses}
    assert standings["host.block.source_address"] == "opposed"


def test_behind_the_last_router_it_may_be_a_block_of_the_vendors() -> None:
    tale = cut((4, "expired"), (5, "expired"), (None, "reset"))
    verdict = decide(derive(tale.bundle(), [agents_line().bundle()]))
    standings = {one.fault: one.standing for one in verdict.hypotheses}
    assert standings["host.block.source_address"] == "possible"
    assert verdict.side in ("host", "inconclusive")


def test_without_a_walk_nothing_is_placed() -> None:
    tale = Tale()
    tale._records = [one for one in tale._records if not isinstance(one, transport.HopReply)]
    tale.neutral()
    tale.vendor((3, "reset"))
    assert tale.state().on_the_way is None
    assert tale.verdict().side == "inconclusive"


def test_what_is_reset_by_nobody_on_the_way_clears_the_way() -> None:
    """The look-alike of every filter: the host answers the vendor's name after all."""
    tale = cut((4, "expired"), (None, "data"))
    findings = {one.fault: one.standing for one in tale.verdict().hypotheses}
    assert findings["transit.tamper.drop_by_name"] == findings["local.firewall.by_name"] == "opposed"


def test_who_accepts_for_nobody_stands_before_the_host() -> None:
    tale = cut((4, "expired"), (5, "expired"), (None, "reset"), neutral="reset")
    step = tale.step("canary", "machine", "", "192.0.2.1", 443, params={"ask": "connection"})
    tale.add(transport.Connect, step, ms=20, address="192.0.2.1", port=443, limit_ms=1500, tcp=TCP)
    given = tale.facts()
    assert given.flow.accepts_for_nobody.value == ("192.0.2.1",)
    assert given.path.proxy_in_path.value is True
    assert decide(given).side == "inconclusive"


@pytest.mark.parametrize("nearest", [True, False])
def test_a_transparent_proxy_is_a_suspect_and_no_more(nearest: bool) -> None:
    tale = Tale(at_ttl_1="accepted" if nearest else "gateway")
    step = tale.step("canary", "machine", "", "192.0.2.1", 443, params={"ask": "connection"})
    tale.add(transport.Connect, step, ms=20, address="192.0.2.1", port=443, limit_ms=1500, tcp=TCP)
    verdict = tale.verdict()
    suspects = {one.fault for one in verdict.hypotheses if one.suspect}
    mine, other = ("local", "transit") if nearest else ("transit", "local")
    assert f"{mine}.proxy.transparent" in suspects
    assert f"{other}.proxy.transparent" not in suspects
    assert verdict.side == "inconclusive"


def test_where_nobody_accepts_for_nobody_there_is_no_such_proxy() -> None:
    tale = Tale()
    step = tale.step("canary", "machine", "", "192.0.2.1", 443, params={"ask": "connection"})
    tale.add(transport.Connect, step, ms=1500, address="192.0.2.1", port=443, limit_ms=1500, failure=SILENT)
    standings = {one.fault: one.standing for one in tale.verdict().hypotheses}
    assert standings["local.proxy.transparent"] == standings["transit.proxy.transparent"] == "opposed"


# Resets of the service port, beside another port's answers


def refused(*, at: int, ttl: int, other_ttl: int = HOST_TTL) -> Story:
    """Connections are reset, and so is the walk at TTL ``at``, where another protocol's walk, which nobody answers at
    its end, met a router. The resets arrive with ``ttl``, another port's answers with ``other_ttl``."""
    story = Story()
    story.surroundings()
    story.egress()
    story.connect(TARGET, REFUSED)
    story.walk(TARGET, ROUTERS[: at - 1], end="refused")
    story.walk(TARGET, ROUTERS, protocol="udp", end="silent")
    story.walk(CONTROL, OTHERS, role="control", host=CONTROL_HOST)
    for port, its in ((443, ttl), (80, other_ttl)):
        step = story.step("arriving", "target", HOST, TARGET, port)
        story.add(
            transport.ArrivingTtl, step, address=TARGET, port=port, of="rst" if port == 443 else "syn_ack",
            how="min_ttl", low=its, high=its, connections=9,
        )  # fmt: skip
    return story


def test_the_reset_beside_another_ports_answer() -> None:
    (only,) = derive(refused(at=3, ttl=62).bundle()).flow.refusals.value or ()
    assert (only.ttl, only.other_port, only.other_ttl, only.hops, only.nearer_by) == (62, 80, HOST_TTL, 3, 3)


def test_an_inexact_ttl_is_none() -> None:
    story = refused(at=3, ttl=62)
    story._records = [
        msgspec.structs.replace(one, high=one.low + 1)
        if isinstance(one, transport.ArrivingTtl) and one.of == "rst" and one.low is not None
        else one
        for one in story._records
    ]
    assert not derive(story.bundle()).flow.refusals.known


def test_a_reset_that_arrives_from_nearer_begins_at_a_router() -> None:
    verdict = decide(derive(refused(at=3, ttl=62).bundle()))
    assert told(verdict) == ("transit", "established", "transit.tamper.reset")


@pytest.mark.parametrize("ttl", [HOST_TTL, HOST_TTL + 1, HOST_TTL - 4])
def test_a_reset_that_does_not_proves_no_box(ttl: int) -> None:
    verdict = decide(derive(refused(at=3, ttl=ttl).bundle()))
    standings = {one.fault: one.standing for one in verdict.hypotheses}
    assert standings["transit.tamper.reset"] == "opposed"
    assert verdict.side == "inconclusive"
