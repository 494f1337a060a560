"""What was seen, in plain sentences and without a verdict: for the customer's screen, summary.txt and the ticket."""

from collections.abc import Iterator

from netdiag.evidence.display import sanitize_text
from netdiag.facts import Facts
from netdiag.reports.observed.controls import of_controls
from netdiag.reports.observed.flow import of_flow
from netdiag.reports.observed.limits import of_limits
from netdiag.reports.observed.machine import of_machine, proxy_words, refusal_words
from netdiag.reports.observed.members import of_members
from netdiag.reports.observed.names import of_names, resolver_says
from netdiag.reports.observed.path import of_path, walk_end, walks_words
from netdiag.reports.observed.second_way import of_recovery, of_ways
from netdiag.reports.observed.sight import Section, Sight
from netdiag.reports.observed.sizes import of_sizes
from netdiag.reports.observed.speed import of_speed
from netdiag.reports.observed.target import of_target, ways
from netdiag.reports.words import count, listing

__all__ = ["Section", "Sight", "in_brief", "observed"]


def observed(facts: Facts) -> tuple[Section, ...]:
    """Everything worth a sentence, from the customer's machine outwards. Empty sections are left out."""
    parts = (
        ("This machine", of_machine(facts)),
        (f"The name {facts.host}", of_names(facts)),
        ("Other hosts, for comparison", of_controls(facts)),
        (f"The target {facts.host}, port {facts.port}", (*of_target(facts), *of_flow(facts), *of_sizes(facts))),
        ("The path", (*of_path(facts), *of_members(facts))),
        ("A second way out", of_ways(facts)),
        ("After the run", of_recovery(facts)),
        ("How fast it came", of_speed(facts)),
        ("How much it lets pass", of_limits(facts)),
    )
    sections = []
    for title, sights in parts:
        clean = tuple(Sight(says=sanitize_text(one.says), witnesses=one.witnesses) for one in sights)
        if clean:
            sections.append(Section(title=sanitize_text(title), sights=clean))
    return tuple(sections)


def in_brief(facts: Facts) -> tuple[str, ...]:
    """The same in at most seven sentences: what a ticket needs when its attachments are lost."""
    lines = [*_brief_names(facts), *_brief_addresses(facts), *_brief_rest(facts)]
    return tuple(sanitize_text(line) for line in lines[:7])


def _brief_names(facts: Facts) -> Iterator[str]:
    names = facts.names
    if names.needed.value is False:
        return
    if names.configured_resolve.value is False or names.system_resolves.value is False:
        said = [
            f"{one.server} {resolver_says(one)}"
            for one in names.resolvers.value or ()
            if one.server_class == "configured"
        ]
        yield f"{facts.host} is not resolved" + (f": {'; '.join(said[:2])}." if said else ".")


def _brief_addresses(facts: Facts) -> Iterator[str]:
    """Two ways of behaving at most, those that do not work first."""
    states = sorted(facts.target.addresses.value or (), key=lambda state: state.works is True)
    groups = list(ways(states))
    for how, alike in groups[:2]:
        yield f"{listing(state.address for state in alike)}, port {facts.port}: {how}"
    if len(groups) > 2:
        works = sum(state.works is True for state in states)
        fail = sum(state.works is False for state in states)
        yield f"Of {len(states)} addresses of the target {works} worked and {fail} failed."


def _brief_rest(facts: Facts) -> Iterator[str]:
    yield from (one.says for one in (*of_ways(facts), *of_recovery(facts)))
    if facts.machine.local_refusal.value is not None:
        yield refusal_words(facts.machine.local_refusal.value)
    for walk in (facts.path.target4.value, facts.path.target6.value):
        if walk is not None and walk.end not in {"open", "local"}:
            yield f"{walks_words([walk])}: {walk_end(walk)}."
    states = facts.controls.states.value
    if states:
        good = sum(state.healthy for state in states)
        yield f"{good} of {count(len(states), 'connection')} to other hosts worked."
    if facts.machine.proxy.value is not None:
        yield proxy_words(facts.machine.proxy.value)
