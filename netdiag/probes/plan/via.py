"""The second ways out: the target and one healthy control once by each, after the machine's own way was tried."""

from collections.abc import Iterator

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import RouteLookup
from netdiag.evidence.tls import Handshake
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import Inputs, Seen, is_plain, make_step
from netdiag.probes.plan.target import ailing_addresses, target_addresses
from netdiag.probes.ways import Way

MAX_ADDRESSES = 2
"""Addresses of the target asked by one way: those that fail first. One SYN each."""


def take_second_ways(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Each way, once all that the machine's own way does has ended: what fails here and works there at the same minutes
    is compared in the order here, there, here again (the check at the end)."""
    if not inputs.ways or not _direct_has_ended(inputs, seen):
        return
    for way in inputs.ways:
        chosen = _addresses(way, inputs, seen)
        if not chosen and any(_is_the_own(way, address, seen) for address in target_addresses(inputs, seen)):
            why = f"{way.via.name} is the way that is taken to the target anyway"
            yield make_step("way", "target", subject=inputs.target.host, via=way.via, params={"left_out": why})
        for address in chosen:
            yield _ask(way, inputs, address)
        if way.proxy is not None and (not chosen or _refuses_addresses(way, seen)):
            yield _ask(way, inputs, None)
        yield from _control(way, {family_of(address) for address in chosen}, inputs, seen)


def _direct_has_ended(inputs: Inputs, seen: Seen) -> bool:
    reaches = [one for one in seen.steps("reach", "target") if one.port == inputs.target.port and one.round == 1]
    requests = [one for one in seen.steps("http", "target") if one.proxy is None and one.round == 1]
    return seen.ended([one for one in (*reaches, *requests) if is_plain(one)])


def _addresses(way: Way, inputs: Inputs, seen: Seen) -> list[str]:
    """Those that the way can carry, the failing ones first; the choice stays what it was. A proxy is told an address
    only inside CONNECT, so of plain HTTP none."""
    if way.proxy is not None and inputs.target.scheme == "http":
        return []
    chosen = [step.address for step in _started(way, seen) if step.role == "target" and step.address is not None]
    if chosen:
        return chosen
    known = target_addresses(inputs, seen)
    ailing = ailing_addresses(inputs, seen)
    fit = [address for address in known if way.family in {None, family_of(address)}]
    if way.proxy is None:
        fit = [address for address in fit if family_of(address) in (seen.routed_families() or {4, 6})]
        fit = [address for address in fit if not _is_the_own(way, address, seen)]
    return sorted(fit, key=lambda address: address not in ailing)[:MAX_ADDRESSES]


def _is_the_own(way: Way, address: str, seen: Seen) -> bool:
    """The machine goes to ``address`` by this very way, as its routing table says: what could be known of it before
    the name was resolved was not enough."""
    routes = [one for _, one in seen.of(RouteLookup, "target") if one.destination == address and one.failure is None]
    return any(
        one.device == way.device if way.device is not None else way.source is not None and one.source == way.source
        for one in routes
    )


def _ask(way: Way, inputs: Inputs, address: str | None) -> Step:
    return make_step(
        "way",
        "target",
        subject=inputs.target.host,
        address=address,
        port=inputs.target.port,
        proxy=way.proxy,
        via=way.via,
        params={"url": inputs.url},
    )


def _refuses_addresses(way: Way, seen: Seen) -> bool:
    """The proxy answered CONNECT to an address, and not with a tunnel: many allow names only."""
    return any(
        step.via == way.via and step.role == "target" and one.method == "CONNECT"
        and one.status is not None and not 200 <= one.status < 300
        for step, one in seen.by_ways(Exchange)
    )  # fmt: skip


def _control(way: Way, families: set[int], inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """One host that works by the machine's own way: over TLS where there is one, as the target is asked."""
    if any(step.role == "control" for step in _started(way, seen)):
        return
    urls = {control.host: control.url for control in inputs.controls}
    good = [step for step, one in seen.of(Handshake, "control") if one.failure is None]
    good += [step for step, one in seen.of(Exchange, "control") if one.failure is None and step.proxy is None]
    for step in good:
        fits = step.address is not None and (way.proxy is not None or family_of(step.address) in families)
        if fits and step.subject in urls:
            yield make_step(
                "way",
                "control",
                subject=step.subject,
                address=step.address if way.proxy is None else None,
                port=step.port,
                proxy=way.proxy,
                via=way.via,
                params={"url": urls[step.subject]},
            )
            return


def _started(way: Way, seen: Seen) -> list[Step]:
    return [step for step in seen.started.values() if step.via == way.via]
