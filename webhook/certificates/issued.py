"""Makes and reads an authority with the one certificate that it has signed.

The authority's key is deleted as soon as it has signed. A user who reads the Secret can pose as
the webhook, and as nothing else. A new certificate comes from a new authority.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from api.errors import SetupError
from webhook.certificates.x509_parts import (
    LONGEST_COMMON_NAME,
    Period,
    Signer,
    authority_certificate,
    key_pem_of,
    new_key,
    pem_of,
    server_certificate,
)

AUTHORITY: Final = "trialwatch-webhook-ca"
"""The common name of the webhook's authorities; the organization is the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The Service through which the API server calls the webhook."""

    name: str
    namespace: str

    @property
    def host(self) -> str:
        """The host name that the API server expects in the certificate."""
        return f"{self.name}.{self.namespace}.svc"

    @property
    def hosts(self) -> tuple[str, ...]:
        """All host names by which a pod can call the Service."""
        short = f"{self.name}.{self.namespace}"
        return (self.host, f"{self.host}.cluster.local", short, self.name)

    def __str__(self) -> str:
        return f"{self.name}.{self.namespace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """An authority, its certificate and the certificate's key, as PEM texts."""

    ca: str
    cert: str
    key: str = field(repr=False)
    expires: float
    """When the first of the two expires, in seconds since 1970."""


Mint = Callable[[float], IssuedCertificate]
"""Makes a new authority and its certificate, at a time in seconds since 1970."""


def mint(service: Service, now: float, lifetime: float) -> IssuedCertificate:
    """Make an authority, sign a certificate for the service, and delete the authority's key.

    `now` is in seconds since 1970, `lifetime` in seconds.
    """
    signer = Signer(name=_ca_name(service), key=new_key())
    key, period = new_key(), Period.of(now, lifetime)
    cert = server_certificate(service.hosts, key.public_key(), signer, period)
    return IssuedCertificate(
        ca=pem_of(authority_certificate(signer, period)),
        cert=pem_of(cert),
        key=key_pem_of(key),
        expires=cert.not_valid_after_utc.timestamp(),
    )


def read_issued(ca: str, cert: str, key: str, service: Service) -> IssuedCertificate:
    """Read what `mint` made.

    Raises:
        SetupError: the three do not belong together, or not to this service.
    """
    try:
        authority = x509.load_pem_x509_certificate(ca.encode())
        signed = x509.load_pem_x509_certificate(cert.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
        signed.verify_directly_issued_by(authority)
        alternatives = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise SetupError(f"not a certificate with its authority: {_cause(error)}") from None
    except x509.ExtensionNotFound:
        raise SetupError("the certificate has no host name") from None
    if private.public_key() != signed.public_key():
        raise SetupError("the key does not belong to the certificate")
    if service.host not in alternatives.value.get_values_for_type(x509.DNSName):
        raise SetupError(f"the certificate is not for {service.host}")
    expires = min(x.not_valid_after_utc for x in (authority, signed)).timestamp()
    return IssuedCertificate(ca=ca, cert=cert, key=key, expires=expires)


@lru_cache(maxsize=256)  # the same few certificates are checked every few seconds
def is_authority_of(service: Service, pem: str) -> bool:
    """Return whether a certificate is an authority that the webhook made for this service."""
    try:
        return x509.load_pem_x509_certificate(pem.encode()).subject == _ca_name(service)
    except ValueError:
        return False


def expiry_of(certs: str) -> float:
    """Return when the first certificate of a chain expires, in seconds since 1970.

    Raises:
        SetupError: the text has no certificate.
    """
    try:
        return x509.load_pem_x509_certificate(certs.encode()).not_valid_after_utc.timestamp()
    except ValueError as error:
        raise SetupError(f"not a certificate: {_cause(error)}") from None


def _ca_name(service: Service) -> x509.Name:
    organization = str(service)[:LONGEST_COMMON_NAME]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY),
        ]
    )


def _cause(error: BaseException) -> str:
    return str(error) or type(error).__name__
