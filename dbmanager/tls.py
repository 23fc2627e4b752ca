"""TLS: reads gRPC's credentials from files; an unusable file is an error that names it."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from api.errors import SetupError
from dbmanager.settings import TlsFiles


def credentials_of(files: TlsFiles) -> grpc.ServerCredentials:
    """Read the files and check that they fit together; gRPC itself reports nothing.

    Raises:
        SetupError: a file cannot be read or is not PEM, or the key belongs to another certificate.
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
    def refuse_to_ask() -> str:
        raise SetupError(f"--tls-key: {files.key} is encrypted; give a key without a pass phrase")

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert, files.key, password=refuse_to_ask)
    except ssl.SSLError as error:
        raise SetupError(
            f"--tls-cert: {files.cert} and --tls-key {files.key} are no certificate and its key in"
            f" PEM ({error.reason or 'they cannot be read'})"
        ) from None


def _check_authorities(path: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except ssl.SSLError as error:
        raise SetupError(
            f"--tls-client-ca: {path} holds no certificates in PEM ({error.reason or 'unreadable'})"
        ) from None


def _read(flag: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{flag}: cannot read {path} ({error.strerror})") from None
