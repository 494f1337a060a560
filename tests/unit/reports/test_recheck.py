"""A run held against the one that it repeats."""

from collections.abc import Callable

import pytest

from netdiag.facts import derive
from netdiag.reports.recheck import compared, compared_text
from tests.fakes.records import REFUSED, SILENT, TARGET, Story, port_unreachable, prohibited

Tell = Callable[[Story], object]


def told(tell: Tell) -> Story:
    story = Story()
    story.surroundings()
    tell(story)
    return story


def connects(failure: object) -> Tell:
    return lambda story: story.connect(failure=failure)  # type: ignore[arg-type]


def answers(status: int) -> Tell:
    def tell(story: Story) -> None:
        story.reach()
        story.http(status=status)

    return tell


def no_tls(story: Story) -> None:
    story.connect()
    story.handshake(failure=SILENT)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (connects(port_unreachable(TARGET)), connects(port_unreachable(TARGET)), "still refused"),
        (connects(REFUSED), connects(REFUSED), "still refused"),
        (connects(SILENT), connects(SILENT), "still no answer"),
        (no_tls, no_tls, "still no TLS"),
        (answers(503), answers(503), "still refused"),
        (connects(SILENT), answers(200), "works again, since some time after 2026-03-14"),
        (answers(429), answers(200), "works again"),
        (connects(port_unreachable(TARGET)), connects(SILENT), "now fails in another way"),
        (connects(port_unreachable(TARGET)), connects(prohibited(TARGET)), "now fails in another way"),
        (connects(SILENT), answers(503), "now fails in another way"),
        (answers(429), answers(503), "now fails in another way"),
        (connects(SILENT), lambda _: None, "not known"),
    ],
)
def test_what_became_of_it(before: Tell, after: Tell, words: str) -> None:
    first = told(before).bundle()
    lines = compared(first, derive(first), derive(told(after).bundle()))
    assert len(lines) == 1
    assert lines[0].startswith(f"{TARGET}: ")
    assert words in lines[0]


def test_a_name_that_resolves_again() -> None:
    story = Story()
    story.machine()
    story.lookup("192.168.178.1", rcode=2)
    story.healthy_controls()
    first = story.bundle()
    lines = compared(first, derive(first), derive(told(answers(200)).bundle()))
    assert any("is resolved again" in line for line in lines)


def test_without_facts_the_text_says_so() -> None:
    first = told(connects(SILENT)).bundle()
    assert "could not be put in words" in compared_text(first, derive(first), None)
