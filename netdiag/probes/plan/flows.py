"""Several flows where one walk failed or the connections differ: equal-cost paths, and a dead member among them."""

from collections.abc import Iterator

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Step
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import Inputs, Seen, make_step
from netdiag.probes.stretch import stretch_beyond
from netdiag.probes.walk_plan import is_end

FLOWS, DEEP_FLOWS = 8, 24
"""Of 8 flows over two equal members, all take the same one in less than 1 % of cases (2 x 0.5^8)."""

SAMPLE = 4
"""Of the flows over UDP to a host whose distance is known, where no connection came about. Were one of several equal
members dead, the connections (three at least) would all have met it, and these flows none: less than 1 % again."""


def look_at_other_flows(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """One address of each family to which the walk over TCP to the service ended in silence, or which accepts some
    connections and not others; with ``--deep`` also where all is well."""
    chosen: set[int] = set()
    for walk in seen.steps("walk", "target", protocol="tcp"):
        address = walk.address or ""
        if walk.id not in seen.finished or walk.port != inputs.target.port or family_of(address) in chosen:
            continue
        replies = [one for step, one in seen.of(HopReply, "target") if step.probe == "walk" and one.address == address]
        mine = [one for one in replies if one.step == walk.id]
        is_silent = _ended_in_silence(mine) and not _refuses_itself(address, inputs, seen)
        if is_silent and _may_refuse_itself(address, seen):
            continue
        accepts_some = _accepts_some(address, mine, inputs, seen)
        if not (inputs.options.deep or is_silent or accepts_some):
            continue
        is_sampled = not (inputs.options.deep or accepts_some) and _has_answered(address, replies)
        stretch = stretch_beyond(replies)
        if stretch:
            chosen.add(family_of(address))
            if _are_sent(address, seen, is_sampled=is_sampled):
                continue  # what else is learnt meanwhile would make it another step
            flows = DEEP_FLOWS if inputs.options.deep else FLOWS
            sample = {"sample": str(SAMPLE)} if is_sampled else {}
            yield make_step(
                "flows",
                "target",
                subject=walk.subject,
                address=address,
                port=walk.port,
                caused_by=mine[-1].id,
                params={"flows": str(flows), "look": "split", **stretch, **sample},
            )


def _are_sent(address: str, seen: Seen, *, is_sampled: bool) -> bool:
    """All of them, or a sample where that is enough."""
    sent = [step for step in seen.steps("flows", "target") if step.address == address]
    return any(is_sampled or "sample" not in step.params for step in sent)


def _has_answered(address: str, replies: list[HopReply]) -> bool:
    """A datagram got to the address itself, and was answered."""
    return any(one.protocol == "udp" and one.replier == address and is_end(one) for one in replies)


def _ended_in_silence(replies: list[HopReply]) -> bool:
    own = [one for one in replies if one.protocol == "tcp"]
    return any(one.answer == "none" for one in own) and not any(is_end(one) for one in own)


def _refuses_itself(address: str, inputs: Inputs, seen: Seen) -> bool:
    """The address refused a connection to the service by ICMP, in its own name, or an echo, which only a rule refuses:
    that a SYN of the walk was silent there is what hosts do that limit their ICMP (RFC 1812 section 4.3.2.8), and no
    flow's own way. Packets of other flows would only use up what it sends of it."""
    refused = _refused_by(address, seen)
    return any(isinstance(one, Echo) or one.port == inputs.target.port for one in refused)


def _refused_by(address: str, seen: Seen) -> list[Connect | Echo]:
    """What the address refused by ICMP, in its own name: connections to any port, and echoes."""
    sent: list[Connect | Echo] = [one for _, one in seen.of(Connect, "target")]
    sent += [one for _, one in seen.of(Echo, "target")]
    return [one for one in sent if one.address == address and _refuser(one) == address]


def _refuser(one: Connect | Echo) -> str | None:
    native = None if one.failure is None else one.failure.native
    return native.sender if isinstance(native, Icmp) else None


def _may_refuse_itself(address: str, seen: Seen) -> bool:
    """The address refuses another port by ICMP, in its own name, and the service is still to be asked once more: what
    it sends of ICMP may have gone to others, and is left for that answer."""
    return bool(_refused_by(address, seen)) and not any(
        step.address == address and step.round == 2 and step.id in seen.finished
        for step in seen.steps("reach", "target")
    )


def _accepts_some(address: str, walk: list[HopReply], inputs: Inputs, seen: Seen) -> bool:
    """Some connections to the service met silence, and others were accepted, or a SYN of the walk was."""
    made = [
        one
        for step, one in seen.of(Connect, "target")
        if step.proxy is None and one.address == address and one.port == inputs.target.port
    ]
    asked = [one for _, one in seen.of(Exchange, "target") if one.address == address]
    failures = [one.failure for one in (*made, *asked) if one.failure is not None]
    silent = [one for one in failures if one.op == "connect" and one.code is FailureCode.TIMED_OUT]
    accepted = any(one.failure is None for one in made) or any(one.answer == "syn_ack" for one in walk)
    return bool(silent) and accepted
