"""Makes and reads authorities, and signs the certificates of Services with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.errors import SetupError
from webhook.certificates.issued import IssuedCertificate, Service
from webhook.certificates.x509_parts import (
    BACKDATED,
    Period,
    Signer,
    authority_certificate,
    key_pem_of,
    new_key,
    pem_of,
    server_certificate,
)

COMMON_NAME: Final = "trialwatch-ca"
"""How the common names of authorities begin; a random part tells them apart."""
_LONGEST: Final = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority with its key, as PEM texts."""

    cert: str
    key: str = field(repr=False)
    began: float
    """When it was made, in seconds since 1970."""
    expires: float
    """Seconds since 1970."""


def make_authority(now: float, lifetime: float) -> Authority:
    """Make an authority. `now` is in seconds since 1970, `lifetime` in seconds."""
    common = f"{COMMON_NAME}-{x509.random_serial_number():x}"[:_LONGEST]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    signer = Signer(name=name, key=new_key())
    cert = authority_certificate(signer, Period.of(now, lifetime))
    return read_authority(pem_of(cert), key_pem_of(signer.key))


def read_authority(cert: str, key: str) -> Authority:
    """Read what `make_authority` made.

    Raises:
        SetupError: a text is not PEM, or the two do not belong together.
    """
    parsed, private = _parsed(cert, key)
    if private.public_key() != parsed.public_key():
        raise SetupError("the key does not belong to the certificate")
    return Authority(
        cert=cert,
        key=key,
        began=(parsed.not_valid_before_utc + BACKDATED).timestamp(),
        expires=parsed.not_valid_after_utc.timestamp(),
    )


def issue(authority: Authority, service: Service, now: float, lifetime: float) -> IssuedCertificate:
    """Sign a certificate for a Service. `now` is in seconds since 1970, `lifetime` in seconds."""
    parsed, private = _parsed(authority.cert, authority.key)
    key = new_key()
    signer = Signer(name=parsed.subject, key=private)
    cert = server_certificate(service.hosts, key.public_key(), signer, Period.of(now, lifetime))
    return IssuedCertificate(
        ca=authority.cert,
        cert=pem_of(cert),
        key=key_pem_of(key),
        expires=cert.not_valid_after_utc.timestamp(),
    )


def expired(cert: str, now: float) -> bool:
    """Return whether an authority has expired; also true for a text that is not a certificate."""
    try:
        parsed = x509.load_pem_x509_certificate(cert.encode())
    except ValueError:
        return True
    return parsed.not_valid_after_utc.timestamp() <= now


def _parsed(cert: str, key: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        parsed = x509.load_pem_x509_certificate(cert.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SetupError(f"not an authority with its key: {error}") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise SetupError("the authority's key is not of an elliptic curve")
    return parsed, private
