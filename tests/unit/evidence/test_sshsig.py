"""OpenSSH signatures: ours are good for the real ssh-keygen, and its are good for us."""

import base64
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence import container, sshsig
from netdiag.evidence.container import SUMMARY
from netdiag.evidence.errors import SignatureRejected
from netdiag.evidence.seal import seal
from tests.fakes.bundles import NOW, sample_bundle, sample_key
from tests.fakes.bundles import SUMMARY as SUMMARY_TEXT
from tests.required import needs

KEY = sample_key().private
PUBLIC = KEY.public_key().public_bytes_raw()

needs_ssh_keygen = needs("ssh-keygen")


def run(*command: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False, timeout=20)


def key_file(folder: Path) -> Path:
    path = folder / "key"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return path


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A sealed bundle, unpacked, and beside it the list of those who may have sealed it."""
    raw = seal(sample_bundle(), {SUMMARY: SUMMARY_TEXT}, sample_key(), now=NOW)
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name, data in container.unpack(raw).items():
        (folder / name).write_bytes(data)
    line = KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    (tmp_path / "allowed").write_bytes(b'carol@home.test namespaces="netdiag-bundle" ' + line + b"\n")
    return folder


def check_by_hand(folder: Path) -> tuple[int, int, int]:
    """Exit codes of the two commands that README.txt names, and of the one with a list of trusted keys."""
    sums = (folder / "SHA256SUMS").read_bytes()
    common = ("-n", "netdiag-bundle", "-s", "SHA256SUMS.sig")
    return (
        run("sha256sum", "-c", "SHA256SUMS", cwd=folder).returncode,
        run("ssh-keygen", "-Y", "check-novalidate", *common, cwd=folder, stdin=sums).returncode,
        run(
            "ssh-keygen", "-Y", "verify", "-f", "../allowed", "-I", "carol@home.test", *common, cwd=folder, stdin=sums
        ).returncode,
    )


@needs_ssh_keygen
def test_a_bundle_can_be_checked_by_hand(unpacked: Path) -> None:
    assert check_by_hand(unpacked) == (0, 0, 0)


@needs_ssh_keygen
@pytest.mark.parametrize("name", ["README.txt", "summary.txt", "evidence.json"])
def test_a_changed_member_fails_by_hand(unpacked: Path, name: str) -> None:
    path = unpacked / name
    path.write_bytes(path.read_bytes() + b" ")
    assert check_by_hand(unpacked) == (1, 0, 0)


@needs_ssh_keygen
def test_a_changed_list_of_hashes_fails_by_hand(unpacked: Path) -> None:
    path = unpacked / "SHA256SUMS"
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    assert check_by_hand(unpacked) == (1, 255, 255)


@needs_ssh_keygen
def test_the_readme_names_the_commands_and_the_key_as_ssh_keygen_prints_it(unpacked: Path) -> None:
    readme = (unpacked / "README.txt").read_text()
    assert "sha256sum -c SHA256SUMS\n" in readme
    assert "ssh-keygen -Y check-novalidate -n netdiag-bundle -s SHA256SUMS.sig < SHA256SUMS\n" in readme
    printed = run("ssh-keygen", "-l", "-f", str(key_file(unpacked.parent)), cwd=unpacked).stdout.split()[1].decode()
    assert printed == sshsig.fingerprint(PUBLIC)
    assert f"signing key  {printed}\n" in readme


@needs_ssh_keygen
def test_ssh_keygens_signature_is_ours_byte_for_byte(tmp_path: Path) -> None:
    """Ed25519 is deterministic (RFC 8032), so the same key and message give the same signature."""
    made = run("ssh-keygen", "-Y", "sign", "-f", str(key_file(tmp_path)), "-n", "ns", cwd=tmp_path, stdin=b"message")
    assert made.returncode == 0, made.stderr
    assert made.stdout == sshsig.sign(b"message", KEY, "ns")
    assert sshsig.verify(b"message", made.stdout, "ns") == PUBLIC


@needs_ssh_keygen
def test_other_signatures_of_ssh_keygen_are_refused_plainly(tmp_path: Path) -> None:
    def signature(*options: str) -> bytes:
        signed = run("ssh-keygen", "-Y", "sign", "-n", "ns", *options, cwd=tmp_path, stdin=b"m")
        assert signed.returncode == 0, signed.stderr
        return signed.stdout

    with pytest.raises(SignatureRejected, match="uses options that netdiag does not"):
        sshsig.verify(b"m", signature("-O", "hashalg=sha256", "-f", str(key_file(tmp_path))), "ns")
    run("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "other", cwd=tmp_path)
    with pytest.raises(SignatureRejected, match="signed by a 'ecdsa-sha2-nistp256' key, not by an Ed25519 key"):
        sshsig.verify(b"m", signature("-f", "other"), "ns")


def rearmored(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = b"".join(text[at : at + 70] + b"\n" for at in range(0, len(text), 70))
    return b"-----BEGIN SSH SIGNATURE-----\n" + lines + b"-----END SSH SIGNATURE-----\n"


def blob_of(armored: bytes) -> bytes:
    return base64.b64decode(b"".join(armored.splitlines()[1:-1]))


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


GOOD = sshsig.sign(b"message", KEY, "ns")
PUBLIC_BLOB = string(string(b"ssh-ed25519") + string(PUBLIC))


@pytest.mark.parametrize(
    ("armored", "message"),
    [
        (b"", "is not an OpenSSH signature"),
        (GOOD.replace(b"SSH", b"PGP"), "is not an OpenSSH signature"),
        (GOOD + b"\n", "is not an OpenSSH signature"),
        (GOOD.replace(b"\n", b"\r\n"), "is not an OpenSSH signature"),
        (GOOD[:100] + b"\n" + GOOD[100:], "not written as ssh-keygen writes it"),
        (GOOD[:100] + b"*" + GOOD[101:], "not base64"),
        (rearmored(b"SSHSIX" + blob_of(GOOD)[6:]), "OpenSSH signature of version 1"),
        (rearmored(b"SSHSIG\0\0\0\2" + blob_of(GOOD)[10:]), "OpenSSH signature of version 1"),
        (rearmored(b"SSHSIG\0\0"), "ends too early"),
        (rearmored(blob_of(GOOD)[:-1]), "ends too early"),
        (rearmored(b"SSHSIG\0\0\0\1\xff\xff\xff\xff"), "ends too early"),
        (rearmored(blob_of(GOOD) + b"\0"), "bytes after its end"),
        (rearmored(blob_of(GOOD).replace(b"sha512", b"sha256")), "options that netdiag does not"),
        (
            rearmored(blob_of(GOOD).replace(string(b"ns") + string(b""), string(b"ns") + string(b"x"))),
            "options that netdiag does not",
        ),
        (rearmored(blob_of(GOOD)[:-1] + bytes([blob_of(GOOD)[-1] ^ 1])), "its signature does not hold"),
        (rearmored(blob_of(GOOD).replace(PUBLIC, bytes(32))), "its signature does not hold"),
        (
            rearmored(blob_of(GOOD).replace(PUBLIC_BLOB, string(string(b"ssh-rsa") + string(b"")))),
            "signed by a 'ssh-rsa' key",
        ),
        (
            rearmored(blob_of(GOOD).replace(PUBLIC_BLOB, string(string(b"ssh-ed25519") + string(b"short")))),
            "wrong length",
        ),
    ],
)
def test_each_way_of_being_no_good_signature(armored: bytes, message: str) -> None:
    with pytest.raises(SignatureRejected, match=message) as refused:
        sshsig.verify(b"message", armored, "ns")
    assert str(refused.value).isprintable()


def test_another_message_or_namespace() -> None:
    with pytest.raises(SignatureRejected, match="its signature does not hold"):
        sshsig.verify(b"massage", GOOD, "ns")
    with pytest.raises(SignatureRejected, match="was made for another purpose: 'ns'"):
        sshsig.verify(b"message", GOOD, "netdiag-bundle")


def test_no_byte_of_a_signature_is_free() -> None:
    for at in range(len(GOOD)):
        for bit in range(8):
            with pytest.raises(SignatureRejected):
                sshsig.verify(b"message", GOOD[:at] + bytes([GOOD[at] ^ 1 << bit]) + GOOD[at + 1 :], "ns")


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_anything_but_a_refusal(data: bytes, armor: bool) -> None:
    with pytest.raises(SignatureRejected):
        sshsig.verify(b"message", rearmored(b"SSHSIG\0\0\0\1" + data) if armor else data, "ns")
