"""The demonstration's stage: vendor and controls on loopback, a customer and an agent with addresses of their own."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netdiag.cli.demo.authority import Authority
from netdiag.cli.demo.stories import Story
from netdiag.cli.demo.vendor import Server, knock, welcome
from netdiag.evidence.profile import Profile, parse_profile

VENDOR, CONTROLS = "127.0.0.10", ("127.0.0.20", "127.0.0.30")
CUSTOMER, AGENT = "127.0.0.2", "127.0.0.3"
"""Loopback addresses (all of 127/8 is this host, RFC 1122 3.2.1.3): no packet leaves the machine, no root is needed."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A vendor that is up. ``profile`` is what this vendor would publish for its support agents."""

    url: str
    profile: Profile
    profile_path: Path


@contextlib.contextmanager
def set_up(story: Story, folder: Path) -> Iterator[Stage]:
    """Start vendor and controls, play what happened before, and take all down in the end. ``folder`` keeps the vendor's
    profile. Raises OSError where this machine has no 127/8 on loopback (macOS gives only 127.0.0.1)."""
    with contextlib.ExitStack() as stack:
        secrets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netdiag-demo-")))
        authority = Authority(secrets)
        stack.enter_context(_trusting(authority.root_file))
        controls = [stack.enter_context(Server(one, authority.certificate_for(one), welcome)) for one in CONTROLS]
        certificate = authority.certificate_for(VENDOR, expired=story.expired)
        vendor = stack.enter_context(Server(VENDOR, certificate, story.answer))
        knock(vendor.url, CUSTOMER, story.knocks)
        written = _profile(vendor, controls).encode()
        path = folder / "vendor.toml"
        path.write_bytes(written)
        yield Stage(url=vendor.url, profile=parse_profile(written), profile_path=path)


@contextlib.contextmanager
def _trusting(root: Path) -> Iterator[None]:
    """While it lasts, this process trusts the demonstration's authority, and only that one."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(root)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


def _profile(vendor: Server, controls: list[Server]) -> str:
    lines = [
        'schema = "netdiag/profile/1"',
        "[vendor]",
        'name = "The demonstration\'s vendor"',
        "[[endpoint]]",
        f'url = "{vendor.url}"',
    ]
    for control in controls:
        lines += ["[[control]]", f'url = "{control.url}"']
    lines += ["[network]", f'prefixes = ["{VENDOR}/32"]', ""]
    return "\n".join(lines)
