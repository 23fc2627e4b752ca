"""A gRPC server: its options, and the port or the socket on which it listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from api.errors import SetupError
from serving.addresses import Address
from serving.error_interceptor import ErrorInterceptor

_HANDSHAKE_MS: Final = 10_000
"""A connection that is not ready by then is closed."""
_KEEPALIVE_MS: Final = 60_000
"""A client that is silent for so long gets a ping; without its answer, the connection is closed."""
_MOST_CALLS: Final = 1_000
"""Calls under way of one connection; gRPC's own clients wait beyond."""

_UNREAD_BYTES: Final = 16 * 1024
"""Of each request that is not read yet, gRPC receives so many. By default it receives megabytes
from fast clients: 128 calls from 32 addresses took 600 MiB."""


def make_server(
    interceptor: ErrorInterceptor,
    *inner: grpc.aio.ServerInterceptor[Any, Any],
    most_bytes: int,
    largest_request: int | None = None,
    **options: int,
) -> grpc.aio.Server:
    """Return a server without services.

    Args:
        interceptor: ends the calls.
        inner: interceptors between this and the calls; it answers their errors too.
        most_bytes: the size of the largest message, in and out.
        largest_request: the size of the largest message in, after decompression; `most_bytes` if
            it is None.
        options: further options of gRPC, without their `grpc.`.
    """
    limits = {
        "max_receive_message_length": largest_request or most_bytes,
        "max_send_message_length": most_bytes,
        "so_reuseport": 0,  # else two servers share a port, and neither fails
        "server_handshake_timeout_ms": _HANDSHAKE_MS,
        "keepalive_time_ms": _KEEPALIVE_MS,
        "keepalive_timeout_ms": _KEEPALIVE_MS // 3,
        "max_concurrent_streams": _MOST_CALLS,
        "http2.bdp_probe": 0,
        "http2.lookahead_bytes": _UNREAD_BYTES,
        **options,
    }
    pairs = tuple((f"grpc.{name}", value) for name, value in limits.items())
    return grpc.aio.server(interceptors=[interceptor, *inner], options=pairs)


def listen(
    server: grpc.aio.Server, address: Address, tls: grpc.ServerCredentials | None = None
) -> Address:
    """Take a port; return the address with the number of the port.

    Raises:
        SetupError: the program cannot listen on the address.
    """
    try:
        if tls is None:
            port = server.add_insecure_port(str(address))
        else:
            port = server.add_secure_port(str(address), tls)
    except RuntimeError:
        raise SetupError(
            f"--listen: cannot listen on {address}: another program uses the port,"
            " or this machine does not have the address"
        ) from None
    return Address(host=address.host, port=port)


def listen_on_socket(server: grpc.aio.Server, path: Path) -> None:
    """Listen on a Unix socket, whose directory only this user can enter.

    Raises:
        SetupError: the program cannot listen there.
    """
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError:
        raise SetupError(f"cannot listen on the socket {path}") from None
    path.chmod(0o600)
