"""Which pages of success are kept: refusals alone."""

import pytest

from netdiag.evidence.pages import SHORT, refuses_with_success


@pytest.mark.parametrize(
    "page",
    [
        "<title>Access denied</title>Your IP address has been blocked due to suspicious activity.",
        "Ihre IP-Adresse wurde gesperrt.",
        "<title>One moment, please...</title>\nPlease wait while your request is being verified...",
        '{"message": "Access denied by Imunify360 bot-protection. IPs used for automation should be whitelisted"}',
    ],
)
def test_a_refusal_that_comes_with_success(page: str) -> None:
    assert refuses_with_success(page)


@pytest.mark.parametrize(
    "page",
    [
        "",
        '{"status": "ok"}',
        "Your IP address is 203.0.113.9",
        "Your IP address is not blocked",
        "How to learn why your IP address has been blocked: " + "an article about mail servers. " * (SHORT // 20),
    ],
)
def test_the_vendors_own_content_is_not_kept(page: str) -> None:
    assert not refuses_with_success(page)
