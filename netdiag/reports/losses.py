"""The sentences about packets that were counted along the path. No rate goes without its interval."""

from collections.abc import Iterator

from netdiag.facts import Witness
from netdiag.facts.losses import LossFacts, Onset
from netdiag.faults.reading import share_words
from netdiag.reports.words import listing


def along_the_path(losses: LossFacts) -> Iterator[tuple[str, tuple[Witness, ...]]]:
    """Each sentence with what was observed of it."""
    path, onset = losses.path, losses.onset
    if path.value is not None and path.value.end is not None:
        yield f"To {path.value.address} itself {share_words(path.value.end)} test packets were lost.", path.witnesses
    if onset.value is not None:
        yield _begins(onset.value), onset.witnesses
    elif path.value is not None and any(hop.share.lost and not hop.limited for hop in path.value.hops):
        lossy = [f"hop {hop.ttl}: {share_words(hop.share)}" for hop in path.value.hops if hop.share.lost]
        yield f"Where packets are lost is not plain ({listing(lossy)}).", path.witnesses
    if losses.limited_hops.value:
        ttls = listing(str(ttl) for ttl in losses.limited_hops.value)
        yield f"Routers that only limit their answers, which is no loss: hop {ttls}.", losses.limited_hops.witnesses
    if losses.control.value is not None:
        yield (
            f"To another host {share_words(losses.control.value)} were lost in the same seconds.",
            losses.control.witnesses,
        )
    if losses.one_flow.value is not None:
        mine = "more" if losses.one_flow.value == "lossy" else "less"
        yield f"Packets of one flow are lost {mine} than those of others.", losses.one_flow.witnesses


def _begins(onset: Onset) -> str:
    first = "the target" if onset.first_lossy is None else f"hop {onset.first_lossy} ({onset.first_lossy_address})"
    last = "this machine" if onset.last_clean == 0 else f"hop {onset.last_clean} ({onset.last_clean_address})"
    before = "" if onset.before is None else f", {share_words(onset.before)} up to there"
    return f"Loss, there or back, begins between {last} and {first}: {share_words(onset.beyond)} beyond{before}."
