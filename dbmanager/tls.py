"""TLS: makes gRPC credentials from files, and explains what is wrong with bad files."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from api.errors import SetupError
from dbmanager.settings import TlsFiles


def credentials_of(files: TlsFiles) -> grpc.ServerCredentials:
    """Read the files and check that they belong together; gRPC itself reports no such error.

    Raises:
        SetupError: a file cannot be read or is not PEM, or the key does not belong to the
            certificate.
    """
    key, cert = _read("--tls-key", files.key), _read("--tls-cert", files.cert)
    _check_pair(files)
    if files.client_ca is None:
        return grpc.ssl_server_credentials([(key, cert)])
    authorities = _read("--tls-client-ca", files.client_ca)
    _check_authorities(files.client_ca)
    return grpc.ssl_server_credentials(
        [(key, cert)], root_certificates=authorities, require_client_auth=True
    )


def _check_pair(files: TlsFiles) -> None:
    def refuse_to_prompt() -> str:
        raise SetupError(f"--tls-key: {files.key} is encrypted; give a key without a pass phrase")

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert, files.key, password=refuse_to_prompt)
    except ssl.SSLError as error:
        raise SetupError(
            f"--tls-cert: {files.cert} and --tls-key {files.key} are not a certificate and its"
            f" key in PEM ({error.reason or 'cannot read them'}); give two files that belong"
            " together"
        ) from None


def _check_authorities(path: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except ssl.SSLError as error:
        raise SetupError(
            f"--tls-client-ca: {path} has no certificates in PEM ({error.reason or 'unreadable'});"
            " give a file of certificates"
        ) from None


def _read(flag: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{flag}: cannot read {path} ({error.strerror})") from None
