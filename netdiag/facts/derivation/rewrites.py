"""Quoted packets -> what was rewritten on the way to the target, and between which routers."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

from netdiag.evidence.transport import HopReply, Quote
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.walks import RawWalk
from netdiag.facts.places import plain
from netdiag.facts.rewrites import Part, Rewrite

_RAW_TOS = "0"
"""With which our own packets leave (RFC 2474: best effort)."""


class _View(NamedTuple):
    """What one router showed of one part: its value, and whether that is what left (None: not known by itself)."""

    record: HopReply
    value: str | None
    kept: bool | None


def derive_rewrites(scene: Scene) -> Fact[tuple[Rewrite, ...]]:
    """All rewrites on walks to the target; known to be none only where there were quotes to look at."""
    looked: list[HopReply] = []
    found: list[Rewrite] = []
    for walk in scene.walks:
        quoting = [record for record in walk.records if _quotes_ours(record, walk)] if walk.role == "target" else []
        looked += quoting
        for part in get_args(Part):
            views = sorted(_views(part, quoting), key=lambda view: view.record.ttl)
            rewrite = _rewrite(part, views, walk, scene)
            if rewrite is not None:
                found.append(rewrite)
    return seen(tuple(found), scene.book.witnesses(looked)) if looked else Fact()


def _quotes_ours(record: HopReply, walk: RawWalk) -> bool:
    """A router on the way, not the target itself, which sees what NAT before it made of the packet."""
    return record.quote is not None and record.replier is not None and plain(record.replier) != walk.address


def _views(part: Part, records: Sequence[HopReply]) -> Iterator[_View]:
    for record in records:
        assert record.quote is not None
        view = _view(part, record, record.quote)
        if view is not None:
            yield view


def _view(part: Part, record: HopReply, quote: Quote) -> _View | None:
    if part == "checksum":
        return None if quote.checksum_kept is None else _View(record, None, quote.checksum_kept)
    value = getattr(quote, part)
    if value is None:
        return None
    text = plain(value) if isinstance(value, str) else str(value)
    expected = {
        "source_port": str(record.source_port),
        "destination_address": plain(record.address),
        "destination_port": str(record.port),
        "tos": _RAW_TOS,
    }.get(part)
    return _View(record, text, None if expected is None else text == expected)


def _rewrite(part: Part, views: Sequence[_View], walk: RawWalk, scene: Scene) -> Rewrite | None:
    """Where the part is another one from some router on, at every one. One that is the same again further on was not
    rewritten there, but by the router that quotes it, or on one of several paths."""
    if not views:
        return None
    # What left is not in the records for every part: then what the nearest router saw stands for it.
    first = views[0].value
    changed = [view.value != first if view.kept is None else not view.kept for view in views]
    ttls = [view.record.ttl for view, is_changed in zip(views, changed, strict=True) if is_changed]
    if not ttls:
        return None
    kept = [view for view, is_changed in zip(views, changed, strict=True) if not is_changed]
    if any(view.record.ttl >= ttls[0] for view in kept):
        return None
    after = next(view for view, is_changed in zip(views, changed, strict=True) if is_changed)
    before = kept[-1] if kept else None
    told = [after.record] if before is None else [before.record, after.record]
    assert after.record.replier is not None
    return Rewrite(
        part=part,
        address=walk.address,
        protocol=walk.protocol,
        mode=walk.mode,
        sent=None if before is None else before.value,
        seen=after.value,
        last_kept=0 if before is None else before.record.ttl,
        last_kept_by=None if before is None or before.record.replier is None else plain(before.record.replier),
        first_changed=after.record.ttl,
        first_changed_by=plain(after.record.replier),
        witnesses=scene.book.witnesses(told),
    )
