"""What was seen of other hosts."""

from collections.abc import Iterator

from netdiag.facts import ControlState, Facts
from netdiag.reports.observed.layers import connect_words, tls_words
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import count, endpoint, listing, lost


def of_controls(facts: Facts) -> Iterator[Sight]:
    controls = facts.controls
    states = controls.states.value or ()
    good = [state for state in states if state.healthy]
    if good:
        hosts = tuple(dict.fromkeys(state.host for state in good))
        all_of = f"{len(good)} of {len(states)}" if len(good) < len(states) else f"All {len(good)}"
        all_of = {"All 1": "The one", "All 2": "Both"}.get(all_of, all_of)
        connections = "connection" if len(states) == 1 else "connections"
        yield Sight(
            says=f"{all_of} {connections} to {count(len(hosts), 'other host')} worked: {listing(hosts, most=4)}.",
            witnesses=tuple(witness for state in good for witness in state.witnesses),
        )
    alike: dict[str, list[ControlState]] = {}
    for state in states:
        if not state.healthy:
            alike.setdefault(_control_layers(state), []).append(state)
    for how, group in alike.items():
        yield Sight(
            says=f"{listing(map(_control_name, group), most=4)}: {how}.",
            witnesses=tuple(witness for state in group for witness in state.witnesses),
        )
    if controls.portal.value is not None:
        where = "replaced" if controls.portal.value == "page" else f"redirected to {controls.portal.value}"
        yield sight(f"Connectivity-check pages came back {where}.", controls.portal)
    if controls.intercepting_issuer.value is not None:
        yield sight(
            f"Unrelated hosts present certificates of one issuer that browsers do not know:"
            f" {controls.intercepting_issuer.value}.",
            controls.intercepting_issuer,
        )
    if controls.port_443_fails.value is True:
        yield sight("No other host could be reached on port 443, while other ports work.", controls.port_443_fails)
    if controls.loss.value is not None and controls.loss.value.lost:
        yield sight(lost(controls.loss.value, "packet", "to other hosts"), controls.loss)


def _control_name(state: ControlState) -> str:
    place = endpoint(state.address, state.port)
    return place if state.host == state.address else f"{state.host} ({place})"


def _control_layers(state: ControlState) -> str:
    said = [connect_words(state.connect, timed=False)]
    if state.tls is not None:
        said.append(tls_words(state.tls))
    if state.page == "redirected":
        said.append("the check page was redirected")
    elif state.page == "other":
        said.append("the check page was another than it should be")
    elif state.http_status is not None:
        said.append(f"HTTP {state.http_status}")
    return "; ".join(said)
