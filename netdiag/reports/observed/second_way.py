"""What was seen by second ways out, and of the time after the run."""

from collections.abc import Iterator

from netdiag.facts import Facts
from netdiag.facts.ways import Trial, WayState
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import span

_BY = {"proxy": "Through the proxy {}", "interface": "By the interface {}", "source": "From the local address {}"}
_FAILED = {
    "connect": "no connection came about",
    "tls": "TLS did not come up",
    "http": "the request was not served",
    "proxy": "the proxy could not reach it",
}


def of_ways(facts: Facts) -> Iterator[Sight]:
    """One sentence for each way and address, then what the two families say together."""
    for way in facts.ways.states.value or ():
        for trial in way.trials:
            yield Sight(says=f"{_BY[way.kind].format(way.name)} {_trial(way, trial)}", witnesses=trial.witnesses)
    if facts.ways.other_family_works.value is True:
        yield sight(
            "Over one of IPv4 and IPv6 nothing is let in, over the other the service works: another address of this "
            "machine, and of the vendor's.",
            facts.ways.other_family_works,
        )


def _trial(way: WayState, trial: Trial) -> str:
    whom = trial.address or "the target, at an address that the proxy chose,"
    if trial.works is None:
        return f"nothing was learnt of {trial.address or 'the target'}."
    if not trial.works:
        failed = _FAILED.get(trial.failed_at or "", "it failed")
        status = f" (HTTP {trial.status})" if trial.status is not None else ""
        doubt = "" if way.control_works else ", and whether that way works at all is not known"
        return f"{whom} fails, too: {failed}{status}{doubt}."
    if not trial.fails_here:
        return f"{whom} works."
    if trial.recovered:
        return f"{whom} worked, and then from here, too."
    return f"{whom} works" + (", dead from here before and after." if trial.outlasted else ", dead from here.")


def of_recovery(facts: Facts) -> Iterator[Sight]:
    """For how long it was refused, as an interval."""
    found = facts.recovery.value
    if found is None:
        return
    since = "the limit was met" if found.after == "limit" else "the first failure"
    tries = f"asked {found.attempts} times" if found.attempts > 1 else "asked once"
    if found.allowed_from_s is None or found.quiet_allowed_s is None:
        says = (
            f"{found.address} was still refused {span(found.refused_until_s)} after {since} ({found.until}; "
            f"{tries} after the run, at last after {span(found.quiet_refused_s)} without any packet to it). A refusal "
            "that every attempt renews would need a longer quiet."
        )
    else:
        says = (
            f"{found.address} recovered between {span(found.refused_until_s)} and {span(found.allowed_from_s)} after "
            f"{since} ({found.until} and {found.since}; {tries} after the run). If every attempt renewed the "
            f"refusal, it lasts between {span(found.quiet_refused_s)} and {span(found.quiet_allowed_s)} from the last."
        )
    yield sight(says, facts.recovery)
