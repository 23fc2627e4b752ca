"""TLS clients accept the made certificates, and only matching parts are read."""

from __future__ import annotations

import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from api.errors import SetupError
from tests.certificate_authority import Authority
from tests.webhook.certificates.certificate_objects import NOW, SERVICE
from tests.webhook.certificates.handshakes import handshake, server_context
from webhook.certificates.issued import (
    Service,
    expiry_of,
    is_authority_of,
    mint,
    read_issued,
)

LIFETIME = 1000.0


def test_a_client_that_trusts_the_authority_takes_the_certificate_for_each_name() -> None:
    issued = mint(SERVICE, time.time(), LIFETIME)
    server = server_context(issued.cert, issued.key)

    for host in ("hook.ours.svc", "hook.ours.svc.cluster.local", "hook.ours", "hook"):
        assert handshake(server, issued.ca, host) == issued.cert
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)hostname mismatch"):
        handshake(server, issued.ca, "other.ours.svc")


def test_a_client_that_trusts_another_authority_of_the_same_name_does_not() -> None:
    issued, other = (mint(SERVICE, time.time(), LIFETIME) for _ in range(2))

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server_context(issued.cert, issued.key), other.ca, SERVICE.host)


def test_a_certificate_is_valid_for_clocks_that_are_behind_and_no_longer_than_asked() -> None:
    issued = mint(SERVICE, NOW, LIFETIME)

    for pem in (issued.ca, issued.cert):
        cert = x509.load_pem_x509_certificate(pem.encode())
        assert cert.not_valid_before_utc.timestamp() == NOW - 3600
        assert cert.not_valid_after_utc.timestamp() == NOW + LIFETIME == issued.expires
    assert expiry_of(issued.cert) == issued.expires


def test_the_keys_are_p256_and_the_authority_cannot_sign_other_authorities() -> None:
    issued = mint(SERVICE, NOW, LIFETIME)
    ca, cert = (x509.load_pem_x509_certificate(one.encode()) for one in (issued.ca, issued.cert))

    for one in (ca, cert):
        key = one.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert isinstance(key.curve, ec.SECP256R1)
    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    # The authority's own key is not stored: the key belongs to the certificate.
    assert issued.key.count("PRIVATE KEY") == 2
    assert ca.public_key() != cert.public_key()


def test_a_made_certificate_is_read_back() -> None:
    issued = mint(SERVICE, NOW, LIFETIME)

    assert read_issued(issued.ca, issued.cert, issued.key, SERVICE) == issued
    assert "PRIVATE" not in repr(issued)


def test_pieces_of_two_certificates_are_refused() -> None:
    one, other = (mint(SERVICE, NOW, LIFETIME) for _ in range(2))
    elsewhere = mint(Service(name="hook", namespace="theirs"), NOW, LIFETIME)

    with pytest.raises(SetupError, match="not a certificate with its authority"):
        read_issued(other.ca, one.cert, one.key, SERVICE)
    with pytest.raises(SetupError, match="the key does not belong to the certificate"):
        read_issued(one.ca, one.cert, other.key, SERVICE)
    with pytest.raises(SetupError, match=r"not for hook\.ours\.svc"):
        read_issued(elsewhere.ca, elsewhere.cert, elsewhere.key, SERVICE)
    with pytest.raises(SetupError, match="has no host name"):
        read_issued(one.ca, one.ca, one.key, SERVICE)
    for bad in ("", "x", one.cert[:99], "é"):
        with pytest.raises(SetupError):
            read_issued(bad, one.cert, one.key, SERVICE)
        with pytest.raises(SetupError):
            read_issued(one.ca, bad, one.key, SERVICE)
        with pytest.raises(SetupError):
            read_issued(one.ca, one.cert, bad, SERVICE)


def test_own_authorities_are_recognized_among_others() -> None:
    issued = mint(SERVICE, NOW, LIFETIME)

    assert is_authority_of(SERVICE, issued.ca)
    assert not is_authority_of(Service(name="hook", namespace="theirs"), issued.ca)
    assert not is_authority_of(SERVICE, issued.cert)
    assert not is_authority_of(SERVICE, Authority().cert.decode())
    assert not is_authority_of(SERVICE, "no certificate")


def test_a_service_with_the_longest_names_gets_a_certificate_too() -> None:
    service = Service(name="n" * 63, namespace="s" * 63)
    issued = mint(service, time.time(), LIFETIME)

    assert handshake(server_context(issued.cert, issued.key), issued.ca, service.host)
