"""Pages that refuse although their status says success: kept like error pages, since nothing else tells of the refusal.

F5 BIG-IP ASM sends its refusal with status 200 by default, Imperva and Anubis may, and so do filters of offices. Their
pages are the product's own words and hold nothing of the vendor's content; nor does a short page that says that the
address is refused.
"""

from netdiag.evidence.refusal_words import refuses_the_address

REFUSAL_TEXTS: tuple[tuple[str, ...], ...] = (
    ("the requested url was rejected.", "your support id is"),
    ("please enable javascript to view the page content.", "your support id is"),
    ("incapsula incident id",),
    ("/.within.website/x/cmd/anubis/",),
    ("fortiguard intrusion prevention - access blocked",),
    ("this website is blocked by your network operator.",),
    ("check point usercheck",),
    (":15871/cgi-bin/blockpage.cgi",),
    ("wired.meraki.com:8090/blocked.cgi",),
    ("internet security by zscaler",),
    ("access denied by imunify360 bot-protection",),
    ("one moment, please...", "please wait while your request is being verified..."),
    ("<title>crowdsec captcha</title>",),
)
"""Texts, in lower case, that are all in the beginning of such a page. Each is a page of ``facts/pages``."""

SHORT = 1024
"""Characters: a longer page than this may well hold the words of a refusal and be about something else."""


def refuses_with_success(page: str) -> bool:
    """Whether ``page`` (its beginning) is one of these, or a short one that says that the address is refused."""
    text = " ".join(page.lower().split())
    is_known = any(all(part in text for part in parts) for parts in REFUSAL_TEXTS)
    return is_known or (len(page) <= SHORT and refuses_the_address(page))
