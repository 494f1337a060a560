"""Words with which a page says that it refuses the address it is asked from, in the languages of many pages.

The texts that are sent to blocked visitors in many languages stand side by side in MediaWiki's translations
(``languages/i18n/*.json``: blockedtext, blocked-mailpassword, proxyblockreason). A page in another language is not
understood, and says nothing then.
"""

import html
import re
from typing import NamedTuple


class Words(NamedTuple):
    """How one language says whose address it is, and what is done to it: regular expressions on lower-case text."""

    language: str
    whose: str
    refused: str


WORDS = (
    Words(
        "English; and error codes of interfaces such as ip_not_allowed",
        r"(?:(?:your|this|the client(?:'s)?|client|source|remote) ip(?:v[46])?(?: addr(?:ess)?)?"
        r"|your (?:address|network|host))",
        r"(?:(?<!not )(?:block|bann|denied|deny|black ?list|deny ?list|forbidden|refused|rejected)"
        r"|not (?:yet )?(?:allowed|permitted|authori[sz]ed|(?:allow|white|safe)[ -]?listed)"
        r"|not (?:in|on|part of) (?:(?:the|our|an|any|its) )?(?:ip )?(?:allow|white|safe)[ -]?list)",
    ),
    Words(
        "German",
        r"(?:ihre|deine|diese) ip(?:-adresse| adresse)?",
        r"(?:(?<!nicht )(?:gesperrt|blockiert|abgelehnt)|nicht (?:zugelassen|erlaubt|freigegeben|freigeschaltet))",
    ),
    Words(
        "French",
        r"(?:votre|ton|cette) (?:adresse )?ip",
        r"(?:(?<!pas )(?:bloqu[ée]|banni|interdite|refus[ée]e)|(?:non|pas) autoris[ée])",
    ),
    Words(
        "Spanish",
        r"(?:su|tu|esta) (?:direcci[óo]n )?(?:de )?ip",
        r"(?:(?<!no ha sido )(?<!no est[áa] )(?:bloquead|banead|prohibid)[ao]"
        r"|no (?:est[áa] )?(?:autorizad|permitid)[ao])",
    ),
    Words(
        "Portuguese",
        r"(?:seu|teu|este) (?:endere[çc]o )?(?:de )?ip",
        r"(?:(?<!n[ãa]o foi )(?<!n[ãa]o est[áa] )(?:bloquead|banid)[oa]"
        r"|n[ãa]o (?:est[áa] )?(?:autorizad|permitid)[oa])",
    ),
    Words(
        "Italian",
        r"(?:(?:suo|tuo|vostro|questo) )(?:indirizzo )?ip",
        r"(?:(?<!non è )(?<!non è stato )(?:bloccat|bannat)[oa]|non (?:è )?(?:autorizzat|consentit|ammess)[oa])",
    ),
    Words(
        "Dutch",
        r"(?:uw|je|jouw|dit) ip(?:-?adres| adres)?",
        r"(?:(?<!niet )(?:geblokkeerd|geweigerd|verbannen)|niet toegestaan)",
    ),
    Words(
        "Polish",
        r"(?:tw[óo]j|pa[ńn]stwa|ten) adres ip",
        r"(?:(?<!nie jest )(?<!nie zosta[łl] )zablokowan|niedozwolon)",
    ),
)

_CODE = re.compile(
    r"\bip(?:[ _-]addr(?:ess)?)?[ _-](?:(?:is|was|has[ _-]been)[ _-])?"
    r"(?:blocked|banned|denied|forbidden|rejected|black[ -]?listed"
    r"|not[ _-](?:allowed|permitted|(?:allow|white)[ -]?listed))"
)
"""``ip_not_allowed``, ``IP blocked by …``: an address without an owner, in the terms of interfaces."""

_BETWEEN = r"[^<\n]{0,80}"
_PATTERNS = tuple(
    re.compile(pattern)
    for one in WORDS
    for pattern in (
        rf"\b{one.whose}\b{_BETWEEN}{one.refused}",
        rf"{one.refused}\w*\b{_BETWEEN}\b{one.whose}\b",
    )
)
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def plain_words(body: str | None) -> str:
    """The text in lower case, with the entities of HTML and the escapes of JSON (RFC 8259 section 7) resolved."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), html.unescape(body or "").lower())


def refuses_the_address(body: str | None) -> bool:
    """The page says in words that the address it is asked from is refused."""
    text = plain_words(body)
    return bool(_CODE.search(text)) or any(pattern.search(text) for pattern in _PATTERNS)
