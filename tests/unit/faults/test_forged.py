"""Refusals in the target's own name: the host's, or those of a box that has no address of its own."""

from typing import Literal

import msgspec
import pytest

from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Echo, HopReply
from netdiag.facts import derive
from netdiag.verdict import Verdict, decide
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL_HOST,
    EDGE,
    EXCHANGE,
    GATEWAY,
    ISP,
    TARGET,
    Story,
    prohibited,
)

WAY = (GATEWAY, ISP, CARRIER, EXCHANGE, EDGE)
DISTANCE = len(WAY) + 1


def refused_at(ttl: int, *, beside: Literal["udp", "echo", "nothing"], left: int = 64 - DISTANCE + 1) -> Verdict:
    """Connections are prohibited in the target's name at ``ttl``; what else shows how far away it is."""
    told = Story()
    told.surroundings()
    told.connect(TARGET, prohibited(TARGET))
    told.walk(TARGET, WAY[: ttl - 1], end="icmp", end_icmp=Icmp(type=3, code=13, sender=TARGET))
    told.walk(CONTROL, (GATEWAY, ISP, CARRIER), role="control", host=CONTROL_HOST)
    if beside == "udp":
        told.walk(TARGET, WAY, end="icmp", end_icmp=Icmp(type=3, code=3, sender=TARGET), protocol="udp")
    if beside == "echo":
        told.echo(TARGET)
        told._records = [at(one, left) for one in told._records]
    return decide(derive(told.bundle()))


def at(record: Observation, left: int) -> Observation:
    """An echo's reply with the TTL that it has left."""
    return msgspec.structs.replace(record, reply_ttl=left) if isinstance(record, Echo) else record


@pytest.mark.parametrize("beside", ["udp", "echo", "nothing"])
def test_the_hosts_own_refusal_is_the_hosts(beside: Literal["udp", "echo", "nothing"]) -> None:
    verdict = refused_at(DISTANCE, beside=beside)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "established", "host.block.rejected")


@pytest.mark.parametrize("ttl", [2, 3, 4])
def test_a_refusal_in_its_name_from_nearer_accuses_nobody(ttl: int) -> None:
    """A bridge of the customer's, of the provider's: both refuse in the name of the packet's receiver."""
    verdict = refused_at(ttl, beside="udp")
    assert verdict.side == "inconclusive"
    possible = {one.fault for one in verdict.hypotheses if one.suspect}
    assert "transit.path.prohibited" in possible
    assert ("local.firewall.router" in possible) is (ttl == 2)


def test_echoes_from_much_further_away_tell_it_too() -> None:
    assert refused_at(2, beside="echo").side == "inconclusive"


def test_a_longer_way_back_tells_nothing() -> None:
    assert refused_at(DISTANCE, beside="echo", left=64 - DISTANCE - 1).side == "host"


def refused_beside_datagrams(hops: int, datagrams: tuple[str | None, ...], code: int) -> Story:
    """Connections are prohibited in the target's name ``hops`` away, and datagrams refused so behind ``datagrams``."""
    told = Story()
    told.surroundings()
    told.connect(TARGET, prohibited(TARGET))
    told.walk(TARGET, WAY[: hops - 1], end="icmp", end_icmp=Icmp(type=3, code=13, sender=TARGET))
    told.walk(TARGET, datagrams, end="icmp", end_icmp=Icmp(type=3, code=code, sender=TARGET), protocol="udp")
    told.walk(CONTROL, (GATEWAY, ISP, CARRIER), role="control", host=CONTROL_HOST)
    return told


LATE = (*WAY, None, None, None)


@pytest.mark.parametrize(("away", "side"), [(DISTANCE, "host"), (DISTANCE + 3, "inconclusive"), (None, "inconclusive")])
def test_a_host_that_limits_its_icmp_answers_at_larger_ttls_only(away: int | None, side: str) -> None:
    """Silence behind the refusal is a host that says little, or routers that say nothing: its echoes tell which."""
    told = refused_beside_datagrams(DISTANCE, LATE, code=3)
    if away is not None:
        told.echo(TARGET)
        told._records = [at(one, 64 - away + 1) for one in told._records]
    assert decide(derive(told.bundle())).side == side


@pytest.mark.parametrize(("nearer", "side"), [(0, "host"), (1, "host"), (3, "inconclusive")])
def test_the_ttl_that_is_left_in_its_refusals_tells_it_without_echoes(nearer: int, side: str) -> None:
    """A host that refuses echoes, too, and whose limit hid its first answers to datagrams."""
    told = refused_beside_datagrams(DISTANCE, LATE, code=3)
    told._records = [arrived(one, tcp=58 + nearer, others=58) for one in told._records]
    assert decide(derive(told.bundle())).side == side


@pytest.mark.parametrize(("hops", "side"), [(DISTANCE, "host"), (DISTANCE - 1, "host"), (3, "inconclusive")])
def test_a_box_that_refuses_all_but_echoes_is_told_by_the_ttl_that_is_left(hops: int, side: str) -> None:
    """It refuses datagrams in the target's name, too, so that no walk gets beyond it."""
    told = refused_beside_datagrams(hops, WAY[: hops - 1], code=13)
    told.echo(TARGET)
    from_host = 64 - DISTANCE - 4  # the way back is longer than the way there, for all of them
    from_there = from_host + DISTANCE - hops
    told._records = [at(arrived(one, tcp=from_there, others=from_there), from_host) for one in told._records]
    assert decide(derive(told.bundle())).side == side


def arrived(record: Observation, *, tcp: int, others: int) -> Observation:
    """A refusal in the target's name with the TTL that it has left."""
    if not isinstance(record, HopReply) or record.replier != TARGET:
        return record
    return msgspec.structs.replace(record, replier_ttl=tcp if record.protocol == "tcp" else others)
