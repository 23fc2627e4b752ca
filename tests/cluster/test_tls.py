"""The tests' client leaves no socket behind when an API server is killed; needs no cluster."""

from __future__ import annotations

import gc
import select
import socket
import struct
import warnings

import pytest

from tests.cluster.tls import client_context

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def test_a_connection_that_is_reset_before_the_handshake_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        accepted.close()
        assert select.select([client], [], [], 60) == ([client], [], []), "the reset has not come"
        with warnings.catch_warnings(record=True, action="always") as found:
            with pytest.raises(ConnectionResetError):
                client_context().wrap_socket(client, server_hostname="localhost")
            gc.collect()
        assert [str(one.message) for one in found] == []
