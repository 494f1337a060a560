"""What was seen of limits: a rate section, which was asked for."""

from collections.abc import Iterator

from netdiag.facts import Facts
from netdiag.reports.limits import budget_words, estimate_words, sentences
from netdiag.reports.observed.sight import Sight, sight


def of_limits(facts: Facts) -> Iterator[Sight]:
    """What was allowed to be spent, what was met, and which limits explain it."""
    limits = facts.limits
    if limits.budget.value is None:
        return
    yield sight(f"To look for limits it was asked {budget_words(limits.budget.value)}.", limits.budget)
    witnesses = limits.refusal.witnesses or limits.allowed.witnesses or limits.already.witnesses
    for sentence in sentences(limits):
        yield Sight(says=sentence, witnesses=witnesses)
    for one in limits.estimates.value or ():
        yield sight(f"All of it is what {estimate_words(one)} would do.", limits.estimates)
