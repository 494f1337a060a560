"""Opening what the user named: bundles, trusted keys, vendor profiles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netdiag.cli.problem import ExitCode, Problem, usage
from netdiag.evidence.errors import BundleError, SignatureRejected
from netdiag.evidence.profile import Profile, ProfileError, parse_profile
from netdiag.evidence.source import read_source
from netdiag.evidence.trust import AllowedSigners, TrustFileError, parse_allowed_signers
from netdiag.reports.asn import AsData, AsDataError

MAX_TRUST_FILE = 1_000_000
"""Bytes: some ten thousand keys."""

MAX_PROFILE = 1_000_000
"""Bytes that are read of a vendor profile; it has its own, lower cap."""


@contextmanager
def refusals_of(path: Path) -> Iterator[None]:
    """A refused bundle ends the command, by its name: exit code 3, or 4 if a signature or hash does not hold."""
    try:
        yield
    except SignatureRejected as error:
        raise Problem(f"{path}: {error}", ExitCode.REJECTED) from None
    except BundleError as error:
        raise Problem(f"{path}: {error}", ExitCode.UNREADABLE) from None


def read_bundle(path: Path) -> bytes:
    """The container at ``path``, unverified."""
    with refusals_of(path):
        return read_source(path)


def read_trust(path: Path | None) -> AllowedSigners | None:
    """The keys of an allowed-signers file; None when none was named."""
    if path is None:
        return None
    try:
        return parse_allowed_signers(read_file(path, MAX_TRUST_FILE).decode())
    except UnicodeDecodeError:
        raise usage(f"{path} is not text in UTF-8") from None
    except TrustFileError as error:
        raise usage(f"{path}: {error}") from None


def read_profile(path: Path | None) -> Profile | None:
    """The vendor profile at ``path``; None when none was named."""
    if path is None:
        return None
    try:
        return parse_profile(read_file(path, MAX_PROFILE))
    except ProfileError as error:
        raise usage(f"{path}: {error}") from None


def read_as_data(path: Path | None) -> AsData | None:
    """The packed file of whose an address is; None when none was named."""
    if path is None:
        return None
    try:
        return AsData(path)
    except AsDataError as error:
        raise usage(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        raise usage(f"{path} cannot be read: {words or 'no file can have this name'}") from None


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a file that the user named; more than ``most`` are refused."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        raise usage(f"{path} cannot be read: {words or 'no file can have this name'}") from None
    if len(data) > most:
        raise usage(f"{path} is larger than the {most:,} bytes that it may have")
    return data
