"""The verdict's sentences: summary, reply, what to measure next, what was not tested. No decisions here."""

from collections import Counter
from collections.abc import Sequence

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault
from netdiag.faults.speed import waited
from netdiag.verdict_answers import not_always, open_question
from netdiag.verdict_standing import Hypothesis

PLACE = {
    "local": "on the customer's side",
    "transit": "on the way between the customer and the vendor",
    "host": "on the vendor's side",
}
_COMMON = frozenset(
    ["a", "an", "another", "connections", "no", "none", "nothing", "other", "packets", "the", "this", "whoever", "with"]
)
"""Words with which sentences begin that are no names."""
SEEN_BESIDES = "Seen besides"
"""Of faults that are real, where the reason is not proven: then nothing says that they are not a part of it."""
AT_FAILURE = "Another `netdiag collect` at the moment at which it fails, run to its end."
VENDOR_LOG = (
    "The vendor's logs for the ids and times in this bundle: did these requests arrive there, and what answered them?"
)


def sides(hypotheses: Sequence[Hypothesis]) -> tuple[str, ...]:
    """The sides of these hypotheses, each once, in order."""
    return tuple(dict.fromkeys(one.fault.split(".", 1)[0] for one in hypotheses))


def joined(words: Sequence[str], last: str) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def quoted(hypotheses: Sequence[Hypothesis], last: str) -> str:
    """Their titles, for a sentence."""
    return joined([f"“{one.title}”" for one in hypotheses], last)


def summary(side: str, certain: bool, leads: Sequence[Hypothesis], rest: Sequence[Hypothesis]) -> str:
    """The verdict in a sentence or two. ``leads`` carry it; ``rest`` are real faults that do not explain it."""
    word = "The fault is" if certain else "The fault is probably"
    text = f"{word} {PLACE[side]}: {decapitalised(leads[0].because)}"
    if len(leads) > 1:
        text += f" The evidence does not tell which of these it is: {quoted(leads, 'or')}."
    return text + (strays(rest) if certain else strays(rest, SEEN_BESIDES))


def denied(facts: Facts) -> str | None:
    """What every resolver that answered said of the name, when none gave an address: then it is the name that fails."""
    asked = facts.names.resolvers.value or ()
    no = {"nxdomain": "does not exist", "nodata": "has no address", "refused": "is refused", "servfail": "fails"}
    said = {one.target for one in asked if one.target in no}
    if not said or any(one.target == "answers" for one in asked):
        return None
    words = joined([words for outcome, words in no.items() if outcome in said], "or")
    return f"No resolver gives an address for {facts.host}: those that answered say that the name {words}."


def undecided(
    leads: Sequence[Hypothesis],
    measured: bool,
    rest: Sequence[Hypothesis],
    first: str,
    others: Sequence[Hypothesis],
    *,
    name: str | None = None,
) -> str:
    """The summary when the evidence does not decide. ``others``: what nothing excludes on another side; ``name``: what
    is known of the name (``denied``)."""
    if leads:
        text = f"The evidence does not decide whose fault it is; it may be {quoted(leads[:4], 'or')}."
        if others:
            text += f" Nothing excludes {quoted(others[:3], 'or')} either."
    elif name is not None:
        text = f"The evidence does not decide whose fault it is. {name}"
    elif measured:
        text = "The URL fails, and nothing that was measured explains why."
    else:
        text = "Too little was measured to say whether the URL works."
    return f"{text}{strays(rest, SEEN_BESIDES)} What would decide: {decapitalised(first)}"


def healthy(facts: Facts, rest: Sequence[Hypothesis]) -> str:
    """The summary when nothing is wrong."""
    cut = ", though the run was cut short" if facts.interrupted else ""
    is_slow = facts.speed.slow.value is True
    slow = f" It came slowly: what took long was {waited(facts)}, and nothing measured says why." if is_slow else ""
    in_spite = strays(rest, "It worked in spite of this")
    doubt = open_question(facts)
    if doubt is not None:
        return f"No fault of the network was seen at the times of the run{cut}. {doubt}{slow}{in_spite}"
    at = "at the times of the run" if (partly := not_always(facts)) is None else f"during the run{partly}"
    return f"This URL, without a login, worked from this address {at}{cut}.{slow}{in_spite}"


def strays(rest: Sequence[Hypothesis], lead: str = "Besides, and not the reason") -> str:
    """Real faults that are not the reason: said, so that nobody takes them for it."""
    if not rest:
        return ""
    return f" {lead}: {' '.join(one.because for one in rest[:2])}"


