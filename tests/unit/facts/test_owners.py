"""Names of routers: a second sign when they are confirmed, nothing by themselves, and no fact of the target's name."""

from collections.abc import Sequence
from typing import Any

import pytest

from netdiag.evidence import names
from tests.fakes.records import CARRIER, GATEWAY, HOST, ISP, RESOLVER, TARGET, Story
from tests.unit.facts import facts_of

BORDER = "203.0.113.200"
OF_THE_VENDOR = "edge1.core.vendor.test"


def named(story: Story, router: str, name: str | None, *, back: str | None = None) -> None:
    """The router's reverse name, and the address that it resolves to in return."""
    step = story.step("reverse", "resolver", RESOLVER, router)
    asked = ".".join(reversed(router.split("."))) + ".in-addr.arpa"
    common: dict[str, Any] = {"server": RESOLVER, "server_class": "configured", "transport": "udp"}
    answers = () if name is None else (names.ResourceRecord(name=asked, rrtype="PTR", data=name, ttl=60),)
    story.add(names.Lookup, step, name=asked, rrtype="PTR", rcode=3 if name is None else 0, answers=answers, **common)
    if name is not None and back is not None:
        found = (names.ResourceRecord(name=name, rrtype="A", data=back, ttl=60),)
        story.add(names.Lookup, step, name=name, rrtype="A", rcode=0, answers=found, **common)


def silent_behind(
    border_name: str, back: str | None, *, control: Sequence[str | None] | None = (GATEWAY, ISP, CARRIER)
) -> tuple[str | None, ...]:
    """The places of a walk that ends in silence behind a router of that name, beside a walk to a control."""
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, BORDER), end="silent")
    if control is not None:
        story.walk("192.0.2.80", control, role="control")
    named(story, BORDER, border_name, back=back)
    walk = facts_of(story).path.target4.value
    assert walk is not None
    return tuple(hop.place for hop in walk.hops[:3])


def test_a_confirmed_name_under_the_targets_domain_is_the_vendors() -> None:
    assert HOST.endswith(".vendor.test")
    assert silent_behind(OF_THE_VENDOR, BORDER) == ("gateway", "public", "vendor")


@pytest.mark.parametrize(
    ("name", "back"),
    [
        (OF_THE_VENDOR, None),
        (OF_THE_VENDOR, CARRIER),
        ("edge1.core.carrier.test", BORDER),
        ("vendor.test.carrier.test", BORDER),
    ],
    ids=["nobody confirms", "another address confirms", "another's", "the domain in another's"],
)
def test_any_other_name_is_no_sign(name: str, back: str | None) -> None:
    assert silent_behind(name, back) == ("gateway", "public", "public")


def test_a_router_on_a_controls_path_carries_others_traffic_whatever_its_name() -> None:
    assert silent_behind(OF_THE_VENDOR, BORDER, control=(GATEWAY, ISP, BORDER))[2] == "public"


@pytest.mark.parametrize("control", [None, (None, None)])
def test_where_no_walk_shows_what_carries_others_traffic_names_are_no_sign(
    control: Sequence[str | None] | None,
) -> None:
    assert silent_behind(OF_THE_VENDOR, BORDER, control=control)[2] == "public"


def test_the_names_are_a_fact_with_what_is_known_of_each() -> None:
    story = Story()
    story.surroundings()
    before = facts_of(story)
    assert not before.path.hop_names.known
    named(story, ISP, "Gw.ISP.test.", back=ISP)
    named(story, CARRIER, "ae1.carrier.test", back=ISP)
    named(story, BORDER, None)
    facts = facts_of(story)
    found = facts.path.hop_names.value or ()
    assert [(one.address, one.name, one.confirmed) for one in found] == [
        (ISP, "gw.isp.test", True),
        (CARRIER, "ae1.carrier.test", False),
    ]
    assert facts.path.hop_names.looked_at == 3
    assert facts.names == before.names
