"""The credentials of a gRPC client: TLS, and a token that is read from its file for each call.

One set of credentials is for the channels of `grpc` and of `grpc.aio`. gRPC itself never sends the
token on a channel without TLS.
"""

from __future__ import annotations

from pathlib import Path

import grpc

from api.errors import SetupError
from api.names import AUTHORIZATION_KEY
from serving.client_security import ClientSecurity
from serving.credential_files import read_authorities, read_token


def credentials_of(security: ClientSecurity) -> grpc.ChannelCredentials | None:
    """Return the credentials of a channel; None: a channel without TLS.

    Raises:
        SetupError: the file of the authorities cannot be used.
    """
    authorities = read_authorities(security)
    if authorities is None:
        return None
    tls = grpc.ssl_channel_credentials(authorities)
    if security.token is None:
        return tls
    token = grpc.metadata_call_credentials(_TokenOfFile(security.token, security.flags))
    return grpc.composite_channel_credentials(tls, token)


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
