"""README.txt: what a bundle is, for whoever opens it without netdiag."""

from datetime import UTC, datetime

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text

_TEXT = """\
This is a netdiag bundle: what one computer saw when it could not reach a
server. It was made to be attached to a support ticket.

  target       {target}
  run id       {run_id}
  begun        {began_at}
  sealed       {sealed_at}
  ticket       {ticket}
  signing key  {fingerprint}

What is inside

  summary.txt      what the person at that computer was shown
  evidence.json    the records: what was tried, and what came back
  capture.pcapng   the packets of the run (only if they were asked for)
  SHA256SUMS       the SHA-256 of each file above, and of this one
  SHA256SUMS.sig   an OpenSSH signature over SHA256SUMS

How to check it

  netdiag verify BUNDLE

or by hand, in the unpacked folder:

  sha256sum -c SHA256SUMS
  ssh-keygen -Y check-novalidate -n netdiag-bundle -s SHA256SUMS.sig < SHA256SUMS

The second command must print the signing key above.

What that proves: these are the bytes that were sealed with that key, and none
of them has changed since.

What it does not prove: whose key it is (anyone can make one; ask its owner for
the fingerprint), that the computer which measured was honest, or that its clock
was right.
"""


def readme(bundle: Bundle, fingerprint: str, *, now: datetime) -> bytes:
    """The text for ``bundle``, sealed at ``now`` by the key with ``fingerprint``."""
    text = _TEXT.format(
        target=sanitize_text(bundle.target.url),
        run_id=sanitize_text(bundle.run_id),
        began_at=_utc(bundle.began_at),
        sealed_at=_utc(now),
        ticket="none" if bundle.ticket is None else sanitize_text(bundle.ticket),
        fingerprint=fingerprint,
    )
    return text.encode()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
