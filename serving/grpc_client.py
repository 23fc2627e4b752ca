"""The credentials of a gRPC client: TLS, and a token that is read from its file for each call.

One set of credentials is for the channels of `grpc` and of `grpc.aio`. gRPC itself never sends the
token on a channel without TLS.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import grpc

from api.errors import SetupError
from api.names import AUTHORIZATION_KEY
from serving.client_security import DB_MANAGER_FLAGS, ClientSecurity

_LONGEST_TOKEN: Final = 64 * 1024


def credentials_of(security: ClientSecurity) -> grpc.ChannelCredentials | None:
    """Return the credentials of a channel; None: a channel without TLS.

    Raises:
        SetupError: the file of the authorities cannot be used.
    """
    if security.ca is None:
        return None
    try:
        authorities = security.ca.read_bytes()
        # gRPC does not report wrong authorities.
        ssl.create_default_context(cadata=authorities.decode("ascii"))
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{security.flags}-ca: cannot read certificates in PEM from {security.ca} ({error})"
        ) from None
    tls = grpc.ssl_channel_credentials(authorities)
    if security.token is None:
        return tls
    token = grpc.metadata_call_credentials(_TokenOfFile(security.token, security.flags))
    return grpc.composite_channel_credentials(tls, token)


def read_token(path: Path, flags: str = DB_MANAGER_FLAGS) -> str:
    """Return the token in a file.

    Args:
        path: the file.
        flags: how its flag begins.

    Raises:
        SetupError: the file cannot be read, or has no token.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_TOKEN).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise SetupError(f"{flags}-token: cannot read {path} ({error})") from None
    if not text or not text.isprintable():
        raise SetupError(f"{flags}-token: {path} has no token")
    return text


class _TokenOfFile(grpc.AuthMetadataPlugin):
    """Adds the token to each call; the kubelet renews the file."""

    def __init__(self, path: Path, flags: str) -> None:
        self._path, self._flags = path, flags

    def __call__(
        self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback
    ) -> None:
        """Give the token, or the error that ends the call with UNAVAILABLE."""
        del context
        try:
            token = read_token(self._path, self._flags)
        except SetupError as error:
            callback((), error)
            return
        callback(((AUTHORIZATION_KEY, f"Bearer {token}"),), None)
