"""A certificate authority for tests of TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, in PEM."""

    cert: bytes
    key: bytes

    def write(self, folder: Path, name: str = "tls") -> None:
        """Write NAME.crt and NAME.key; by default as in the volume of a Secret."""
        (folder / f"{name}.crt").write_bytes(self.cert)
        (folder / f"{name}.key").write_bytes(self.key)


class Authority:
    """Signs certificates that are valid for clients that trust it, and for no others."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.cert = self._authority.cert_pem.bytes()

    def signed(self, *names: str) -> Pair:
        """Make a key and sign its certificate for these hosts or IP addresses."""
        leaf = self._authority.issue_cert(*names)
        return Pair(cert=leaf.cert_chain_pems[0].bytes(), key=leaf.private_key_pem.bytes())

    def server_context(self, *names: str) -> ssl.SSLContext:
        """Return a server's TLS context for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a client's TLS context that trusts only this authority."""
        return ssl.create_default_context(cadata=self.cert.decode())
