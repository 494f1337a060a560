"""How a connection, TLS and HTTP went, in a few words each."""

from netdiag.facts import ConnectState, Elsewhere, HttpState, TlsState
from netdiag.reports.words import alert_words, count, icmp_words, span, verify_words

_SENDER = {
    "self": "this machine itself",
    "gateway": "the gateway",
    "private": "a private address",
    "shared": "a carrier-grade NAT address",
    "path": "a router on the way",
    "vendor": "a router of the vendor",
    "target": "the target itself",
    "in_its_name": "the target's name, from nearer than it stands",
}


def connect_words(state: ConnectState, *, timed: bool = True) -> str:
    """``timed`` False: without how long it was tried, so that hosts which differ in nothing else are told together."""
    if state.how == "open":
        words = "connected"
        if state.worked < state.attempts:
            words += f" in {state.worked} of {state.attempts} attempts"
        if state.syn_lost:
            words += f" ({count(state.syn_lost, 'first packet')} sent again)"
        return words
    words = {
        "refused": "connection refused (TCP reset)",
        "silent": "no answer to the connection attempt",
        "local": "this machine did not send" + ("" if state.errno is None else f" (errno {state.errno})"),
        "reset": "connection broken off (TCP reset)",
        "icmp": "connection rejected by an ICMP error",
    }[state.how]
    if state.icmp is not None:
        words = f"connection rejected: {icmp_words(state.icmp)} from {state.icmp.sender}"
        if state.sender_place is not None:
            words += f", {_SENDER[state.sender_place]}"
    if state.attempts > 1:
        within = f" in {span(round(state.span_ms / 1000))}" if timed and state.span_ms >= 1000 else ""
        if state.how == "silent":
            return f"no answer to {state.attempts} connection attempts{within}"
        words += f", {state.attempts} attempts{within}"
    return words


def tls_words(state: TlsState) -> str:
    if state.how == "untrusted":
        words = "the certificate was not accepted"
        if state.verify_code:
            words += f": {verify_words(state.verify_code)}"
        if state.issuer:
            words += f", issued by {state.issuer}"
        return words
    if state.how == "alert" and state.alert is not None:
        return f"TLS ended by the other side with {alert_words(state.alert)}"
    if state.how == "silent":
        return "no answer to TLS" + (" (the hello did arrive)" if state.acked is True else "")
    return {
        "ok": "encryption (TLS) good",
        "alert": "TLS ended by the other side with an alert",
        "reset": "TLS reset",
        "closed": "closed during TLS",
        "not_tls": "the answer was not TLS",
        "failed": "TLS failed",
    }[state.how]


def http_words(state: HttpState) -> str:
    if state.how == "silent":
        return "no answer to HTTP" + (" (the request did arrive)" if state.acked is True else "")
    if state.how != "answered":
        return {
            "reset": "HTTP reset",
            "closed": "closed without an answer to HTTP",
            "failed": "HTTP failed",
            "cut": f"HTTP {state.status}, and not all of its body",
        }[state.how]
    words = f"HTTP {state.status}"
    if state.location_host:
        words += f" redirecting to {state.location_host}"
    if state.retry_after_s is not None:
        words += f", to try again after {span(state.retry_after_s)}"
    if state.challenge:
        words += ", a challenge page"
    if state.product:
        words += f" (page of {state.product})"
    if state.other_agent_status is not None:
        other = "too" if state.other_agent_status == state.status else f"HTTP {state.other_agent_status}"
        words += f" (with another User-Agent, {other})"
    if state.elsewhere is None:
        return words
    is_page = (state.status, state.location_host) == (state.elsewhere.status, state.elsewhere.location_host)
    return f"{words}, {elsewhere_words(state.elsewhere, is_page=is_page)}"


def elsewhere_words(other: Elsewhere, *, is_page: bool) -> str:
    """``while another line got HTTP 200 from this address``. ``is_page``: it is merely another page."""
    to = {
        "way": "a second way out got {} from this address",
        "line": "another line got {} from this address",
        "address": "another address of the target answers {}",
    }[other.where]
    leading = f" redirecting to {other.location_host}" if other.location_host else ""
    got = "another page" if is_page else f"HTTP {other.status}{leading}"
    return f"while {to.format(got)}"
