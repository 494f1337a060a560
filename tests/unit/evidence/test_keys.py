"""The signing key: made once, kept for its owner alone, and plainly refused when it cannot be used."""

import multiprocessing
import os
import stat
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from netdiag.evidence import sshsig
from netdiag.evidence.keys import KeyFileError, key_path, signing_key
from tests.required import needs


def openssh() -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def write(path: Path, data: bytes, mode: int = 0o600) -> dict[str, str]:
    path.write_bytes(data)
    path.chmod(mode)
    return {"NETDIAG_KEY": str(path)}


def test_the_first_use_makes_a_key_that_later_ones_find(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    first, second = signing_key(environ), signing_key(environ)
    path = tmp_path / ".local/share/netdiag/signing_key"
    assert (first.origin, second.origin) == ("made", "kept")
    assert first.fingerprint == second.fingerprint
    assert first.path == second.path == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert names_in(path.parent) == ["signing_key"]
    assert path.read_bytes().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----\n")


def test_the_key_signs(tmp_path: Path) -> None:
    key = signing_key({"HOME": str(tmp_path)})
    public = sshsig.verify(b"message", key.sign(b"message", "ns"), "ns")
    assert sshsig.fingerprint(public) == key.fingerprint


def test_where_it_is_kept() -> None:
    assert key_path({"XDG_DATA_HOME": "/data", "HOME": "/h"}) == Path("/data/netdiag/signing_key")
    assert key_path({"XDG_DATA_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/share/netdiag/signing_key")
    assert key_path({"XDG_DATA_HOME": "", "HOME": "/h"}) == Path("/h/.local/share/netdiag/signing_key")
    assert key_path({"HOME": "relative"}) is None
    assert key_path({}) is None


def test_no_home_means_a_key_for_one_run() -> None:
    key = signing_key({})
    assert (key.origin, key.path) == ("one_run", None)
    assert key.note == (
        "The signing key could not be kept, so it serves for this run alone: there is no home directory to keep it in."
    )
    assert signing_key({}).fingerprint != key.fingerprint


def test_a_home_that_cannot_be_written_means_a_key_for_one_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    key = signing_key({"XDG_DATA_HOME": str(tmp_path / "file")})
    assert key.origin == "one_run"
    assert "Not a directory" in key.note


def test_a_home_where_nobody_can_write_means_a_key_for_one_run() -> None:
    """Not even root makes a file in /proc."""
    key = signing_key({"HOME": "/proc"})
    assert key.origin == "one_run"
    assert "/proc/.local/share/netdiag cannot be made" in key.note


def _fingerprint(home: str) -> str:
    return signing_key({"HOME": home}).fingerprint


def test_first_runs_at_the_same_time_agree_on_one_key(tmp_path: Path) -> None:
    homes = [tmp_path / str(number) for number in range(8)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for home in homes:
            assert len(set(pool.map(_fingerprint, [str(home)] * 4))) == 1
            assert names_in(home / ".local/share/netdiag") == ["signing_key"]


def test_a_run_that_loses_the_race_takes_the_winners_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    winner = signing_key({"HOME": str(tmp_path)})
    monkeypatch.setattr("netdiag.evidence.keys._exists", lambda _: False)
    loser = signing_key({"HOME": str(tmp_path)})
    assert (loser.origin, loser.fingerprint) == ("kept", winner.fingerprint)


def test_another_key_can_be_named(tmp_path: Path) -> None:
    key = signing_key(write(tmp_path / "mine", openssh()))
    assert (key.origin, key.path) == ("named", tmp_path / "mine")
    assert key.private.private_bytes_raw() == bytes(32)
    assert signing_key({"NETDIAG_KEY": "", "HOME": str(tmp_path)}).origin == "made"


def test_the_key_is_not_in_its_repr(tmp_path: Path) -> None:
    assert "private" not in repr(signing_key(write(tmp_path / "mine", openssh())))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileError, match=r"others can read the key file .*: run `chmod 600 "):
        signing_key(write(tmp_path / "mine", openssh(), mode))
    home = {"HOME": str(tmp_path)}
    path = signing_key(home).path
    assert path is not None
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="others can read"):
        signing_key(home)


@needs("ssh-keygen")
@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_keys_that_ssh_keygen_made(tmp_path: Path, passphrase: str) -> None:
    path = tmp_path / "mine"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True, timeout=20)
    if passphrase:
        with pytest.raises(KeyFileError, match="has a passphrase: netdiag can only use a key without one"):
            signing_key({"NETDIAG_KEY": str(path)})
    else:
        assert signing_key({"NETDIAG_KEY": str(path)}).fingerprint.startswith("SHA256:")


def test_another_type_of_key(tmp_path: Path) -> None:
    data = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with pytest.raises(KeyFileError, match=r"is not an Ed25519 key: make one with `ssh-keygen -t ed25519`"):
        signing_key(write(tmp_path / "mine", data))


@pytest.mark.parametrize("data", [b"", b"ssh-ed25519 AAAA carol", openssh()[:200], openssh()[:100] + b"X" * 100])
def test_what_is_no_private_key(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(KeyFileError, match="is not an OpenSSH private key"):
        signing_key(write(tmp_path / "mine", data))


def test_a_named_key_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read: No such file or directory"):
        signing_key({"NETDIAG_KEY": str(tmp_path / "none")})
    with pytest.raises(KeyFileError, match="is not a regular file"):
        signing_key({"NETDIAG_KEY": str(tmp_path)})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(KeyFileError, match="is not a regular file"):
        signing_key({"NETDIAG_KEY": str(tmp_path / "pipe")})
