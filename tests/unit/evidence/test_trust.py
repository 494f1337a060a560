"""Allowed-signers files, as ssh-keygen(1) describes them, and what they decide."""

import time
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence import sshsig
from netdiag.evidence.errors import SignatureRejected
from netdiag.evidence.seal import unseal
from netdiag.evidence.trust import TrustFileError, TrustPolicy, parse_allowed_signers
from tests.fakes.bundles import NOW, sample_key
from tests.unit.evidence.forge import sealed


def line_of(seed: int) -> str:
    public = sample_key(seed).private.public_key().public_bytes_raw()
    return "ssh-ed25519 " + b64encode(sshsig.public_blob(public)).decode()


OURS, OTHER = line_of(1), line_of(2)


def principals(text: str, now: datetime = NOW) -> str | None:
    """Whose bundle the sealed sample is, by the trust file ``text``."""
    return unseal(sealed(), TrustPolicy(allowed_signers=parse_allowed_signers(text)), now=now)[2].principals


@pytest.mark.parametrize(
    "text",
    [
        f"carol@home.test {OURS}",
        f"carol@home.test {OURS} a comment, with words\n",
        f"# who may\n\n   \ndave@home.test {OTHER}\n\tcarol@home.test\t{OURS}\r\n",
        f'carol@home.test namespaces="netdiag-bundle" {OURS}',
        f"carol@home.test namespaces=netdiag-bundle {OURS}",
        f'carol@home.test NAMESPACES="git,netdiag-*" {OURS}',
        f'carol@home.test namespaces="file,netdiag-?undle",valid-after=20260314Z,valid-before="20260315Z" {OURS}',
        f"carol@home.test valid-after=20260314093100Z {OURS}",
        f"carol@home.test ecdsa-sha2-nistp256 AAAA\ncarol@home.test {OURS}",
        f"carol@home.test sk-ssh-ed25519@openssh.com AAAA\nx cert-x ssh-rsa AAAA\ncarol@home.test {OURS}".replace(
            "x cert-x ssh-rsa", "x ssh-rsa"
        ),
        f'"carol@home.test" {OURS}',
        f"carol@home.test valid-before=20200101Z {OURS}\ncarol@home.test {OURS}",
    ],
)
def test_lines_that_trust_the_key(text: str) -> None:
    assert principals(text) == "carol@home.test"


def test_a_trusted_key_is_said_to_be() -> None:
    policy = TrustPolicy(allowed_signers=parse_allowed_signers(f"carol@home.test {OURS}"))
    provenance = unseal(sealed(), policy, now=NOW)[2]
    assert provenance.key_trust == "trusted"
    assert "That key is trusted as carol@home.test." in provenance.proves
    assert not any("Whose key" in sentence for sentence in provenance.does_not_prove)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not in the list of trusted keys"),
        (f"dave@home.test {OTHER}", "it is not in the list of trusted keys"),
        (f'carol@home.test namespaces="git" {OURS}', "carol@home.test is in the list.* but it may sign only for git"),
        (f'carol@home.test namespaces="*,!netdiag-*" {OURS}', "it may sign only for"),
        (f'carol@home.test namespaces="" {OURS}', "it may sign only for"),
        (f'carol@home.test namespaces="netdiag-[bc]undle" {OURS}', "it may sign only for"),
        (f"carol@home.test valid-before=202603140931Z {OURS}", "valid only until 2026-03-14 09:31 UTC"),
        (f"carol@home.test valid-after=20260315Z {OURS}", "valid only from 2026-03-15 00:00 UTC"),
    ],
)
def test_lines_that_do_not_trust_the_key(text: str, why: str) -> None:
    with pytest.raises(SignatureRejected, match=rf"its key SHA256:\S+ is not trusted: .*{why}"):
        principals(text)


def test_times_without_a_z_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-02:00")
    time.tzset()
    try:
        signer = parse_allowed_signers(f"c valid-after=20260314093000 {OURS}").signers[0]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert signer.valid_after == datetime(2026, 3, 14, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("carol@home.test", "line 1 of the trusted keys is not `principals"),
        (f"\n{OURS}", "line 2 of the trusted keys is not `principals"),
        (f"carol@home.test cert-authority {OURS}", "is a cert-authority: netdiag knows no certificates"),
        (f"carol@home.test cert-authority,namespaces=git {OURS}", "is a cert-authority"),
        (f"carol@home.test no-touch-required {OURS}", "an option that netdiag does not know"),
        (f"carol@home.test ,, {OURS}", "an option that netdiag does not know"),
        ("carol@home.test ssh-ed25519 AAAA", "does not hold a whole Ed25519 key"),
        ("carol@home.test ssh-ed25519 ****", "does not hold a whole Ed25519 key"),
        (f"carol@home.test {OURS[:-4]}", "does not hold a whole Ed25519 key"),
        (f"carol@home.test valid-after=soon {OURS}", "has a time that is none"),
        (f"carol@home.test valid-after=2026 {OURS}", "has a time that is none"),
        (f"carol@home.test valid-before=20261301Z {OURS}", "has a time that is none"),
        (f"carol@home.test valid-before= {OURS}", "has a time that is none"),
    ],
)
def test_lines_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(TrustFileError, match=message):
        parse_allowed_signers(text)


@given(st.text() | st.from_regex(r"[a-z]+ [a-z=\",-]+ ssh-ed25519 [A-Za-z0-9+/=]+", fullmatch=True))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    try:
        signers = parse_allowed_signers(text).signers
    except TrustFileError:
        return
    assert all(len(signer.public) == 32 for signer in signers)
