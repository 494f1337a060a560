"""The order in which facts are derived: each layer leans on those above it in ``_alone``."""

from collections.abc import Sequence

import msgspec

from netdiag.evidence.bundle import Bundle
from netdiag.facts.base import Fact, seen
from netdiag.facts.controls import ControlFacts
from netdiag.facts.derivation.agent import Run, derive_agent, told_names, vendor_routers
from netdiag.facts.derivation.book import Book, VendorProfile
from netdiag.facts.derivation.controls import control_connects, derive_controls
from netdiag.facts.derivation.egress import derive_egress
from netdiag.facts.derivation.elsewhere import Answer, Answers, answers_to, is_comparable
from netdiag.facts.derivation.in_flow import derive_flow, told_of_proxies
from netdiag.facts.derivation.limits import derive_limits
from netdiag.facts.derivation.machine import derive_machine
from netdiag.facts.derivation.names import Named, Told, derive_names
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.paced import derive_losses
from netdiag.facts.derivation.path import derive_path
from netdiag.facts.derivation.placing import VendorRouters, set_scene
from netdiag.facts.derivation.recovery import derive_recovery
from netdiag.facts.derivation.refusal import without_own_resets
from netdiag.facts.derivation.sizes import derive_sizes
from netdiag.facts.derivation.speed import derive_speed
from netdiag.facts.derivation.summary import derive_target, failing_addresses
from netdiag.facts.derivation.target import TargetRecords, address_states, is_genuine
from netdiag.facts.derivation.walks import raw_walks
from netdiag.facts.derivation.ways import derive_ways
from netdiag.facts.target import AddressState
from netdiag.facts.whole import Facts


def derive(bundle: Bundle, agents: Sequence[Bundle] = (), profile: VendorProfile | None = None) -> Facts:
    """All facts of ``bundle``, the agent's control runs (``control1``, …) and the vendor's profile taken in."""
    runs = [_alone(one, f"control{n}", profile, {}, Told()) for n, one in enumerate(agents, 1)]
    told = told_names(runs, bundle)._replace(answers=_answers(runs, bundle))
    customer = _alone(bundle, "main", profile, vendor_routers(runs, bundle), told)
    return msgspec.structs.replace(customer.facts, agent=derive_agent(customer, runs, profile))


def _alone(bundle: Bundle, name: str, profile: VendorProfile | None, vendors: VendorRouters, told: Told) -> Run:
    book = Book(bundle, name, profile)
    near = Near(book)
    scene = set_scene(book, near, raw_walks(book, near), vendors)
    egress = {4: derive_egress(4, book, near), 6: derive_egress(6, book, near)}
    named = derive_names(book, near, told)
    controls = derive_controls(book, near, scene.placing)
    records = TargetRecords(book)
    states = without_own_resets(address_states(records, named, controls, scene), scene)
    failing = tuple(failing_addresses(states, controls, near))
    failed = {state.address for state in failing}
    path, flow = derive_path(scene, healthy=control_connects(book), failing=failed, egress=egress), derive_flow(scene)
    facts = Facts(
        host=bundle.target.host,
        port=bundle.target.port,
        private_target=bundle.target.private,
        interrupted=bundle.interrupted is not None,
        profile_given=profile is not None,
        machine=derive_machine(states, egress, named, scene),
        names=msgspec.structs.replace(named.facts, configured_lies=_lies(states, named, controls, book)),
        controls=controls,
        target=derive_target(states, records, named, controls, scene),
        path=told_of_proxies(path, flow),
        flow=flow,
        sizes=derive_sizes(scene, states),
        losses=derive_losses(scene),
        speed=derive_speed(scene),
        limits=derive_limits(book),
        ways=derive_ways(book, near, states, controls),
        recovery=derive_recovery(book),
    )
    return Run(name, bundle, facts, failing)


def _answers(runs: Sequence[Run], customer: Bundle) -> Answers:
    """What the agents' lines were answered by addresses that work for them, where nothing says that they are false."""
    found: dict[str, Answer] = {}
    for run in runs:
        if not is_comparable(customer, run.bundle) or run.facts.controls.portal.known:
            continue
        states = run.facts.target.addresses.value or ()
        good = {state.address for state in states if state.works is True and state.genuine is not False}
        answers = answers_to(TargetRecords(Book(run.bundle, run.name, None)).exchanges)
        found.update({address: answer for address, answer in answers.items() if address in good})
    return found


def _lies(states: Sequence[AddressState], named: Named, controls: ControlFacts, book: Book) -> Fact[tuple[str, ...]]:
    """The addresses of configured resolvers that are known not to be the vendor's, measured or not; empty: all are
    known to be the vendor's."""
    certificates = {state.address: state.tls for state in states}
    failing = {state.address for state in states if state.works is False}
    told = {a: is_genuine(a, certificates, named, controls, book, fails=a in failing) for a in sorted(named.configured)}
    lies = tuple(address for address, genuine in told.items() if genuine is False)
    if not told or (not lies and None in told.values()):
        return Fact()
    measured = [w for state in states if state.address in told for w in state.witnesses]
    witnesses = tuple(dict.fromkeys([*named.facts.resolvers.witnesses, *measured]))
    return seen(lies, witnesses, agree=len(lies or told), looked_at=len(told))
