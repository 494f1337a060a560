"""The key that seals: made on first use and kept, or named by ``NETDIAG_KEY``, or, at worst, for one run."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from netdiag.evidence import sshsig
from netdiag.evidence.files import AlreadyExistsError, WriteError, write_new

KEY_FILE = "signing_key"
MAX_KEY_FILE = 65_536
"""Bytes read of a key file; an OpenSSH Ed25519 key has about 400."""


class KeyFileError(Exception):
    """The key that was asked for, or kept, cannot be used. ``str(error)`` is one line for a person, with the cure."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """An Ed25519 key, and where it comes from.

    ``origin``: ``kept`` (found in its place), ``made`` (made now, and kept), ``named`` (by ``NETDIAG_KEY``),
    ``one_run`` (made now, and not kept; ``note`` says why, in one sentence for the customer).
    """

    private: Ed25519PrivateKey = field(repr=False)
    origin: Literal["kept", "made", "named", "one_run"]
    path: Path | None = None
    note: str = ""

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ``ssh-keygen -l`` prints it."""
        return sshsig.fingerprint(self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes, namespace: str) -> bytes:
        """An armored OpenSSH signature over ``message``, good in ``namespace`` alone."""
        return sshsig.sign(message, self.private, namespace)


def key_path(environ: Mapping[str, str]) -> Path | None:
    """Where the key is kept: ``$XDG_DATA_HOME/netdiag/signing_key``, by default under ``~/.local/share``.

    As the XDG Base Directory Specification says, a relative ``XDG_DATA_HOME`` is ignored. None: there is no home.
    """
    data_home = Path(environ.get("XDG_DATA_HOME", ""))
    if not data_home.is_absolute():
        home = Path(environ.get("HOME", ""))
        if not home.is_absolute():
            return None
        data_home = home / ".local" / "share"
    return data_home / "netdiag" / KEY_FILE


def signing_key(environ: Mapping[str, str]) -> SigningKey:
    """The key to seal with, by the environment: ``NETDIAG_KEY``, else the kept one, else one made now.

    A key file is used only if others cannot read it: like ssh, netdiag refuses its owner's key with any permission for
    group or others. Two first runs at the same time agree on one key. Where a new key cannot be kept (no home, or it
    is not writable) it serves for this run alone, and ``note`` says so.

    Raises KeyFileError for a key file that exists, or is named, and cannot be used.
    """
    named = environ.get("NETDIAG_KEY")
    if named:
        return SigningKey(private=_load(Path(named)), origin="named", path=Path(named))
    path = key_path(environ)
    if path is None:
        return _one_run("there is no home directory to keep it in")
    if not _exists(path):
        private = Ed25519PrivateKey.generate()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(path, private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
            return SigningKey(private=private, origin="made", path=path)
        except AlreadyExistsError:
            pass  # another first run was faster: its key is the one
        except WriteError as error:
            return _one_run(str(error))
        except OSError as error:
            return _one_run(f"{path.parent} cannot be made: {error.strerror}")
    return SigningKey(private=_load(path), origin="kept", path=path)


def _exists(path: Path) -> bool:
    """Whether something is at ``path``; a place that cannot be looked into has nothing (and cannot keep a key)."""
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _one_run(why: str) -> SigningKey:
    return SigningKey(
        private=Ed25519PrivateKey.generate(),
        origin="one_run",
        note=f"The signing key could not be kept, so it serves for this run alone: {why}.",
    )


def _load(path: Path) -> Ed25519PrivateKey:
    """The key in ``path``. Raises KeyFileError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"the key file {path} is not a regular file")
        # The rule of OpenSSH's sshkey_perm_ok: others' files (root's, a container's) are their owners' care.
        if status.st_uid == os.geteuid() and status.st_mode & 0o077:
            raise KeyFileError(f"others can read the key file {path}: run `chmod 600 {path}` if they have not done so")
        data = os.read(descriptor, MAX_KEY_FILE)
    finally:
        os.close(descriptor)
    try:
        private = load_ssh_private_key(data, password=None)
    except TypeError:
        raise KeyFileError(f"the key file {path} has a passphrase: netdiag can only use a key without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"the key file {path} is not an OpenSSH private key") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"the key file {path} is not an Ed25519 key: make one with `ssh-keygen -t ed25519`")
    return private
