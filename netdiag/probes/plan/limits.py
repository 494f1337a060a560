"""Where it was asked for: how much the service lets pass, after all else has been measured."""

from collections.abc import Iterator, Sequence

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import LIMITING_STATUSES, LimitBudget
from netdiag.evidence.profile import Profile
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import Inputs, Seen, is_plain, make_step


def budget_for(url: str, profile: Profile | None) -> LimitBudget:
    """The small default, or what the vendor's profile consents to on this very endpoint."""
    if profile is None or profile.rate_limit is None or not profile.consents_to(url):
        return LimitBudget()
    most = profile.rate_limit
    return LimitBudget(
        requests=most.max_requests,
        connections=min(LimitBudget().connections, most.max_requests),
        rate=most.max_rate,
        by="profile",
    )


def look_for_limits(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """One rate section, at the address that answers; where none does there is no limit to look for, which is said."""
    if inputs.limits is None:
        return
    answers = [
        (step, one)
        for step, one in seen.of(Exchange, "target")
        if step.proxy is None and is_plain(step) and step.address is not None and step.probe == "http"
    ]
    last = {step.address: one for step, one in answers}
    good = [step for step, one in answers if _is_served(one) and _is_served(last[step.address])]
    target = inputs.target
    if not good:
        yield make_step("limits", "target", subject=target.host, params={"left_out": _why_not([*last.values()])})
        return
    yield make_step(
        "limits",
        "target",
        subject=target.host,
        address=good[0].address,
        port=target.port,
        params={"url": inputs.url, **inputs.limits.params()},
    )


def _is_served(exchange: Exchange) -> bool:
    """A page or a redirect. What asks for a login, or finds nothing, is no limit either; but fail2ban's jails for web
    servers ban who gets a few such answers in ten minutes (jail.conf: maxretry 5), and a rate section would get 30."""
    return exchange.status is not None and exchange.status < 400


def _why_not(last: Sequence[Exchange]) -> str:
    """In words that tell what to do; reports show their first 120 characters."""
    if not last:
        return "the target was not reached"
    refused = next((one.status for one in last if one.status is not None and one.status >= 400), None)
    if refused is None or refused >= 500 or refused in LIMITING_STATUSES:
        return "the target does not serve this address as it is"
    return f"HTTP {refused}: guards ban who gets that many times; give a URL that is served, such as a health page"
