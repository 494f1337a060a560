"""Readings of the facts of speed that several faults share."""

from netdiag.facts import Facts
from netdiag.facts.speed import Download, PlaceDelay
from netdiag.faults.base import Finding, opposes, silent

FACTS = ("speed.slow", "speed.waiting_for", "speed.limited_by", "speed.round_trips", "speed.controls_fast")
AGAIN = "`netdiag collect --slow` for the same URL, when nothing else uses the line, and once more when it is busy."
OTHER_LINE = "`netdiag collect --slow` for the same URL from another line, at the same time."


def not_slow(facts: Facts) -> Finding | None:
    """Why nothing can be what makes the target slow: it is not, or not on the direct way that was measured."""
    if facts.speed.slow.value is None:
        return silent("Whether the URL comes slowly is not known.", "speed.slow")
    if facts.speed.slow.value is False:
        return opposes("The URL does not come slowly.", "speed.slow", witnesses=facts.speed.slow.witnesses)
    if facts.speed.target.value is None:
        return silent("How the URL came is not known.", "speed.target")
    proxy = facts.machine.proxy.value
    if proxy is not None:
        return silent(f"Traffic to the target goes through the proxy {proxy.where}; only the direct way was timed.")
    return None


def body_is_not_slow(facts: Facts) -> Finding | None:
    """As ``not_slow``, for what holds up a body. A queue or a policer does not make a server wait with its first byte
    while it acknowledges at once."""
    finding = not_slow(facts)
    if finding is not None or facts.speed.waiting_for.value == "body":
        return finding
    if facts.speed.waiting_for.value in {"server", "name"}:
        return opposes(
            f"What takes long is {waited(facts)}, not the transfer.", *FACTS, witnesses=facts.speed.slow.witnesses
        )
    return silent(f"What takes long is {waited(facts)}.", *FACTS)


def waited(facts: Facts) -> str:
    """What the target waits for, in words."""
    return {
        "name": "the look-up of the name",
        "connect": "the TCP handshake",
        "tls": "the TLS handshake",
        "request": "the acknowledgement of the request",
        "server": "the first byte after the request",
        "body": "the body",
        None: "nothing that was measured",
    }[facts.speed.waiting_for.value]


def pace(facts: Facts) -> str:
    """``412,000 bytes came at 41 kB/s (38 to 45)``."""
    one = facts.speed.target.value
    if one is None or one.rate is None:
        return "The body came slowly"
    text = f"{one.received:,} bytes came at {kilobytes(one.rate)} kB/s"
    if one.rate_low is None or one.rate_high is None:
        return text
    return f"{text} ({kilobytes(one.rate_low)} to {kilobytes(one.rate_high)})"


def grown(facts: Facts) -> str:
    """Where round trips grew and where they did not, with medians."""
    told = [one for one in facts.speed.round_trips.value or () if one.grew is not None]
    flat = [one for one in told if not one.grew][-1:]
    more = [one for one in told if one.grew][:1]
    parts = [f"to {_who(one)} stayed at {one.loaded_ms:.0f} ms" for one in flat]
    parts += [f"to {_who(one)} grew from {one.idle_ms:.0f} to {one.loaded_ms:.0f} ms" for one in more]
    return f"round trips {' and those '.join(parts)}"


def controls_words(facts: Facts) -> str:
    """How other hosts came meanwhile, as a clause."""
    return {True: "; other hosts come fast", False: "; other hosts come as slowly", None: ""}[
        facts.speed.controls_fast.value
    ]


def download(facts: Facts) -> Download:
    """The target's own. Only where ``not_slow`` had nothing to say."""
    one = facts.speed.target.value
    assert one is not None
    return one


def _who(one: PlaceDelay) -> str:
    name = one.router or f"hop {one.ttl}"
    return f"the gateway ({name})" if one.ttl == 1 else name


def kilobytes(rate: float) -> str:
    """Bytes per second as a number of kB/s."""
    return f"{rate / 1000:.0f}" if rate >= 10_000 else f"{rate / 1000:.1f}"
