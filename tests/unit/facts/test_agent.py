"""The agent's control runs: what they can say, and what they cannot."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from netdiag.facts import AgentRun
from tests.fakes.records import (
    BEGAN_AT,
    CARRIER,
    CONTROL,
    CONTROL2,
    CONTROL_HOST2,
    GATEWAY,
    ISP,
    NO_ROUTE,
    REFUSED,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    certificate,
    port_unreachable,
    prohibited,
)
from tests.unit.facts import Prefixes, facts_of

Tell = Callable[[Story], object]


def run(tell: Tell, **fields: object) -> Story:
    story = Story(**fields)  # type: ignore[arg-type]
    story.surroundings()
    tell(story)
    return story


def only(customer: Story, agent: Story, profile: Prefixes | None = None) -> AgentRun:
    runs = facts_of(customer, agent, profile=profile).agent.runs.value
    assert runs is not None
    assert len(runs) == 1
    return runs[0]


def bad_certificate(story: Story) -> None:
    story.connect()
    story.handshake(verify=10, chain=[certificate()])


def status(number: int) -> Tell:
    def tell(story: Story) -> None:
        story.reach()
        story.http(status=number)

    return tell


def connects(failure: object) -> Tell:
    return lambda story: story.connect(TARGET, failure)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mine", "theirs", "works", "fails_same"),
    [
        (connects(SILENT), Story.well, True, False),
        (connects(SILENT), connects(SILENT), False, True),
        (connects(SILENT), connects(REFUSED), False, False),
        (connects(port_unreachable(TARGET)), connects(port_unreachable(TARGET)), False, True),
        (connects(port_unreachable(TARGET)), connects(prohibited(TARGET)), False, False),
        (bad_certificate, bad_certificate, False, True),
        (bad_certificate, connects(SILENT), False, False),
        (status(503), status(503), False, True),
        (status(503), status(502), False, False),
        (Story.well, connects(SILENT), None, None),  # nothing fails for the customer
    ],
)
def test_what_a_run_says(mine: Tell, theirs: Tell, works: bool | None, fails_same: bool | None) -> None:
    customer, agent = run(mine), run(theirs)
    found = only(customer, agent)
    assert found.usable
    assert (found.works, found.fails_same) == (works, fails_same)
    assert found.caps == ()
    facts = facts_of(customer, agent).agent
    assert facts.works_elsewhere.value is works
    assert facts.fails_elsewhere.value is fails_same
    assert all(witness.startswith("control1:") for witness in found.witnesses)


def test_without_a_run_nothing_is_known() -> None:
    agent = facts_of(run(connects(SILENT))).agent
    assert not agent.runs.known
    assert not agent.works_elsewhere.known
    assert not agent.fails_elsewhere.known


def test_a_family_that_the_customer_does_not_have_is_not_compared() -> None:
    def no_ipv6(story: Story) -> None:
        story.well()
        story.connect(TARGET6, NO_ROUTE)

    def dropped_and_no_ipv6(story: Story) -> None:
        story.connect(TARGET, SILENT)
        story.connect(TARGET6, NO_ROUTE)

    assert only(run(no_ipv6), run(lambda s: s.well(TARGET6))).same_addresses == ()
    found = only(run(dropped_and_no_ipv6), run(dropped_and_no_ipv6))
    assert (found.same_addresses, found.fails_same) == ((TARGET,), True)


def test_another_address_says_nothing() -> None:
    found = only(run(connects(SILENT)), run(lambda s: s.well(SECOND)))
    assert (found.same_addresses, found.works, found.fails_same) == ((), None, None)


def test_mixed_addresses_say_neither() -> None:
    def both(story: Story) -> None:
        story.connect(TARGET, SILENT)
        story.connect(SECOND, SILENT)

    def one(story: Story) -> None:
        story.connect(TARGET, SILENT)
        story.well(SECOND)

    found = only(run(both), run(one))
    assert found.same_addresses == (TARGET, SECOND)
    assert (found.works, found.fails_same) == (None, None)


def test_another_target_is_unusable() -> None:
    found = only(run(connects(SILENT)), run(Story.well, url="https://other.vendor.test/"))
    assert not found.usable
    assert found.caps == ("other_target",)
    assert found.works is None


def test_another_port_caps() -> None:
    assert "other_target" in only(run(connects(SILENT)), run(Story.well, url="https://api.vendor.test:8443/")).caps


@pytest.mark.parametrize(("minutes", "capped"), [(0, False), (29, False), (45, True), (-45, True)])
def test_time(minutes: int, capped: bool) -> None:
    agent = run(connects(SILENT), began_at=BEGAN_AT + timedelta(minutes=minutes))
    customer = run(connects(SILENT))
    assert ("too_far_apart" in only(customer, agent).caps) is capped
    assert facts_of(customer, agent).agent.fails_elsewhere.value is (None if capped else True)


def test_a_wrong_clock_is_no_distance() -> None:
    customer = Story(began_at=BEGAN_AT + timedelta(hours=5))
    customer.machine()
    customer.connect(TARGET, SILENT)
    for address, host in ((CONTROL, "control.example"), (CONTROL2, CONTROL_HOST2)):
        customer.portal_page(address, host=host, clock_ahead_s=5 * 3600)
    assert only(customer, run(connects(SILENT))).caps == ()


def test_an_agent_inside_the_vendors_network() -> None:
    agent = Story()
    agent.machine(own="203.0.113.77")
    agent.connect(TARGET, SILENT)
    customer = run(connects(SILENT))
    assert only(customer, agent).caps == ()
    assert only(customer, agent, Prefixes("203.0.113.0/24")).caps == ("inside_vendor",)
    neighbour = Story()
    neighbour.machine(own="198.51.100.20")
    neighbour.connect(TARGET, SILENT)
    assert only(customer, neighbour).caps == ("inside_vendor",)


def test_an_agent_on_a_private_path() -> None:
    agent = run(Story.well)
    agent.walk(TARGET, ("10.0.0.1", "10.0.1.1", "10.0.2.1"))
    assert only(run(connects(SILENT)), agent).caps == ("private_path",)
    public = run(Story.well)
    public.walk(TARGET, (GATEWAY, ISP, CARRIER))
    assert only(run(connects(SILENT)), public).caps == ()
    tunnelled = run(Story.well)
    tunnelled.interface("tun0", "tunnel", ("10.8.0.2", 24))
    tunnelled.route(device="tun0")
    assert only(run(connects(SILENT)), tunnelled).caps == ("private_path",)


def test_another_point_of_presence() -> None:
    def at(pop: str) -> Tell:
        def tell(story: Story) -> None:
            story.reach()
            story.http(status=503, headers={"cf-ray": f"8a12-{pop}"})

        return tell

    assert only(run(at("FRA")), run(at("FRA"))).caps == ()
    assert only(run(at("FRA")), run(at("EWR"))).caps == ("other_pop",)


def forbidden(story: Story) -> None:
    """The application's own words, to whoever sends no key."""
    story.reach()
    story.http(status=403, headers={"content-type": "application/json"}, body='{"error":"not for you"}')


