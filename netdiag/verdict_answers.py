"""What the URL's own answers leave open, in words for the summary and the reply. No decisions here."""

from netdiag.facts import AddressState, Facts, HttpState
from netdiag.facts.places import classify, owner_of

_REFUSALS = (403, 406)
_UNAUTHORIZED, _FIRST_ERROR = 401, 400


def open_question(facts: Facts) -> str | None:
    """Why it cannot be said that the URL works, or of what kind its failure is, though it is answered: a sentence or
    two. None: what answers, answers well, or nothing does."""
    proxied = _through_the_proxy(facts)
    if proxied is not None or facts.machine.proxy.value is not None:
        return proxied
    states = [state for state in facts.target.addresses.value or () if state.genuine is not False]
    told = [(state.works is True, words) for state in states if (words := _of(facts, state)) is not None]
    # What fails is told before what works with a reserve.
    return min(told, key=lambda pair: pair[0])[1] if told else None


def not_always(facts: Facts) -> str | None:
    """That an address which works did not accept every connection of the run, as a clause. None: each did."""
    for state in facts.target.addresses.value or ():
        connect = state.connect
        if state.works is True and connect is not None and 0 < connect.worked < connect.attempts:
            told = f"{state.address} accepted {connect.worked} of {connect.attempts} connections"
            return f", but not all of the time ({told})"
    return None


def _of(facts: Facts, state: AddressState) -> str | None:
    http = state.http
    if http is None or http.status is None:
        return None
    if http.how == "cut":
        return f"{state.address} begins to answer (HTTP {http.status}) and does not send all that it announces."
    if http.how != "answered" or _is_another_client_served(http):
        return None
    over = ", over plain HTTP, where anybody on the way can answer" if facts.target.scheme.value == "http" else ""
    if http.elsewhere is not None and http.status != _UNAUTHORIZED:
        return f"{state.address} answers {_answer(http)} here{_otherwise(http)}{over}."
    if http.status in _REFUSALS and (http.refuses is None and http.page in (None, "bare")):
        who = f"{state.address} is reached and answers"
        if over or _may_be_another(facts, state):
            who = f"Whoever answers for {state.address} says"
        return f"{who} HTTP {http.status}: whether that asks for a login or refuses this address is not known."
    if http.status < _FIRST_ERROR and over and _leads_to_another(facts, http):
        return f"{state.address} answers with a redirect to {http.location_host}{over}; it was not followed."
    return None


def _may_be_another(facts: Facts, state: AddressState) -> bool:
    """Somebody nearer than the target is seen to answer, or the certificate is none that browsers trust."""
    return facts.path.proxy_in_path.value is True or (state.tls is not None and state.tls.mozilla_code != 0)


def _through_the_proxy(facts: Facts) -> str | None:
    proxy = facts.machine.proxy.value
    if proxy is None or proxy.doubtful is None:
        return None
    return (
        f"The answer that came through the proxy {proxy.where} is HTTP {proxy.doubtful}, over plain HTTP: whether the "
        "proxy refuses the target or the target answers so is not known."
    )


def _is_another_client_served(http: HttpState) -> bool:
    return http.other_agent_status is not None and http.other_agent_status < _FIRST_ERROR


def _answer(http: HttpState) -> str:
    leading = f" redirecting to {http.location_host}" if http.location_host else ""
    return f"HTTP {http.status}{leading}"


def _otherwise(http: HttpState) -> str:
    other = http.elsewhere
    if other is None:
        return ""
    whom = {
        "way": "by a second way out the same address answers",
        "line": "to another line the same address answers",
        "address": "another of its addresses answers",
    }[other.where]
    if (other.status, other.location_host) == (http.status, http.location_host):
        anew = "" if other.replaced else "; pages that are made anew for each visit differ, too"
        return f", and {whom} with another page{anew}"
    leading = f" redirecting to {other.location_host}" if other.location_host else ""
    return f", and {whom} HTTP {other.status}{leading}"


def _leads_to_another(facts: Facts, http: HttpState) -> bool:
    """The redirect leads to a host that is not known to be the target's owner's."""
    leads = http.location_host
    if leads is None or leads == facts.host:
        return False
    owner = owner_of(leads)
    return classify(leads) == "private" or (owner is not None and owner != owner_of(facts.host))
