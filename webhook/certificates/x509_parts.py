"""The certificates that the webhook signs: those of authorities, and those of Services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BACKDATED: Final = timedelta(hours=1)
"""A clock that is behind must not find that the certificate is not valid yet."""
LONGEST_COMMON_NAME: Final = 64
_PEM = serialization.Encoding.PEM
_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An authority as it signs: its name and its key."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When certificates are valid."""

    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, now: float, lifetime: float) -> Period:
        """Return the period from `now`, in seconds since 1970, for `lifetime` seconds."""
        begins = datetime.fromtimestamp(int(now), UTC)
        return cls(begins=begins, ends=begins + timedelta(seconds=int(lifetime)))


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a key, at random."""
    return ec.generate_private_key(ec.SECP256R1())


def authority_certificate(signer: Signer, period: Period) -> x509.Certificate:
    """Return the certificate of an authority, signed by itself."""
    return (
        _draft(signer.name, signer.key.public_key(), signer.name, period)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(signer.key, hashes.SHA256())
    )


def server_certificate(
    hosts: tuple[str, ...],
    public: ec.EllipticCurvePublicKey,
    signer: Signer,
    period: Period,
) -> x509.Certificate:
    """Return a server's certificate; the first of `hosts` is also its common name."""
    common = x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:LONGEST_COMMON_NAME])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    return (
        _draft(x509.Name([common]), public, signer.name, period)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternatives, critical=False)
        .add_extension(authority, critical=False)
        .sign(signer.key, hashes.SHA256())
    )


def pem_of(cert: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return cert.public_bytes(_PEM).decode()


def key_pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a key as PEM."""
    private, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(_PEM, private, plain).decode()


def _draft(
    subject: x509.Name, public: ec.EllipticCurvePublicKey, issuer: x509.Name, period: Period
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period.begins - BACKDATED)
        .not_valid_after(period.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*named: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in named for usage in _USAGES})
