"""How a gRPC server is protected by TLS: its settings, without gRPC itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.errors import SetupError
from serving.addresses import Address
from serving.flag_values import ADDRESS_OR_OFF, PATH
from serving.settings import Row, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The files of the certificate; with `client_ca`, clients need a certificate too."""

    cert: Path
    key: Path
    client_ca: Path | None = None


def tls_cert() -> Path | None:
    """Make the setting of the certificate."""
    sentence = "Serve TLS with this certificate chain (PEM); needs `--tls-key`."
    return setting(Row("--tls-cert", PATH, sentence, default="plaintext"), None)


def tls_key() -> Path | None:
    """Make the setting of the certificate's key."""
    return setting(Row("--tls-key", PATH, "The certificate's private key (PEM)."), None)


def plain_listen(sentence: str) -> Address | None:
    """Make the setting of a second port, without TLS."""
    return setting(Row("--plain-listen", ADDRESS_OR_OFF, sentence), None)


def tls_files(
    cert: Path | None,
    key: Path | None,
    plain: Address | None,
    client_ca: Path | None = None,
) -> TlsFiles | None:
    """Return the files of TLS; None: plaintext.

    Raises:
        SetupError: a file or TLS itself is missing.
    """
    if cert is not None and key is not None:
        return TlsFiles(cert=cert, key=key, client_ca=client_ca)
    if cert or key or client_ca:
        missing = "--tls-key" if cert else "--tls-cert"
        raise SetupError(f"{missing} is missing: TLS needs a certificate and its key")
    if plain is not None:
        raise SetupError("--plain-listen needs --tls-cert: without TLS, --listen is enough")
    return None
