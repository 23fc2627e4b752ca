"""TLS of a gRPC server: makes credentials from files, and explains what is wrong with bad files."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import cast

import grpc

from api.errors import SetupError
from serving.logs import get_logger
from serving.server_security import TlsFiles

_log = get_logger(__name__)


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Read the files and check that they belong together; gRPC itself reports no such error.

    Renewed files are read at the next connection. Until they belong together, the old ones serve.

    Raises:
        SetupError: a file cannot be read or is not PEM, or the key does not belong to the
            certificate.
    """
    newest = _NewestFiles(files)
    return grpc.dynamic_ssl_server_credentials(
        newest.configuration(),
        # The stubs do not have the None that means "unchanged".
        cast("Callable[[], grpc.ServerCertificateConfiguration]", newest.changed),
        require_client_authentication=files.client_ca is not None,
    )


class _NewestFiles:
    """The files of TLS as they are now."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._texts: tuple[bytes, ...] = ()

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """Read and check the files.

        Raises:
            SetupError: they cannot be used.
        """
        files = self._files
        key, cert = texts = _read("--tls-key", files.key), _read("--tls-cert", files.cert)
        _check_pair(files)
        authorities = None
        if files.client_ca is not None:
            authorities = _read("--tls-client-ca", files.client_ca)
            _check_authorities(files.client_ca)
        self._texts = (*texts, authorities or b"")
        return grpc.ssl_server_certificate_configuration([(key, cert)], authorities)

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the configuration if a file has changed; None if the old one still serves."""
        before = self._texts
        try:
            configuration = self.configuration()
        except SetupError as error:
            _log.warning("cannot use the renewed certificate", cause=str(error))
            return None
        if self._texts == before:
            return None
        _log.info("serving the renewed certificate")
        return configuration


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
