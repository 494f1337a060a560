"""What was seen of the target, address by address."""

from collections.abc import Iterable, Iterator

from netdiag.facts import AddressState, Facts, Share
from netdiag.reports.observed.layers import connect_words, http_words, tls_words
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import count, listing, lost


def of_target(facts: Facts) -> Iterator[Sight]:
    for how, states in ways(facts.target.addresses.value or ()):
        yield Sight(
            says=f"{listing(state.address for state in states)}: {how}",
            witnesses=tuple(witness for state in states for witness in state.witnesses),
        )
    loss = facts.target.loss
    if loss.value is not None and loss.value.lost:
        yield sight(lost(loss.value, "packet", "to the target"), loss)
    resent = facts.target.retransmits
    if resent.value is not None and resent.value.lost:
        yield sight(
            f"{resent.value.lost:,} of {count(resent.value.sent, 'data segment')} to the target had to be sent again.",
            resent,
        )


def ways(states: Iterable[AddressState]) -> Iterable[tuple[str, list[AddressState]]]:
    """Addresses that behave alike but for the time it took, with how they behave."""
    groups: dict[str, list[AddressState]] = {}
    for state in states:
        groups.setdefault(_how(state, timed=False), []).append(state)
    return [(_how(group[0]), group) for group in groups.values()]


def _how(state: AddressState, *, timed: bool = True) -> str:
    said = [connect_words(state.connect, timed=timed)] if state.connect is not None else ["not measured"]
    if state.tls is not None:
        said.append(tls_words(state.tls))
    if state.http is not None:
        said.append(http_words(state.http))
    line = f"{'; '.join(said)}."
    if state.genuine is False:
        line += " It is not an address of the vendor."
    if state.echo is not None and state.echo.sent:
        line += f" {_echo(state.echo)}"
    if state.answers_otherwise is True and (state.connect is None or state.connect.how != "open"):
        line += " The address does answer on another port or protocol."
    return line


def _echo(share: Share) -> str:
    if share.lost == share.sent:
        return f"None of {count(share.sent, 'ping')} was answered." if share.sent > 1 else "A ping was not answered."
    return f"{share.sent - share.lost} of {count(share.sent, 'ping')} answered."
