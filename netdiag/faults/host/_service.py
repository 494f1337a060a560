"""What the faults of a service that accepts and then fails share: at which layer it stopped."""

from netdiag.facts import AddressState, Facts
from netdiag.faults.host._reading import reached


def stopped(facts: Facts, *how: str) -> tuple[tuple[AddressState, str, bool | None], ...]:
    """Addresses that accepted the connection and then stopped in one of these ways: (state, what was sent, whether the
    peer's TCP acknowledged it). The deepest layer that was tried is the one that counts."""
    found: list[tuple[AddressState, str, bool | None]] = []
    for state in reached(facts):
        if state.works is True:
            continue
        if state.http is not None and state.http.how in how:
            found.append((state, "the request", state.http.acked))
        elif state.http is None and state.tls is not None and state.tls.how in how:
            sent = "the rest of the TLS handshake" if state.tls.server_hello else "the TLS greeting"
            found.append((state, sent, state.tls.acked))
    return tuple(found)


def was_reset(state: AddressState) -> bool:
    """The connection ended in a reset, whose sender one end cannot tell, rather than in an end of stream."""
    return (state.tls is not None and state.tls.how == "reset") or (
        state.http is not None and state.http.how == "reset"
    )


def may_be_size(state: AddressState) -> bool:
    """Silence after a small question whose answer is large: a path that loses large packets looks the same."""
    return (state.tls is not None and state.tls.how == "silent") or (
        state.http is not None and state.http.how == "silent"
    )
