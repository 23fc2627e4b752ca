"""A server that is killed resets connections; the clients keep no socket of them."""

from __future__ import annotations

import gc
import select
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3.exceptions
import yaml

from api.errors import Unavailable
from serving.tokens.https import HttpsClient
from tests.certificate_authority import Authority
from tests.cluster.client import Cluster

AUTHORITY = Authority()
CONTEXT = AUTHORITY.server_context("127.0.0.1")
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

ANSWERS: dict[str, bytes] = {
    "after the request": b"",
    "within the headers": HEADERS,
    "within the body": HEADERS + b"\r\n{",
    "within a body whose connection closes": HEADERS + b"Connection: close\r\n\r\n{",
    "within a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
}
MOMENTS = ["before the handshake", "within the handshake", *ANSWERS]

Get = Callable[[str], object]


def with_cluster(address: str, folder: Path) -> Get:
    """Return a GET by the client of the tests of the cluster."""
    (folder / "ca.crt").write_bytes(AUTHORITY.cert)
    cluster = {"server": address, "certificate-authority": str(folder / "ca.crt")}
    config = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "it", "user": {"token": "mine"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))

    def get(path: str) -> object:
        client = Cluster(folder / "kubeconfig")
        try:
            return client.request("GET", path)
        finally:
            client.close()

    return get


def with_https(address: str, folder: Path) -> Get:
    """Return a GET by the client of the programs that check tokens."""
    (folder / "ca.crt").write_bytes(AUTHORITY.cert)
    client = HttpsClient(folder / "ca.crt", None, most_bytes=1000)
    return lambda path: client.send(address + path, "application/json")


CLIENTS = {"Cluster": with_cluster, "HttpsClient": with_https}


class ResettingServer:
    """A TLS server that resets each connection at one moment."""

    def __init__(self, moment: str) -> None:
        self._moment = moment
        self.client_is_connected = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            self._reset(connection)

    def _reset(self, connection: socket.socket) -> None:
        if self._moment == "before the handshake":
            assert self.client_is_connected.wait(10), "the client did not begin TLS"
            self.client_is_connected.clear()
        elif self._moment == "within the handshake":
            connection.recv(1)
        elif self._moment in ANSWERS:
            connection = CONTEXT.wrap_socket(connection, server_side=True)
            connection.recv(65536)
            connection.sendall(ANSWERS[self._moment])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        connection.close()

    def close(self) -> None:
        """End; a connection that is being served ends first."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture(params=MOMENTS)
def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ResettingServer]:
    server = ResettingServer(request.param)
    if request.param == "before the handshake":
        _begin_tls_after_the_reset(monkeypatch, server)
    yield server
    server.close()


def _begin_tls_after_the_reset(monkeypatch: pytest.MonkeyPatch, server: ResettingServer) -> None:
    """Let the reset come after the connection and before the client's handshake, each time."""
    wrap: Callable[..., ssl.SSLSocket] = ssl.SSLContext.wrap_socket

    def wrap_after_the_reset(
        context: ssl.SSLContext, sock: socket.socket, *args: object, **kwargs: object
    ) -> ssl.SSLSocket:
        server.client_is_connected.set()
        arrival = select.poll()
        arrival.register(sock, 0)  # an error or a hang-up alone
        assert arrival.poll(10_000), "the server did not reset the connection"
        return wrap(context, sock, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_after_the_reset)


@pytest.mark.parametrize("client", CLIENTS)
def test_no_socket_is_left_of_a_connection_that_the_server_resets(
    client: str, server: ResettingServer, tmp_path: Path
) -> None:
    get = CLIENTS[client](server.address, tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises((Unavailable, urllib3.exceptions.HTTPError)):
            get("/version")
        gc.collect()

    assert [str(one.message) for one in caught] == []
