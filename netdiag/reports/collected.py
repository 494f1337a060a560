"""What the customer sees at the end of a run, and what a program gets."""

import hashlib

import msgspec

from netdiag.evidence.bundle import Bundle
from netdiag.facts import Facts
from netdiag.reports.absent import absences
from netdiag.reports.encoding import dump, stamp
from netdiag.reports.observed import in_brief
from netdiag.reports.summary import paste_block, seen_lines
from netdiag.reports.words import count, fill, size


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was written to ``path``. ``facts`` None: they could not be derived. ``captured``: it holds the
    run's packets."""

    path: str
    raw: bytes
    bundle: Bundle
    facts: Facts | None
    fingerprint: str
    captured: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


def collected_text(sealed: Sealed) -> str:
    """What was found so far, where the file is, what is in it, what to do next, and the block to paste."""
    bundle = sealed.bundle
    lines = ["What was found so far", ""]
    if bundle.interrupted is not None:
        why = "The run was interrupted" if bundle.interrupted == "signal" else "The time ran out"
        lines += fill(f"{why}: what would have come later was not measured.")
    lines += seen_lines(bundle, sealed.facts)
    records = count(len(bundle.observations), "record")
    packets = " the headers of its packets," if sealed.captured else ""
    lines += ["", "The bundle", f"  {sealed.path}"]
    lines += fill(
        f"holds {records} of what was tried and what came back,{packets} this summary and a signature"
        f" ({size(len(sealed.raw))}). `netdiag show` says in words what is in it.",
        first="  ",
    )
    lines += ["", "What to do next"]
    lines += fill("Attach the bundle to your support ticket; `netdiag analyze` judges it.", first="  1. ")
    lines += fill("Paste these lines into the ticket, too: they help if the attachment is lost.", first="  2. ")
    block = paste_block(bundle, _brief(sealed), sha256=sealed.sha256, fingerprint=sealed.fingerprint)
    return "\n".join(lines) + "\n\n" + block


def collected_json(sealed: Sealed) -> str:
    """The path and a machine summary, as one JSON object."""
    bundle = sealed.bundle
    return dump(
        {
            "path": sealed.path,
            "bytes": len(sealed.raw),
            "sha256": sealed.sha256,
            "key": sealed.fingerprint,
            "run_id": bundle.run_id,
            "ticket": bundle.ticket,
            "target": bundle.target.url,
            "began_at": stamp(bundle.began_at),
            "duration_s": round(bundle.duration_ns / 1e9, 3),
            "interrupted": bundle.interrupted,
            "records": len(bundle.observations),
            "seen": _brief(sealed),
            "not_measured": [{"what": one.what, "why": one.why} for one in absences("main", bundle)],
        }
    )


def _brief(sealed: Sealed) -> tuple[str, ...]:
    return in_brief(sealed.facts) if sealed.facts is not None else ()
