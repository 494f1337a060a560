"""OpenSSH signatures (SSHSIG) by Ed25519 keys, as ``ssh-keygen -Y`` writes and checks them.

The format is that of OpenSSH's PROTOCOL.sshsig; strings and numbers in it are those of RFC 4251 section 5, the key
and the signature inside it those of RFC 8709.
"""

import base64
import binascii
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from netdiag.evidence.errors import SignatureRejected

KEY_TYPE = b"ssh-ed25519"

_MAGIC = b"SSHSIG"
_VERSION = 1
_HASH = b"sha512"  # what ssh-keygen uses unless told otherwise
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_LINE = 70  # characters of base64 in a line, as ssh-keygen breaks them


def sign(message: bytes, key: Ed25519PrivateKey, namespace: str) -> bytes:
    """An armored signature over ``message``, good in ``namespace`` alone. Deterministic (RFC 8032)."""
    spaces = namespace.encode()
    public = key.public_key().public_bytes_raw()
    signature = _string(KEY_TYPE) + _string(key.sign(_signed(message, spaces)))
    blob = _MAGIC + struct.pack(">I", _VERSION) + _string(public_blob(public))
    return _armor(blob + _string(spaces) + _string(b"") + _string(_HASH) + _string(signature))


def verify(message: bytes, armored: bytes, namespace: str) -> bytes:
    """The 32 bytes of the public key that signed ``message``. Raises SignatureRejected if ``armored`` does not hold.

    (1) The armor is the one that ssh-keygen writes for these bytes: no other line lengths, no stray characters.
    (2) Version 1, namespace ``namespace``, nothing reserved, hash SHA-512, an Ed25519 key and signature, no more bytes.
    (3) The signature is the key's over SSHSIG, namespace, reserved, hash name and the message's hash.
    """
    read = _Reader(_dearmor(armored))
    if read.take(len(_MAGIC)) != _MAGIC or read.number() != _VERSION:
        raise SignatureRejected("its signature is not an OpenSSH signature of version 1")
    key, spaces, reserved, hash_name, signature = (read.string() for _ in range(5))
    read.finish()
    if spaces != namespace.encode():
        raise SignatureRejected(f"its signature was made for another purpose: {spaces.decode(errors='replace')!r}")
    if reserved or hash_name != _HASH:
        raise SignatureRejected("its signature uses options that netdiag does not: another hash, or reserved bytes")
    public = _single(key, 32)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_single(signature, 64), _signed(message, spaces))
    except (InvalidSignature, ValueError):
        raise SignatureRejected(
            "its signature does not hold: the list of hashes was changed, or the signature was"
        ) from None
    return public


def public_blob(public: bytes) -> bytes:
    """The OpenSSH encoding of an Ed25519 public key (RFC 8709 section 4)."""
    return _string(KEY_TYPE) + _string(public)


def fingerprint(public: bytes) -> str:
    """``SHA256:…`` of an Ed25519 public key (its 32 bytes), as ``ssh-keygen -l`` prints it."""
    digest = hashlib.sha256(public_blob(public)).digest()
    return "SHA256:" + base64.b64encode(digest).rstrip(b"=").decode()


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _signed(message: bytes, namespace: bytes) -> bytes:
    """The bytes that the key signs (PROTOCOL.sshsig section 3)."""
    digest = hashlib.sha512(message).digest()
    return _MAGIC + _string(namespace) + _string(b"") + _string(_HASH) + _string(digest)


def _single(blob: bytes, length: int) -> bytes:
    """The ``length`` bytes of a key or signature that ``blob`` wraps with its type."""
    read = _Reader(blob)
    kind = read.string()
    if kind != KEY_TYPE:
        raise SignatureRejected(f"it is signed by a {kind.decode(errors='replace')!r} key, not by an Ed25519 key")
    value = read.string()
    read.finish()
    if len(value) != length:
        raise SignatureRejected("its signature is damaged: a key or signature of the wrong length")
    return value


def _armor(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = b"".join(text[at : at + _LINE] + b"\n" for at in range(0, len(text), _LINE))
    return _BEGIN + lines + _END


def _dearmor(armored: bytes) -> bytes:
    if not (armored.startswith(_BEGIN) and armored.endswith(_END)):
        raise SignatureRejected("its signature is not an OpenSSH signature")
    try:
        blob = base64.b64decode(armored[len(_BEGIN) : -len(_END)].replace(b"\n", b""), validate=True)
    except binascii.Error:
        raise SignatureRejected("its signature is damaged: not base64") from None
    if _armor(blob) != armored:
        raise SignatureRejected("its signature is not written as ssh-keygen writes it")
    return blob


class _Reader:
    """Reads RFC 4251 strings and numbers from the front of ``data``. Raises SignatureRejected where bytes are short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise SignatureRejected("its signature is damaged: it ends too early")
        self._at += count
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.number())

    def finish(self) -> None:
        if self._at != len(self._data):
            raise SignatureRejected("its signature is damaged: bytes after its end")
