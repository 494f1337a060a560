"""Facts of the control targets: hosts that are not the vendor's and should work."""

from typing import Literal

from netdiag.facts.base import Fact, Share, Value, Witness
from netdiag.facts.target import ConnectState, TlsState


class ControlState(Value, frozen=True, kw_only=True):
    """One control at one address, directly. ``healthy``: the deepest layer that was tried worked as it should.

    ``page``: for a connectivity-check page: ``expected``, ``redirected``, ``other`` (another status or body), or None.
    """

    host: str
    address: str
    port: int
    family: Literal[4, 6]
    connect: ConnectState
    tls: TlsState | None = None
    page: Literal["expected", "redirected", "other"] | None = None
    http_status: int | None = None
    healthy: bool
    witnesses: tuple[Witness, ...] = ()


class ControlFacts(Value, frozen=True, kw_only=True):
    """``any_healthy``/``all_failed`` count direct controls only, per family in the *4 and *6 forms."""

    states: Fact[tuple[ControlState, ...]] = Fact()
    any_healthy: Fact[bool] = Fact()
    any_healthy4: Fact[bool] = Fact()
    any_healthy6: Fact[bool] = Fact()
    all_failed: Fact[bool] = Fact()
    any_open_port: Fact[bool] = Fact()
    """Some control accepted a TCP connection (whatever TLS or HTTP said afterwards)."""
    port_443_fails: Fact[bool] = Fact()
    """Every control on port 443 failed to connect while others on another port connected: a port filter."""
    portal: Fact[str] = Fact()
    """At least two connectivity-check pages were replaced or redirected (or one, and nothing else works): the
    redirect's host, or "page"."""
    intercepting_issuer: Fact[str] = Fact()
    """Issuer that controls of >= 2 different owners present and that Mozilla's store does not trust. Owners by the
    domains of their names: addresses have none, and hosts of the target's own domain do not count."""
    tls_time_errors: Fact[bool] = Fact()
    """Controls, too, fail verification with code 9 or 10 (not yet valid, expired)."""
    loss: Fact[Share] = Fact()
    """SYN retransmissions and lost echoes towards controls, together."""
