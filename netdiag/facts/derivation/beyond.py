"""Whether anything past the first hop answered at all."""

from collections.abc import Iterator, Mapping, Sequence

from netdiag.evidence.names import Lookup
from netdiag.evidence.record import Icmp, Observed
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import is_direct
from netdiag.facts.derivation.connects import how_of
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.machine import Egress
from netdiag.facts.names import ResolverState
from netdiag.facts.places import plain

_Told = Iterator[tuple[bool, Observed]]
"""Records that bear on it: whether something beyond answered."""


def beyond_gateway(resolvers: Sequence[ResolverState], egress: Mapping[int, Fact[Egress]], scene: Scene) -> Fact[bool]:
    """True by one answer of a router past the first hop, a control, the target, or an outside name server. False when
    all that was asked there kept silent. A reset shows nothing; where TCP is accepted at TTL 1, no connect does."""
    accepted = any(
        fact.value is not None and "accepted" in (fact.value.target, fact.value.control) for fact in egress.values()
    )
    outside = {state.server for state in resolvers if state.place == "outside"}
    told = [*_hops(scene), *([] if accepted else _connects(scene)), *_lookups(outside, scene), *_echoes(scene)]
    good = [record for answered, record in told if answered]
    if good:
        return seen(True, scene.book.witnesses(good), looked_at=len(told))
    return seen(False, scene.book.witnesses(record for _, record in told)) if told else Fact()


def _is_far(address: str, scene: Scene) -> bool:
    """Neither this machine nor one of its first hops."""
    return not scene.near.is_own(address) and plain(address) not in scene.near.first_hops


def _hops(scene: Scene) -> _Told:
    for reply, step in scene.book.of(HopReply):
        if step.probe != "walk" or reply.ttl < 2 or scene.near.on_link(reply.address):
            continue
        if reply.answer != "rst" and reply.replier is not None and _is_far(reply.replier, scene):
            yield True, reply
        elif reply.answer == "none" and scene.book.waited(reply):
            yield False, reply


def _connects(scene: Scene) -> _Told:
    for connect, step in scene.book.of(Connect):
        if not is_direct(step) or scene.near.on_link(connect.address) or scene.near.is_own(connect.address):
            continue
        if step.probe == "canary":  # where nobody is: who accepts may be anywhere
            continue
        if connect.min_ttl is not None:  # made to miss answers
            continue
        native = None if connect.failure is None else connect.failure.native
        how = how_of(connect, scene.book, scene.near)
        if how == "open" or (isinstance(native, Icmp) and _is_far(native.sender, scene)):
            yield True, connect
        elif how in ("silent", "icmp"):
            yield False, connect


def _lookups(outside: set[str], scene: Scene) -> _Told:
    for lookup, _ in scene.book.of(Lookup):
        if plain(lookup.server) in outside or lookup.server_class in ("authority", "parent"):
            if lookup.rcode is not None:
                yield True, lookup
            elif scene.book.waited(lookup):
                yield False, lookup


def _echoes(scene: Scene) -> _Told:
    for echo, step in scene.book.of(Echo):
        near = scene.near.on_link(echo.address) or scene.near.is_own(echo.address)
        if step.role in ("target", "control") and echo.rtt_us is not None and not near:
            yield True, echo