def test_an_applications_403_is_about_this_line_where_another_is_served() -> None:
    facts = facts_of(run(forbidden), run(Story.well))
    assert facts.target.works.value is False
    assert facts.agent.works_elsewhere.value is True


@pytest.mark.parametrize("theirs", [forbidden, status(401), status(503), connects(SILENT)])
def test_an_applications_403_is_an_answer_where_no_other_line_is_served(theirs: Tell) -> None:
    assert facts_of(run(forbidden), run(theirs)).target.works.value is True


def test_a_gateway_that_may_ask_for_a_key_leaves_open_whom_it_refuses() -> None:
    def gateway(story: Story) -> None:
        story.reach()
        said = {"x-amzn-requestid": "5f3b9c1e", "x-amzn-errortype": "ForbiddenException"}
        for agent in ("netdiag", "Mozilla/5.0"):
            story.http(status=403, headers=said, body='{"message":"Forbidden"}', agent=agent)

    assert facts_of(run(gateway), run(gateway)).target.works.value is None
    assert facts_of(run(gateway), run(Story.well)).target.works.value is False


def test_a_login_that_is_asked_for_is_an_answer_whoever_else_is_served() -> None:
    assert facts_of(run(status(401)), run(Story.well)).target.works.value is True


def test_an_agent_whose_own_line_is_broken() -> None:
    agent = Story()
    agent.machine()
    agent.connect(CONTROL, SILENT, role="control")
    agent.connect(TARGET, SILENT)
    assert not only(run(connects(SILENT)), agent).usable
    unplugged = run(connects(NO_ROUTE))
    assert not only(run(connects(SILENT)), unplugged).usable


def test_names_that_fail_for_both() -> None:
    def servfail(story: Story) -> None:
        story.machine()
        story.lookup("192.0.2.53", rcode=2, server_class="public")

    customer, agent = Story(), Story()
    servfail(customer)
    servfail(agent)
    assert only(customer, agent).names_fail_same is True
    fine = Story()
    fine.surroundings()
    assert only(customer, fine).names_fail_same is False
    assert only(fine, agent).names_fail_same is None


def trusted_here_alone(story: Story) -> None:
    """An inspection whose authority the machine trusts, and an answer through it."""
    story.connect()
    story.handshake(mozilla=19, chain=[certificate("CN=Corp Inspection CA", key_sha256="0b")])
    story.http(status=429)


def publicly(story: Story) -> None:
    story.connect()
    story.handshake(chain=[certificate("CN=Public CA R1", key_sha256="0a")])
    story.http(status=200)


def inspected_too(story: Story) -> None:
    story.connect()
    story.handshake(mozilla=19, chain=[certificate("CN=Another Inspection CA", key_sha256="0c")])
    story.http(status=200)


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        pytest.param(trusted_here_alone, publicly, False, id="another issuer, a public one"),
        pytest.param(trusted_here_alone, trusted_here_alone, True, id="the vendor's own authority"),
        pytest.param(trusted_here_alone, inspected_too, None, id="the agent's line is opened as well"),
        pytest.param(trusted_here_alone, connects(SILENT), None, id="the agent was shown none"),
        pytest.param(status(429), publicly, None, id="a public one here says enough"),
    ],
)
def test_the_certificate_that_the_other_line_is_shown(mine: Tell, theirs: Tell, same: bool | None) -> None:
    assert only(run(mine), run(theirs)).same_certificate is same


def test_two_certificates_of_different_issuers_do_not_fail_alike() -> None:
    def rejected(issuer: str) -> Tell:
        def tell(story: Story) -> None:
            story.connect()
            story.handshake(verify=19, chain=[certificate(issuer)])

        return tell

    assert only(run(rejected("CN=Box")), run(rejected("CN=Box"))).fails_same is True
    assert only(run(rejected("CN=Box")), run(rejected("CN=Vendor CA"))).fails_same is False
