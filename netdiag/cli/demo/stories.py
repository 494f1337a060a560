"""What the demonstration can show: how its vendor behaves, and what happened before the customer called for help."""

from dataclasses import dataclass

from netdiag.cli.demo.vendor import MAX_CONNECTIONS, Answer, never_answer, slow_down, welcome, welcome_unless_blocked


@dataclass(frozen=True, kw_only=True)
class Story:
    """One play. ``knocks``: connections that a busy application on the customer's address makes before."""

    name: str
    title: str
    before: str
    answer: Answer = welcome
    knocks: int = 0
    expired: bool = False


STORIES = (
    Story(
        name="blocked",
        title="The vendor blocked the customer's address",
        before=f"An application on the customer's address opened {MAX_CONNECTIONS + 10} connections in a moment. The "
        f"vendor allows {MAX_CONNECTIONS} in ten seconds, and blocked the address. Support says: works for me.",
        answer=welcome_unless_blocked,
        knocks=MAX_CONNECTIONS + 10,
    ),
    Story(
        name="expired-certificate",
        title="The vendor's certificate has expired",
        before="Nobody renewed the vendor's certificate: it ended yesterday.",
        expired=True,
    ),
    Story(
        name="rate-limit",
        title="The vendor limits requests, and says so",
        before="The vendor answers every request with 429 Too Many Requests and Retry-After: 120.",
        answer=slow_down,
    ),
    Story(
        name="silent",
        title="The vendor accepts connections and never answers a request",
        before="The vendor's application hangs: it takes every request, and no byte ever comes back.",
        answer=never_answer,
    ),
)
