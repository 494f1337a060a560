"""States of the target's addresses -> TargetFacts."""

from collections.abc import Sequence

from netdiag.facts.base import Fact, seen
from netdiag.facts.controls import ControlFacts
from netdiag.facts.derivation.connects import is_no_route
from netdiag.facts.derivation.losses import loss, retransmits
from netdiag.facts.derivation.names import Named
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.target import TargetRecords
from netdiag.facts.target import AddressState, TargetFacts


def derive_target(
    states: tuple[AddressState, ...], records: TargetRecords, named: Named, controls: ControlFacts, scene: Scene
) -> TargetFacts:
    """What the addresses add up to."""
    book = scene.book
    scheme = seen(str(book.bundle.target.scheme), ())
    if not states:
        return TargetFacts(scheme=scheme, works_by_name=_by_name(states, named))
    connects = [record for some in records.connects.values() for record in some]
    return TargetFacts(
        scheme=scheme,
        addresses=seen(states, _witnesses(states)),
        works=_works(states, controls, scene.near),
        works_somewhere=_works_somewhere(states),
        works_by_name=_by_name(states, named),
        loss=loss(connects, [record for some in records.echoes.values() for record in some], book),
        retransmits=retransmits(
            connects,
            [record for some in records.handshakes.values() for record in some],
            [record for some in records.exchanges.values() for record in some],
            book,
        ),
    )


def failing_addresses(states: Sequence[AddressState], controls: ControlFacts, near: Near) -> list[AddressState]:
    """The addresses whose failing counts against the target: not lies; none of a family that this line does not have,
    unless there is no other; and, where another address works, none of a family that is dead for the controls, too."""
    failing = [state for state in states if state.works is False and state.genuine is not False]
    present = [state for state in failing if not _family_absent(state, near)]
    if not any(state.works for state in states):
        return present or failing
    healthy = {4: controls.any_healthy4.value, 6: controls.any_healthy6.value}
    return [state for state in present if healthy[state.family] is not False]


def _family_absent(state: AddressState, near: Near) -> bool:
    """The machine says "no route", and has no default route of this family or no global IPv6 address."""
    if state.connect is None or not is_no_route(state.connect, state.family, linux=near.linux):
        return False
    return near.has_default(state.family) is False or (state.family == 6 and near.global6()[0] is False)


def _works(states: tuple[AddressState, ...], controls: ControlFacts, near: Near) -> Fact[bool]:
    told = [state for state in states if state.works is not None and state.genuine is not False]
    failing = failing_addresses(states, controls, near)
    if failing:
        return seen(False, _witnesses(failing), agree=len(failing), looked_at=len(told))
    working = [state for state in told if state.works]
    return seen(True, _witnesses(working), agree=len(working), looked_at=len(told)) if working else Fact()


def _works_somewhere(states: tuple[AddressState, ...]) -> Fact[bool]:
    told = [state for state in states if state.works is not None and state.genuine is not False]
    working = [state for state in told if state.works]
    open_question = any(state.works is None and state.genuine is not False for state in states)
    if not told or (open_question and not working):
        return Fact()
    return seen(bool(working), _witnesses(working or told), agree=len(working or told), looked_at=len(told))


def _by_name(states: tuple[AddressState, ...], named: Named) -> Fact[bool]:
    resolves = named.facts.system_resolves
    if named.facts.needed.value is not True or not resolves.known:
        return Fact()
    if resolves.value is False:
        return resolves
    mine = [state for state in states if state.address in named.system]
    working = [state for state in mine if state.works and state.genuine is not False]
    shut_out = [s for s in mine if s.works is False and s.connect is not None and s.connect.how == "open"]
    if shut_out:
        # A program takes the first address that accepts it, and does not try another when TLS fails there.
        return seen(False, resolves.witnesses + _witnesses(shut_out), agree=len(shut_out), looked_at=len(mine))
    if working and not any(_proven(state, named) for state in working):
        return Fact()
    if working:
        return seen(True, resolves.witnesses + _witnesses(working))
    measured = {state.address for state in mine if state.works is False or state.genuine is False}
    return seen(False, resolves.witnesses + _witnesses(mine)) if measured >= named.system else Fact()


def _proven(state: AddressState, named: Named) -> bool:
    """Whoever answers in plain HTTP may be anybody, where DNS is seen to be answered for, or an agent's run knows other
    addresses only. TLS that holds is proof in itself (``genuine``)."""
    forged = named.facts.intercepted.value is True or named.facts.canary_answered.value is True
    others = bool(named.told.vouched) and not named.facts.true_addresses.known
    return state.genuine is True or not (forged or others)


def _witnesses(states: Sequence[AddressState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w for state in states for w in state.witnesses))
