"""When the certificate in a file expires: a metric of the gRPC servers."""

from __future__ import annotations

from pathlib import Path


def expiry_of(path: Path) -> float:
    """Return when the first certificate in a PEM file expires, in seconds since 1970.

    0: the file cannot be read, or has no certificate.
    """
    from cryptography import x509  # noqa: PLC0415 - takes 40 ms, and not every server has TLS

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return 0.0
    return certificate.not_valid_after_utc.timestamp()
