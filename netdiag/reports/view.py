"""What every report shows, in one model: the formats only lay it out.

Texts in here come from a stranger's bundle and are made safe once, on the way in (``_safe``): no control characters, no
bidirectional overrides, no line breaks but in the reply. Each format still escapes for its own syntax.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from netdiag.evidence.addresses import is_address, is_public
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.provenance import Provenance
from netdiag.facts import Facts
from netdiag.reports.absent import absences
from netdiag.reports.asn import AsData
from netdiag.reports.hops import HopTable, credit, hop_tables
from netdiag.reports.observed import observed
from netdiag.reports.words import count, span, utc
from netdiag.verdict import Certainty, Hypothesis, Standing, Verdict, VerdictSide

SIDE = {
    "local": "LOCAL: the customer's own machine or network",
    "transit": "TRANSIT: the networks between, the customer's provider included",
    "host": "HOST: the vendor's side",
    "none": "NONE: no fault was seen",
    "inconclusive": "INCONCLUSIVE: the evidence does not decide",
}

STANDING = {
    "settled": "settled",
    "likely": "likely",
    "possible": "possible",
    "opposed": "ruled out",
    "masked": "explained by another fault",
    "not_assessed": "not assessed",
}


RUN_KEY = "x-netdiag-run"
"""The header of every request of a run, by which the vendor finds them."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One verified bundle under the name that references use: ``main``, ``control1``…"""

    name: str
    bundle: Bundle
    provenance: Provenance


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence with the observations behind it."""

    says: str
    refs: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue. ``wants`` are the facts for want of which it was not assessed; ``explained_by`` is
    what the fault that explains this one away is called."""

    fault: str
    title: str
    standing: str
    because: str
    wants: tuple[str, ...] = ()
    explained_by: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A titled list of sentences."""

    title: str
    sentences: tuple[Sentence, ...]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where one bundle comes from. ``warnings`` are what a reader must not miss; ``brief`` says
    all of ``facts`` in fewer lines."""

    name: str
    brief: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    proves: tuple[str, ...]
    does_not_prove: tuple[str, ...]
    warnings: tuple[str, ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report, in the order in which it is read."""

    url: str
    when: str
    side: VerdictSide
    side_words: str
    certainty: Certainty | None
    fault: str | None
    fault_title: str | None
    summary: str
    warnings: tuple[str, ...]
    evidence: tuple[Sentence, ...]
    next_evidence: tuple[str, ...]
    not_tested: tuple[str, ...]
    ruled_out: tuple[Row, ...]
    still_possible: tuple[Row, ...]
    not_assessed: tuple[Row, ...]
    search_keys: tuple[tuple[str, str], ...]
    reply: tuple[str, ...]
    seen: tuple[Part, ...]
    hops: tuple[HopTable, ...]
    credit: str | None
    not_measured: tuple[Row, ...]
    origins: tuple[Origin, ...]
    catalogue_version: int


def view(verdict: Verdict, facts: Facts, sources: Sequence[Source], as_data: AsData | None = None) -> View:
    """The report on ``sources``, of which the first is the customer's. ``as_data`` is the agent's file of whose
    an address is."""
    main = sources[0].bundle
    origins = tuple(origin(source) for source in sources)
    return View(
        url=_safe(main.target.url),
        when=f"{utc(main.began_at)}, for {span(main.duration_ns / 1e9)}",
        side=verdict.side,
        side_words=SIDE[verdict.side],
        certainty=verdict.certainty,
        fault=verdict.fault,
        fault_title=fault_title(verdict),
        summary=_safe(verdict.summary),
        warnings=tuple(f"{one.name}: {warning}" for one in origins for warning in one.warnings),
        evidence=tuple(Sentence(says=_safe(one.says), refs=_all_safe(one.observations)) for one in verdict.evidence),
        next_evidence=_all_safe(verdict.next_evidence),
        not_tested=_all_safe(verdict.not_tested),
        ruled_out=_rows(verdict, "opposed", "masked"),
        still_possible=_rows(verdict, "settled", "likely", "possible"),
        not_assessed=_rows(verdict, "not_assessed"),
        search_keys=tuple((_safe(name), _safe(value)) for name, value in search_keys(verdict, main)),
        reply=tuple(_all_safe(line for line in verdict.reply.splitlines())),
        seen=tuple(
            Part(
                title=section.title,
                sentences=tuple(Sentence(says=one.says, refs=_all_safe(one.witnesses)) for one in section.sights),
            )
            for section in observed(facts)
        ),
        hops=hop_tables(facts, as_data),
        credit=None if as_data is None else credit(as_data),
        not_measured=tuple(
            Row(
                fault=source.name,
                title=one.what,
                standing=f"{one.times} times" if one.times > 1 else "",
                because=one.why,
                wants=one.witnesses,
            )
            for source in sources
            for one in absences(source.name, source.bundle)
        ),
        origins=origins,
        catalogue_version=verdict.catalogue_version,
    )


def fault_title(verdict: Verdict) -> str | None:
    """What the fault is called; for a group, what stands in it."""
    if verdict.fault is None:
        return None
    for one in verdict.hypotheses:
        if one.fault == verdict.fault:
            return _safe(one.title)
    members = [
        one.title
        for one in verdict.hypotheses
        if one.fault.startswith(f"{verdict.fault}.") and one.standing in {"settled", "likely", "possible"}
    ]
    if len(members) > 1:
        return _safe(" or ".join(f"“{title}”" for title in members))
    return _safe(members[0]) if members else None


def times(row: Row) -> str:
    """Why something was not measured, and how often."""
    return f"{row.because}, {row.standing}" if row.standing else row.because


def ruled_out(row: Row) -> str:
    """Why a fault is ruled out, where each has a row of its own."""
    if row.explained_by is not None:
        return f"Explained by “{row.explained_by}”: {row.because}"
    return row.because if row.standing == STANDING["opposed"] else f"{row.standing}: {row.because}"


def _rows(verdict: Verdict, *standings: Standing) -> tuple[Row, ...]:
    """Hypotheses of these standings, in this order of standings. The verdict's own fault is told above, not here."""
    chosen = [
        one
        for standing in standings
        for one in verdict.hypotheses
        if one.standing == standing and not (one.fault == verdict.fault and verdict.certainty is not None)
    ]
    titles = {one.fault: one.title for one in verdict.hypotheses}
    return tuple(_row(one, titles) for one in chosen)


def _row(one: Hypothesis, titles: Mapping[str, str]) -> Row:
    return Row(
        fault=_safe(one.fault),
        title=_safe(one.title),
        standing=STANDING[one.standing],
        because=_safe(one.because),
        wants=_all_safe(one.missing),
        explained_by=None if one.masked_by is None else _safe(titles.get(one.masked_by, one.masked_by)),
    )


def search_keys(verdict: Verdict, bundle: Bundle) -> tuple[tuple[str, str], ...]:
    """With what the vendor finds the attempts in its logs. A private source address is behind a NAT: it is in nobody's
    log but the customer's, and is left out; the run id stands in the header of each request."""
    keys = tuple(
        (name, value.replace("+00:00", "Z") if name == "utc" else value)
        for name, value in verdict.search_keys
        if name != "source_address" or not is_address(value) or is_public(value)
    )
    return (*keys, (RUN_KEY, bundle.run_id)) if keys else ()


def origin(source: Source) -> Origin:
    """Where ``source`` comes from, in words."""
    bundle, provenance = source.bundle, source.provenance
    measured = [
        ("signature", provenance.signature),
        ("key", provenance.key),
        ("key trust", _trust(provenance)),
        ("begun", f"{utc(provenance.made_at)} by that machine's clock, {_age(provenance)}"),
        ("took", span(bundle.duration_ns / 1e9)),
        ("run id", bundle.run_id),
        ("ticket", "none" if provenance.ticket is None else provenance.ticket),
        ("made by", bundle.tool),
        ("holds", f"{count(len(bundle.observations), 'record')} of {count(len(bundle.plan), 'step')}"),
        ("SHA-256", provenance.sha256),
    ]
    first = bundle.rechecks
    if first is not None:
        measured.append(("repeats", f"what failed in run {first.run_id} of {utc(first.began_at)} ({first.sha256})"))
    if bundle.profile is not None:
        measured.append(("profile", f"{bundle.profile.vendor or 'unnamed'} ({bundle.profile.sha256})"))
    ticket = "no ticket" if provenance.ticket is None else f"ticket {provenance.ticket}"
    holds = f"{count(len(bundle.observations), 'record')} of {count(len(bundle.plan), 'step')}"
    begun = f"begun {utc(provenance.made_at)} by that machine's clock ({_age(provenance)})"
    brief = [
        f"run {bundle.run_id}, {begun}, took {span(bundle.duration_ns / 1e9)}; {holds}, {bundle.tool}; {ticket}",
        f"signature {provenance.signature}, by {provenance.key}",
        f"key trust {_trust(provenance)}",
        f"SHA-256 {provenance.sha256}",
    ]
    if first is not None:
        brief.append(f"repeats what failed in run {first.run_id} of {utc(first.began_at)}, SHA-256 {first.sha256}")
    if bundle.profile is not None:
        brief.append(f"profile of {bundle.profile.vendor or 'an unnamed vendor'} ({bundle.profile.sha256})")
    return Origin(
        name=source.name,
        brief=_all_safe(brief),
        facts=tuple((name, _safe(value)) for name, value in measured),
        proves=_all_safe(provenance.proves),
        does_not_prove=_all_safe(provenance.does_not_prove),
        warnings=_all_safe(warnings(source)),
    )


def warnings(source: Source) -> tuple[str, ...]:
    """What a reader of the bundle must not miss."""
    bundle, provenance = source.bundle, source.provenance
    said = []
    if provenance.ticket_matches is False:
        other = "no ticket" if provenance.ticket is None else f"the ticket {provenance.ticket}"
        said.append(f"It was made for {other}, not for the one that was given.")
    if provenance.from_future:
        said.append("It is from the future: its clock or yours is wrong.")
    if bundle.interrupted == "signal":
        said.append("The run was interrupted: what would have come later was not measured.")
    if bundle.interrupted == "budget":
        said.append("The time ran out: what would have come later was not measured.")
    return tuple(said)


def _trust(provenance: Provenance) -> str:
    if provenance.key_trust == "trusted":
        return f"trusted as {provenance.principals}"
    return "unknown: no list of trusted keys was given (--trust)"


def _age(provenance: Provenance) -> str:
    if provenance.age_s < 0:
        return f"{span(-provenance.age_s)} from now"
    return f"{span(provenance.age_s)} ago"


def _safe(text: str) -> str:
    return sanitize_text(text)


def _all_safe(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sanitize_text(text) for text in texts)
