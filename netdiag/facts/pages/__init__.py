"""The table of pages: who makes which error page, and what it means. Data alone; ``fingerprints.py`` matches.

The order is the order of matching: what is made near the customer, challenges, limits, refusals, tiers, defaults.
"""

from netdiag.facts.pages.challenges import CHALLENGES
from netdiag.facts.pages.defaults import DEFAULTS
from netdiag.facts.pages.filters import FILTERS
from netdiag.facts.pages.limits import LIMITS
from netdiag.facts.pages.refusals import REFUSALS
from netdiag.facts.pages.row import PageKind, Refused, Row
from netdiag.facts.pages.tiers import TIERS

PAGES: tuple[Row, ...] = (*FILTERS, *CHALLENGES, *LIMITS, *REFUSALS, *TIERS, *DEFAULTS)

__all__ = ["PAGES", "PageKind", "Refused", "Row"]
