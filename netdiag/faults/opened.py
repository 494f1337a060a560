"""Who may have written what came through TLS: the vendor, or a box on the way that opens TLS with an authority of its
own. Such boxes pass most answers on and write some themselves; through them the two look alike."""

from netdiag.facts import AddressState, Facts, HttpState, TlsState
from netdiag.facts.base import Witness
from netdiag.faults.reading import in_lan

UNTRUSTED_ISSUER = (18, 19, 20, 21)
"""OpenSSL's X509_V_ERR_*: the issuer of what was presented is nobody whom the list knows."""
FIRST_HOP = 1
SAME_PLACE = 1
"""Distances measured in two ways may differ by a hop."""
OWN_STATUSES = (502, 503, 504)
"""What proxies answer by themselves when they do not reach the vendor (RFC 9110, 15.6.3 to 15.6.5)."""


_SPOKEN: tuple[str, ...] = ("untrusted", "alert", "not_tls")
_MUTE: tuple[str, ...] = ("silent", "closed")
"""What a box says by itself; and what it does, too, that passes on for somebody who does not answer."""

OPENERS_LOG = (
    "The log of the service's front at the times in the bundle, or that of whatever opens encrypted connections on "
    "this line: it says who answered."
)
"""What decides between the two."""


def public(tls: TlsState | None) -> bool:
    """Good for the vendor's name by Mozilla's list: only the vendor has the key. A company's own authority, which the
    customer's system trusts, is not on that list."""
    return tls is not None and tls.how == "ok" and tls.mozilla_code == 0


def private(tls: TlsState | None) -> bool:
    """This machine trusts it, and no public list does: an authority that somebody put into the machine's store."""
    return tls is not None and tls.how == "ok" and tls.mozilla_code in UNTRUSTED_ISSUER


def shown_alike(facts: Facts) -> bool:
    """An uncapped run of the agent was shown the same key by the same address: it is the vendor's."""
    runs = facts.agent.runs.value or ()
    return any(run.usable and not run.caps and run.same_certificate is True for run in runs)


def shown_another(facts: Facts) -> tuple[Witness, ...] | None:
    """An uncapped run of the agent was shown another, public certificate by the same address, with what shows it."""
    runs = facts.agent.runs.value or ()
    found = [run for run in runs if run.usable and not run.caps and run.same_certificate is False]
    return tuple(witness for run in found for witness in run.witnesses) if found else None


def opened(facts: Facts, state: AddressState) -> bool:
    """Somebody other than the vendor may have opened what came from this address: TLS is opened for other names on this
    line, or the certificate is of an authority that no public list knows and that nobody else was shown. Private names
    have such authorities by right."""
    if public(state.tls):
        return False
    if facts.controls.intercepting_issuer.value:
        return True
    if shown_another(facts) is not None:
        return True
    return private(state.tls) and not facts.private_target and not shown_alike(facts)


def may_be_the_boxs(facts: Facts, state: AddressState, http: HttpState) -> bool:
    """What opens this address' TLS may have written the answer: another line is served, or nothing in the answer says
    who wrote it (no server that is known, or a status that such boxes answer themselves). What another line gets, too,
    they pass on."""
    if not opened(facts, state) or facts.agent.fails_elsewhere.value is True:
        return False
    unsigned = http.product is None or http.page == "filter" or http.status in OWN_STATUSES
    return unsigned or served_elsewhere(facts)


def served_elsewhere(facts: Facts) -> bool:
    """The failing addresses work from another line, or by a second way out of this one."""
    return facts.agent.works_elsewhere.value is True or bool(facts.ways.outlasted.value)


def answers_of_a_box(facts: Facts) -> tuple[AddressState, ...]:
    """Addresses that fail with an HTTP answer which a box that opens TLS may have written."""
    return tuple(
        state
        for state in facts.target.addresses.value or ()
        if state.works is False and state.genuine is not False and state.http is not None
        if state.http.how == "answered" and may_be_the_boxs(facts, state, state.http)
    )


def tls_fails(facts: Facts) -> tuple[AddressState, ...]:
    """Addresses where TLS ended in a way that whoever answers in the vendor's place would bring about."""
    return tuple(
        state
        for state in facts.target.addresses.value or ()
        if state.works is False and state.genuine is not False and state.tls is not None
        if state.tls.how in (*_SPOKEN, *_MUTE) and (state.http is None or state.tls.how in _SPOKEN)
    )


def stand_in(facts: Facts) -> tuple[AddressState, int] | None:
    """An address where TLS fails, and the TTL at which its port answered, when that is nearer than the target stands: a
    box on the way may have answered in its place."""
    nearer = ((state, answered_nearer(facts, state.address)) for state in tls_fails(facts))
    return next(((state, end) for state, end in nearer if end is not None), None)


def answered_nearer(facts: Facts, address: str) -> int | None:
    """The TTL at which the port answered, if that is at the first hop, or nearer than other answers of the address
    place it. Echoes tell the way back, which may be the longer one: where a walk shows that nothing is nearer, none."""
    if facts.path.proxy_in_path.value is False:
        return None
    for walk in (facts.path.target4.value, facts.path.target6.value):
        if walk is None or walk.address != address or walk.end != "open" or walk.end_ttl is None:
            continue
        if walk.end_ttl == FIRST_HOP and not in_lan(facts, address):
            return walk.end_ttl
        if walk.nearer_by is not None and walk.nearer_by > SAME_PLACE:
            return walk.end_ttl
    return None


def is_mute(state: AddressState) -> bool:
    """What answered took the connection and said nothing: a box may pass on for a vendor that drops it."""
    return state.tls is not None and state.tls.how in _MUTE


def shown(state: AddressState) -> str:
    """What stands there answered to the TLS greeting, as a clause for a person."""
    tls = state.tls
    if tls is None or tls.how == "not_tls":
        return "something that is not TLS"
    if is_mute(state):
        return "nothing but an accepted connection"
    if tls.how == "alert":
        return f"TLS alert {tls.alert}"
    return f"a certificate by “{tls.issuer}”" if tls.issuer else "a certificate that is not trusted"
