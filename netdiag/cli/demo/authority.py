"""The demonstration's own certificate authority: two keys and a few certificates, made anew for every run."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Authority:
    """Signs server certificates for loopback addresses. Its root is trusted by nobody but this demonstration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = _new_key()
        name = _name("netdiag demonstration root")
        now = datetime.now(UTC)
        self._root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=365))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(_ca_usage(), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.root_file = folder / "root.pem"
        """What ``SSL_CERT_FILE`` must name, so that the customer trusts the demonstration's vendor."""
        self.root_file.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))

    def certificate_for(self, address: str, *, expired: bool = False) -> Path:
        """A PEM file with key and chain for the IP ``address``; one that ended yesterday when ``expired``."""
        key = _new_key()
        ends = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(f"demonstration server {address}"))
            .issuer_name(self._root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - timedelta(days=90))
            .not_valid_after(ends)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for shown in (certificate, self._root):
            pem += shown.public_bytes(serialization.Encoding.PEM)
        path = self._folder / f"{address}{'-expired' if expired else ''}.pem"
        path.write_bytes(pem)
        return path


def _new_key() -> rsa.RSAPrivateKey:
    """RSA, so that the chain fills more than one packet, as those of most vendors do."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
