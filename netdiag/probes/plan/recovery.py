"""After the run: whether, where and how seldom to look if what failed has recovered (``--watch-recovery``).

Each attempt may renew the ban that it asks about, so they are few, the cheapest that tell, and each comes after a
longer quiet than the one before. The quiets begin above the window of the shortest usual limiters and double:

- mod_evasive: 10 s, from the last request on (DOSBlockingPeriod; every hit renews it; its README)
- ufw limit: refused while there were 6 attempts in the last 30 s, refused ones included (``recent --update --seconds
  30 --hitcount 6``; ufw-framework(8), user.rules)
- fail2ban: 600 s from the ban on, whatever is tried meanwhile (bantime, jail.conf)
- CSF: 1800 s (CT_BLOCK_TIME, csf.conf)

A ban that renews itself for P seconds is so left alone as soon as the quiet is longer than P; and of one with a fixed
end the lifetime is known within a factor of two or so. Retry-After is kept, where it is longer.
"""

from collections.abc import Mapping

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import AFTER_LIMIT, LimitAttempt, turned_away
from netdiag.evidence.record import Failure, FailureCode, Icmp
from netdiag.evidence.retry_after import retry_after_s
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.seen import Inputs, Seen, is_plain, make_step
from netdiag.probes.plan.target import LIMIT_STATUSES, REFUSED_STATUSES

FIRST_QUIET_S = 32.0
"""Seconds: above the 30 s window of ``ufw limit``."""

MAX_ATTEMPTS = 8
"""In all, however long the watch is: 32 s doubled seven times is more than an hour."""

_WORTH_WATCHING = {FailureCode.TIMED_OUT, FailureCode.REFUSED, FailureCode.RESET}
_CUT_OFF = {FailureCode.TIMED_OUT, FailureCode.RESET, FailureCode.CLOSED}
"""How limiters end what they have accepted (HAProxy's silent-drop and reject); a certificate is none of theirs."""


def what_to_watch(inputs: Inputs, seen: Seen) -> Step | None:
    """The first address that failed to the end, by one SYN where the connection is not let in, else by one request; or
    the one whose limit the rate section met, likewise. None: nothing failed that could recover by waiting (this machine
    itself refused, no address, TLS not trusted)."""
    port = inputs.target.port
    reaches = [one for one in seen.steps("reach", "target") if one.port == port and one.round == 1]
    for reach in (one for one in reaches if is_plain(one)):
        level = _level(reach.address or "", seen)
        if level is not None:
            return _watch(inputs, reach, level, _asked_to_wait(reach.address or "", seen))
    return _limit_to_watch(inputs, seen)


def _watch(inputs: Inputs, of: Step, level: str, more: Mapping[str, str]) -> Step:
    """At the address of the step ``of``, which failed."""
    return make_step(
        "watch",
        "target",
        subject=inputs.target.host,
        address=of.address,
        port=inputs.target.port,
        caused_by=of.caused_by,
        params={"level": level, "url": inputs.url, "for_s": str(inputs.options.watch_s), **more},
    )


def _limit_to_watch(inputs: Inputs, seen: Seen) -> Step | None:
    """What the rate section was refused, if anything. A connection that was accepted and closed is asked about by a
    request: one that is only accepted would look like recovery."""
    made = [(step, one) for step, one in seen.of(LimitAttempt, "target")]
    refused = turned_away(sorted((one for _, one in made), key=lambda one: one.began_ns))
    if not refused:
        return None
    last = refused[-1]
    waits = [one.retry_after_s for one in refused if one.retry_after_s is not None]
    return _watch(
        inputs,
        made[0][0],
        "connect" if last.failure is not None and last.failure.op == "connect" else "http",
        {"after": AFTER_LIMIT, **({"asked_s": str(max(waits))} if waits else {})},
    )


def _asked_to_wait(address: str, seen: Seen) -> dict[str, str]:
    """The longest Retry-After that the run's answers gave."""
    told = [
        wait for _, one in seen.of(Exchange, "target") if one.address == address and (wait := wait_of(one)) is not None
    ]
    return {"asked_s": str(max(told))} if told else {}


def wait_of(record: Exchange) -> int | None:
    """Seconds that the answer asked to wait; None where it did not."""
    told = {header.name: header.value for header in record.headers}
    return retry_after_s(told["retry-after"], told.get("date")) if "retry-after" in told else None


def _level(address: str, seen: Seen) -> str | None:
    connects = [
        one
        for step, one in seen.of(Connect, "target")
        if one.address == address and step.params.get("use") is None and one.mss_clamp is None
    ]
    if connects and connects[-1].failure is not None:
        return "connect" if may_recover(connects[-1].failure) else None
    greeted = [one for step, one in seen.of(Handshake, "target") if step.address == address and is_plain(step)]
    if greeted and greeted[-1].failure is not None:
        return "http" if greeted[-1].failure.code in _CUT_OFF else None
    answers = [one for _, one in seen.of(Exchange, "target") if one.address == address and one.method != "CONNECT"]
    own = [one for one in answers if one.user_agent == "netdiag"]
    return "http" if own and not is_let_in(own[-1]) and may_answer(own[-1]) else None


def may_recover(failure: Failure) -> bool:
    """Refused, limited or dropped by somebody else: not what this machine said by itself."""
    return failure.code in _WORTH_WATCHING or isinstance(failure.native, Icmp)


def may_answer(record: Exchange) -> bool:
    """The request got as far as somebody who may let it in later."""
    return record.failure is None or record.failure.op in {"send", "receive"}


def is_let_in(record: Exchange) -> bool:
    """An answer that neither refuses, nor limits, nor tells of a failing server."""
    status = record.status
    return status is not None and status < 500 and status not in LIMIT_STATUSES | REFUSED_STATUSES


def next_quiet(last_s: float | None, left_s: float, made: int, asked_s: float | None) -> float | None:
    """Seconds of quiet before the next attempt, after ``made`` of them; None: no more are made.

    ``last_s``: the quiet before the last one; ``left_s``: what is left of the watch; ``asked_s``: the Retry-After of
    the last answer, which is kept. Where the next but one would not fit, the next takes all that is left, so that no
    attempt comes after a shorter quiet than one that was too short already.
    """
    least = max(FIRST_QUIET_S if last_s is None else 2 * last_s, 0.0 if asked_s is None else asked_s + 1.0)
    if made >= MAX_ATTEMPTS or least > left_s:
        return None
    is_last = made == MAX_ATTEMPTS - 1 or left_s - least < 2 * least
    return left_s if is_last else least
