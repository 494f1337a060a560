"""Boxes that answer in others' place: what a client meets at each, and who does not meet them."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import LabFactory
from tests.netns.collecting import NOTHING_IS_WRONG
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

TLS_FAILED, HUNG, UNTRUSTED = 35, 28, 60
"""curl's exit codes: of the handshake, of the time limit, of the certificate."""


def ask(lab: Lab, url: str, role: str = "customer", *options: str) -> subprocess.CompletedProcess[str]:
    """curl's status code, a blank, and where it is sent."""
    return lab.run(
        role, ["curl", "-sS", "-4", "-m", "2", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", *options, url]
    )


@pytest.mark.parametrize(
    ("box", "code"),
    [
        ('answer = "alert"', TLS_FAILED),
        ('answer = "plain"', TLS_FAILED),
        ('answer = "silent"', HUNG),
        ('certificate = "own_name"', UNTRUSTED),
        ('certificate = "self_signed"', UNTRUSTED),
    ],
)
def test_it_meets_the_customer_and_not_the_agent(lab: LabFactory, box: str, code: int) -> None:
    opened = lab(toml=NOTHING_IS_WRONG + f'[[box]]\nat = "isp1"\n{box}\n', network="home")
    assert ask(opened, opened.url).returncode == code
    assert ask(opened, opened.url, "agent").stdout == "200 "
    assert ask(opened, "https://www.example.org/").stdout == "200 "


def test_a_certificate_of_its_own_name_is_a_public_one(lab: LabFactory) -> None:
    opened = lab(toml=NOTHING_IS_WRONG + '[[box]]\nat = "isp1"\ncertificate = "own_name"\n', network="home")
    name = "notice.filter-operations.example"
    shown = ask(opened, f"https://{name}/", "customer", "--connect-to", f"::{opened.values['vendor4']}:443")
    assert shown.stdout == "403 "


def test_an_inspection_answers_for_the_vendor_and_passes_on_the_rest(lab: LabFactory) -> None:
    box = '[[box]]\nat = "gateway"\ntakes = "all"\ncertificate = "company"\nstatus = "429 Too Many Requests"\n'
    trust = '[customer]\ntrust = ["lab", "interception"]\n'
    opened = lab(toml=NOTHING_IS_WRONG + box + trust, network="office")
    assert ask(opened, opened.url).stdout == "429 "
    assert ask(opened, "https://www.example.org/").stdout == "200 "


def test_plain_requests_to_everybody_are_led_away(lab: LabFactory) -> None:
    box = (
        '[[box]]\nat = "isp1"\nport = 80\ntakes = "all"\nstatus = "302 Found"\n'
        '[box.headers]\nLocation = "http://pay.example/"\n'
    )
    opened = lab(toml=NOTHING_IS_WRONG + box, network="office")
    assert ask(opened, "http://www.example.org/").stdout == "302 http://pay.example/"
    assert ask(opened, opened.url).stdout == "200 "