def decapitalised(sentence: str) -> str:
    """A sentence after a colon. Names and addresses keep their capitals."""
    first, _, _ = sentence.partition(" ")
    return sentence[:1].lower() + sentence[1:] if first.rstrip(",.").lower() in _COMMON else sentence


def not_tested(facts: Facts) -> tuple[str, ...]:
    """What a run in which the URL worked does not say."""
    found = [
        "anything behind a login",
        "other URLs of the same service",
        "other times than those of the run",
        "more requests, or faster ones, than the run made (limits)",
    ]
    states = facts.target.addresses.value or ()
    if not any(state.family == 6 and state.works is True for state in states):
        found.append("the service over IPv6")
    untried = untried_addresses(facts)
    if untried:
        found.append(f"{joined(untried[:4], 'and')}, which the name has as well")
    if facts.machine.proxy.value is None and facts.machine.proxy_settings_read.value is not True:
        found.append("whether programs on this machine go through a proxy (its settings were not read)")
    if facts.interrupted:
        found.append("what the run would have measured, had it not been interrupted")
    return tuple(found)


def untried_addresses(facts: Facts) -> tuple[str, ...]:
    """Addresses of the target's name that no connection was made to."""
    named = {address for one in facts.names.resolvers.value or () for address in one.addresses}
    named |= set(facts.names.true_addresses.value or ())
    tried = {state.address for state in facts.target.addresses.value or () if state.connect is not None}
    return tuple(sorted(named - tried))


def next_evidence(facts: Facts, leads: Sequence[Hypothesis], wanted: Sequence[Hypothesis]) -> tuple[str, ...]:
    """What to measure, the most deciding first: the control run while there is none, then what most suspects ask for.
    ``wanted``: rivals that were not excluded; what they ask for comes after what the suspects do."""
    asked = Counter(one.finding.settle_next for one in leads if one.finding is not None and one.finding.settle_next)
    found = [text for text, _ in sorted(asked.items(), key=lambda item: -item[1])]
    found.extend(one.finding.settle_next for one in wanted if one.finding is not None and one.finding.settle_next)
    found = [part for text in found for part in _parts(text)]
    runs = tuple(run for run in facts.agent.runs.value or () if run.usable)
    if any(not run.caps for run in runs):
        found = [text for text in found if text != CONTROL_RUN]
    elif not leads or sides(leads) != ("local",):
        found.insert(0, CONTROL_RUN)
    told = facts.target.works.value is False or facts.target.works_by_name.value is False or open_question(facts)
    if not leads and (not told or facts.interrupted):
        found.insert(0, AT_FAILURE)
    return tuple(dict.fromkeys(found)) or ((VENDOR_LOG,) if told and not facts.interrupted else (AT_FAILURE,))


def _parts(text: str) -> tuple[str, ...]:
    """The control run, which several faults ask for, apart from what one of them asks for besides."""
    rest = text.removeprefix(CONTROL_RUN).strip()
    return (text,) if rest == text else tuple(filter(None, (CONTROL_RUN, rest)))


def reply(
    side: str,
    certain: bool,
    leads: Sequence[Hypothesis],
    catalogue: Sequence[Fault],
    first: str,
    *,
    doubt: str | None = None,
) -> str:
    """What to send to the customer. ``doubt``: what the answers leave open (``open_question``)."""
    if side == "none" and doubt is not None:
        return (
            "Thank you for the measurement. It shows that requests from your address are answered, but not that our "
            f"service works for them: {decapitalised(doubt)} We are comparing it with our logs and with another line; "
            "nothing needs to be changed on your side meanwhile."
        )
    if side == "none":
        return (
            "Thank you for the measurement. It shows that our service worked from your address while it ran, as far "
            "as that can be tested without a login. If it fails again, please run the same command at that moment and "
            "send us the new file."
        )
    if side == "inconclusive":
        return (
            "Thank you for the measurement. It does not yet show where the fault is, so please change nothing on your "
            f"side for now. This is what we are going to compare it with, or ask you for: {decapitalised(first)}"
        )
    words = {fault.code: fault.reply for fault in catalogue}
    opening = "" if certain else "This is the most likely reading of your measurement; it is not proven yet. "
    if len(leads) == 1:
        return opening + words[leads[0].fault]
    return (
        f"{opening}Your measurement shows that the fault is {_to_customer(side)}. Which of these it is, is still open: "
        f"{quoted(leads, 'or')}. Please leave everything as it is until we have looked."
    )


def _to_customer(side: str) -> str:
    return {
        "local": "in the network or on the machine from which it was made",
        "transit": "on the way between your network and ours",
        "host": "on our side",
    }[side]
