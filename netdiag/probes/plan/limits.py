"""Where it was asked for: how much the service lets pass, after all else has been measured."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import LimitBudget
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
        why = "the target was not reached" if not answers else "the target does not serve this address as it is"
        yield make_step("limits", "target", subject=target.host, params={"left_out": why})
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
    """An answer that no limiter, outage or ban gives; an application's 403 may be the usual one."""
    return exchange.status is not None and exchange.status < 500 and exchange.status not in {420, 429}
