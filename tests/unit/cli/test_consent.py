"""What a person agrees to: each flag that sends or keeps more says so in words."""

import pytest

from netdiag.cli.consent import preview
from netdiag.evidence.bundle import Options, Target
from netdiag.probes.collect import CollectRequest, contacts, limit_budget
from netdiag.reports.words import WIDTH


def said(**flags: bool) -> str:
    options = Options(slow=flags.get("slow", False), deep=flags.get("deep", False), capture=flags.get("capture", False))
    target = Target(scheme="https", host="api.vendor.test", port=443)
    lines = preview(contacts(CollectRequest(typed=target.url, target=target, options=options)), options)
    assert all(len(line) <= WIDTH for line in lines)
    return " ".join(" ".join(lines).split())


def test_the_target_routers_and_name_servers_are_named() -> None:
    words = said()
    for told in ("api.vendor.test, port 443", "routers on the way", "names of routers", "If the URL answers slowly"):
        assert told in words
    assert "--" not in words


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("slow", "--slow: less than 1 MB of the URL"),
        ("deep", "three times as many"),
        ("capture", "headers of this run's own packets"),
    ],
)
def test_a_flag_is_told(flag: str, told: str) -> None:
    assert told in said(**{flag: True})
    assert told not in said()


def test_the_budget_of_a_rate_section_is_told_before_it_is_spent() -> None:
    target = Target(scheme="https", host="api.vendor.test", port=443)
    request = CollectRequest(typed=target.url, target=target, options=Options(rate_limit=True))
    words = " ".join(" ".join(preview(contacts(request), request.options, limit_budget(request))).split())
    assert "--rate-limit: after all else, at most 30 requests and 20 connections, at most 10 a second" in words
    assert "ending with the first refusal" in words
    assert "may refuse this address for a while" in words
