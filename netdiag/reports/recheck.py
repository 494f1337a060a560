"""What a recheck shows beside the run that it repeats: still refused, works again, or fails in another way."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.facts import AddressState, Facts
from netdiag.reports.observed.layers import connect_words, http_words, tls_words
from netdiag.reports.words import fill, utc

_REFUSED = ("refused", "icmp", "reset")
_STILL = {"connect": "still no answer", "tls": "still no TLS", "http": "still refused"}


def compared(earlier: Bundle, old: Facts, new: Facts) -> tuple[str, ...]:
    """One sentence for each address that failed, and one for a name that did not resolve."""
    found = [*_names(old, new), *_addresses(earlier, old, new)]
    return tuple(sanitize_text(says) for says in found)


def compared_text(earlier: Bundle, old: Facts, new: Facts | None) -> str:
    """``compared`` as a section of the screen."""
    lines = fill(f"Compared with the run of {utc(earlier.began_at)} (run id {sanitize_text(earlier.run_id)})")
    for says in ("What was seen could not be put in words.",) if new is None else compared(earlier, old, new):
        lines += fill(says, first="  - ")
    return "\n".join(lines) + "\n\n"


def failing(facts: Facts) -> tuple[AddressState, ...]:
    """The addresses of a run that failed and are not known to be false."""
    return tuple(
        state for state in facts.target.addresses.value or () if state.works is False and state.genuine is not False
    )


def _names(old: Facts, new: Facts) -> Iterator[str]:
    if old.names.configured_resolve.value is False and new.names.configured_resolve.known:
        again = new.names.configured_resolve.value is True
        yield f"The name {old.host} {'is resolved again.' if again else 'is still not resolved.'}"


def _addresses(earlier: Bundle, old: Facts, new: Facts) -> Iterator[str]:
    now = {state.address: state for state in new.target.addresses.value or ()}
    before = failing(old)
    for state in before:
        found = now.get(state.address)
        if found is None or found.works is None:
            yield f"{state.address}: not known; it was not measured far enough this time."
        elif found.works:
            yield f"{state.address}: works again, since some time after {utc(earlier.began_at)}; then: {_how(state)}."
        elif _kind(found) == _kind(state):
            yield f"{state.address}: {_still(found)}: {_how(found)}."
        else:
            yield f"{state.address}: now fails in another way; then: {_how(state)}; now: {_how(found)}."
    for state in now.values() if not before else ():
        word = {True: "works", False: "fails", None: "is not known to work"}[state.works]
        yield f"{state.address}, an address of the name now, {word}."


def _still(state: AddressState) -> str:
    if state.failed_at == "connect" and state.connect is not None and state.connect.how in _REFUSED:
        return "still refused"
    return _STILL.get(state.failed_at or "", "still failing")


def _kind(state: AddressState) -> tuple[object, ...]:
    """At which layer and in which way: two refusals by other senders or codes are two ways."""
    connect, tls, http = state.connect, state.tls, state.http
    if state.failed_at == "connect" and connect is not None:
        error = connect.icmp
        return ("connect", connect.how, *(() if error is None else (error.type, error.code, error.sender)))
    if state.failed_at == "tls" and tls is not None:
        return ("tls", tls.how, tls.alert, tls.verify_code)
    return (state.failed_at, None if http is None else (http.how, http.status))


def _how(state: AddressState) -> str:
    if state.failed_at == "connect" and state.connect is not None:
        return connect_words(state.connect, timed=False)
    if state.failed_at == "tls" and state.tls is not None:
        return tls_words(state.tls)
    return http_words(state.http) if state.http is not None else "it failed"
