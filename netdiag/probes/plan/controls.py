"""Which hosts are measured beside the target, so that what works can be ruled out; directly, and by the proxy."""

from collections.abc import Iterator

from netdiag.evidence.addresses import classify, family_of, is_address
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import ProxySetting
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode, ObsId
from netdiag.evidence.transport import Connect
from netdiag.probes.controls import Control
from netdiag.probes.plan.seen import Inputs, Seen, make_step

PROXIED_CONTROLS = 3
"""Controls asked through the proxy: enough to tell a proxy that serves nobody from one that refuses the target."""


def measure_controls(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Every control at one address of each family that has a default route (a private target has none but those
    that its profile names)."""
    for control in inputs.controls if seen.knows_routes() else ():
        for address, cause in _addresses(control, seen).items():
            if control.is_page:
                yield _page(control, address, cause)
            else:
                yield make_step(
                    "reach",
                    "control",
                    subject=control.host,
                    address=address,
                    port=control.port,
                    caused_by=cause,
                    params={"tls": "yes"},
                )


def walk_to_a_control(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """One walk of each family in which the target is walked, to a control that is known to answer there.

    Which one answers first does not matter for the comparison; that it answers does. Over IPv4 it does not wait for the
    target's name: a router that refuses what is sent to the target may soon keep silent for want of tokens (Linux pays
    twice for each refusal by a route, ip_error in net/ipv4/route.c), and it is the control that shows whose it is.
    """
    families = {family_of(walk.address or "") for walk in seen.steps("walk", "target")}
    if not inputs.target.is_literal and 4 in seen.routed_families():
        families.add(4)
    for family in families:
        if any(family_of(walk.address or "") == family for walk in seen.steps("walk", "control")):
            continue
        for step, connect in seen.of(Connect, "control"):
            if connect.failure is None and family_of(connect.address) == family:
                yield make_step(
                    "walk",
                    "control",
                    subject=step.subject,
                    address=connect.address,
                    port=connect.port,
                    params={"protocol": "tcp"},
                )
                break


def walk_to_a_silent_control(_: Inputs, seen: Seen) -> Iterator[Step]:
    """Where no control answers over a family, one walk to one of them: it shows where the way of all of them ends."""
    for family in (4, 6):
        asked = [step for step in seen.steps("reach", "control") if family_of(step.address or "") == family]
        walked = [step for step in seen.steps("walk", "control") if family_of(step.address or "") == family]
        connects = [(step, one) for step, one in seen.of(Connect, "control") if family_of(one.address) == family]
        if walked or not seen.ended(asked) or any(one.failure is None for _, one in connects):
            continue
        for step, silent in connects:
            if silent.failure is not None and silent.failure.code is FailureCode.TIMED_OUT:
                yield make_step(
                    "walk",
                    "control",
                    subject=step.subject,
                    address=silent.address,
                    port=silent.port,
                    caused_by=silent.id,
                    params={"protocol": "tcp"},
                )
                break


def echo_a_control(_: Inputs, seen: Seen) -> Iterator[Step]:
    """Echo to the control that is walked, beside the echo to the target."""
    for walk in seen.steps("walk", "control") if seen.steps("echo", "target") else ():
        yield make_step("echo", "control", subject=walk.subject, address=walk.address, params={"count": "2"})


def measure_by_proxy(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Target and controls through the proxy that the system names for the target; and the proxy itself."""
    for _, setting in seen.of(ProxySetting):
        if setting.bypassed or setting.host is None or setting.scheme != inputs.target.scheme:
            continue
        proxy = f"{setting.host}:{setting.port}"
        yield make_step(
            "http",
            "target",
            subject=inputs.target.host,
            proxy=proxy,
            caused_by=setting.id,
            params={"url": inputs.url, "user_agent": "netdiag"},
        )
        if is_address(setting.host):
            yield make_step(
                "reach",
                "proxy",
                subject=setting.host,
                address=setting.host,
                port=setting.port,
                caused_by=setting.id,
                params={"tls": "no"},
            )
        for control in inputs.controls[:PROXIED_CONTROLS]:
            yield _page(control, None, setting.id, proxy)


def _page(control: Control, address: str | None, cause: ObsId | None, proxy: str | None = None) -> Step:
    params = {"url": control.url, "user_agent": "netdiag"}
    if control.is_page:
        params |= {"use": "portal", "expect_status": str(control.expect_status)}
        params |= {} if control.expect_body_sha256 is None else {"expect_body_sha256": control.expect_body_sha256}
    return make_step(
        "http", "control", subject=control.host, address=address, proxy=proxy, caused_by=cause, params=params
    )


def _addresses(control: Control, seen: Seen) -> dict[str, ObsId | None]:
    """At most one address of each routed family, with the lookup that gave it (None: known without one); of a page one
    at all, since what a page shows does not depend on the family."""
    candidates: list[tuple[str, ObsId | None]] = [(address, None) for address in control.addresses]
    for step, lookup in seen.of(Lookup):
        if step.params.get("use") == "control" and step.params.get("name") == control.host:
            candidates += [(one.data, lookup.id) for one in lookup.answers if one.rrtype in {"A", "AAAA"}]
    families = seen.routed_families() or {4}
    chosen: dict[int, tuple[str, ObsId | None]] = {}
    for address, cause in candidates:
        if family_of(address) in families or classify(address) == "loopback":
            chosen.setdefault(family_of(address), (address, cause))
    return dict(list(chosen.values())[: 1 if control.is_page else None])
