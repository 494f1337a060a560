"""``netdiag recheck``: what failed in an earlier run, once more, days later; and a bundle that refers to the first."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from netdiag.cli import analysis, reading
from netdiag.cli.collect import check_text, measure, place
from netdiag.cli.consent import ask, preview
from netdiag.cli.output import say
from netdiag.cli.problem import usage
from netdiag.cli.url import parse_url
from netdiag.evidence.addresses import classify, is_address
from netdiag.evidence.bundle import Bundle, Options, Reference
from netdiag.evidence.keys import KeyFileError, signing_key
from netdiag.evidence.trust import TrustPolicy
from netdiag.facts import Facts, derive
from netdiag.reports.collected import Sealed, collected_json, collected_text
from netdiag.reports.encoding import dump
from netdiag.reports.recheck import compared, compared_text, failing

MOST_ADDRESSES = 4
"""As many as a first run measures (probes/plan/target.py)."""


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What was asked for."""

    output: Path | None
    profile: Path | None
    ticket: str | None
    budget_s: int
    yes: bool
    format: Literal["text", "json"]


def recheck(path: Path, flags: Flags) -> int:
    """Verify the first bundle, repeat what failed in it, and tell what became of it."""
    check_text("--ticket", flags.ticket, 200)
    with reading.refusals_of(path):
        source = analysis.open_source("main", reading.read_bundle(path), TrustPolicy(), now=datetime.now(UTC))
    earlier, old = source.bundle, derive(source.bundle)
    # A bundle is a stranger's file: its target is read as one that was typed, or not at all.
    target = parse_url(earlier.target.url).target
    if target.host != earlier.target.host:
        raise usage(f"{path}: its target is no host that can be asked")
    target = msgspec.structs.replace(target, private=target.private or earlier.target.private)
    failed = _addresses(old, private=target.private)
    if not failed and old.target.works.value is not False and old.names.configured_resolve.value is not False:
        raise usage(
            f"{path}: nothing failed in that run, so there is nothing to repeat; `netdiag collect` measures anew"
        )
    vendor = reading.read_profile(flags.profile)
    if earlier.profile is not None and (vendor is None or vendor.sha256 != earlier.profile.sha256):
        say("Note: the first run was guided by a vendor profile that was not given now")
    output = place(flags.output, target.host)
    try:
        key = signing_key(os.environ)
    except KeyFileError as error:
        raise usage(str(error)) from None
    if key.note:
        say(f"Note: {key.note}")

    from netdiag.probes import collect as probes  # noqa: PLC0415  # wrong usage is told before all this is loaded

    sha256 = source.provenance.sha256
    request = probes.CollectRequest(
        typed=target.url,
        target=target,
        options=Options(user_agent=earlier.options.user_agent, budget_s=flags.budget_s),
        profile=vendor,
        ticket=flags.ticket or earlier.ticket,
        earlier=probes.Earlier(
            reference=Reference(run_id=earlier.run_id, sha256=sha256, began_at=earlier.began_at),
            addresses=failed,
            controls=tuple(state.host for state in old.controls.states.value or () if state.healthy),
        ),
    )
    ask(preview(probes.contacts(request), request.options), yes=flags.yes)

    def told(sealed: Sealed) -> str:
        if flags.format == "json":
            return _json(sealed, earlier, old, sha256)
        return compared_text(earlier, old, sealed.facts) + collected_text(sealed)

    return measure(request, key, output, told=told)


def _addresses(old: Facts, *, private: bool) -> tuple[str, ...]:
    """The addresses to ask again: none that the first run could not have asked."""
    listed = [state.address for state in failing(old) if is_address(state.address)]
    named = old.names.needed.value is not False and not private
    return tuple(one for one in listed if not named or classify(one) == "public")[:MOST_ADDRESSES]


def _json(sealed: Sealed, earlier: Bundle, old: Facts, sha256: str) -> str:
    said = compared(earlier, old, sealed.facts) if sealed.facts is not None else ()
    first = {"run_id": earlier.run_id, "sha256": sha256, "compared": list(said)}
    return dump({**msgspec.json.decode(collected_json(sealed)), "rechecks": first})
