"""The HTTP server for the containers of one pod."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from socketserver import BaseServer, ThreadingMixIn
from typing import Any, cast
from urllib.parse import urlsplit

from collector.receiving.http_values import Request, Response, Route, json_response

MOST_CONNECTIONS = 64
"""Open connections; further ones wait until one is closed."""
MOST_HEAD = 1 << 15
"""Bytes of a request's line and headers."""
MOST_BODY = 1 << 20
"""Bytes of a request's body."""
_SMALL_BODY = 1 << 16
_LARGE_BODIES = 4
"""Bodies of more than `_SMALL_BODY` bytes that are in memory at a time; others wait."""
_LINGER_SECONDS = 2.0
_MOST_UNREAD = 16 << 20
"""How long, and how many bytes, a client may still send after it was refused."""
IDLE_SECONDS = 60.0
"""How long a connection may be silent, within a request too."""
_HOSTS = frozenset(("127.0.0.1", "localhost", "::1", ""))
_BACKLOG = 128


class LocalServer:
    """Answers requests on several sockets, until it is closed."""

    def __init__(
        self,
        listening: Mapping[str, socket.socket],
        routes: Mapping[str, Route],
        log: Callable[[str], None],
    ) -> None:
        """Start to answer.

        Args:
            listening: sockets that listen, which the server closes; the key is a thread's name.
            routes: by the beginning of a path; the longest one that fits answers.
            log: takes a sentence about a fault of a route.
        """
        self._routes = dict(sorted(routes.items(), key=lambda item: -len(item[0])))
        self._log = log
        room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._servers = [_SocketServer(each, self._answer, room) for each in listening.values()]
        self._threads = [
            threading.Thread(target=server.serve_forever, name=f"push-{name}", daemon=True)
            for name, server in zip(listening, self._servers, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End all connections, and wait for their threads."""
        for server in self._servers:
            server.end()
        for thread in self._threads:
            thread.join()

    def _answer(self, request: Request) -> Response:
        refusal = _refusal_of_browser(request)
        if refusal is not None:
            return refusal
        route = next(
            (r for start, r in self._routes.items() if request.path.startswith(start)), None
        )
        if route is None:
            paths = ", ".join(self._routes)
            return json_response(404, {"error": f"no such path; the paths here are: {paths}"})
        try:
            return route(request)
        except Exception as fault:  # noqa: BLE001 - a client must not end the thread without an answer
            self._log(f"cannot answer {request.method} {request.path}: {fault!r}")
            return json_response(500, {"error": "the collector failed; see its log"})


def _refusal_of_browser(request: Request) -> Response | None:
    """Refuse what a web page may send: on a laptop, the server is one of a user's own machine."""
    host = request.headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        why = "the header Host is not a host and a port; send Host: 127.0.0.1"
        return json_response(400, {"error": why})
    if (name or "") not in _HOSTS or "origin" in request.headers:
        return json_response(403, {"error": "only programs of this pod may call, no web pages"})
    return None


class _SocketServer(ThreadingMixIn, BaseServer):
    """Accepts connections on one socket, each in a thread."""

    daemon_threads = False
    block_on_close = True

    def __init__(
        self, listening: socket.socket, answer: Route, room: threading.BoundedSemaphore
    ) -> None:
        super().__init__(listening.getsockname(), partial(_Handler, answer=answer))
        self._listening = listening
        self._room = room
        self._open: set[socket.socket] = set()
        self._is_ending = False

    # The methods that `BaseServer` calls

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._listening.fileno()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, once there is room for it."""
        while not self._room.acquire(timeout=0.1):
            if self._is_ending:
                raise OSError("the server ends")
        try:
            connection, address = self._listening.accept()
        except OSError:
            self._room.release()
            raise
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as `BaseServer` has it
        """Close a connection."""
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
        request.close()
        if request in self._open:
            self._open.discard(request)
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the same
        """Do nothing: a client that is gone, or silent for too long, is no fault."""

    def end(self) -> None:
        """Stop to accept, end all connections, and wait for their threads."""
        self._is_ending = True
        self.shutdown()
        self._listening.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _RequestReader:
    """The bytes of a connection; the head of each request is bounded."""

    def __init__(self, inner: BufferedIOBase) -> None:
        self._inner = inner
        self._left = MOST_HEAD
        self.read = inner.read
        self.close = inner.close

    def begin(self) -> None:
        """Expect the head of the next request."""
        self._left = MOST_HEAD

    def readline(self, limit: int = -1) -> bytes:
        """Return the next line of a head, or a part of it that exceeds the bound.

        Raises:
            HTTPException: the lines before it were too many bytes.
        """
        if self._left < 0:
            raise HTTPException(f"more than {MOST_HEAD} bytes")
        most = self._left + 1 if limit < 0 else min(limit, self._left + 1)
        line = self._inner.readline(most)
        self._left -= len(line)
        return line


_large_bodies = threading.BoundedSemaphore(_LARGE_BODIES)


class _Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "trialwatch"
    sys_version = ""
    timeout = IDLE_SECONDS
    wbufsize = -1
    """A response is one write."""

    def __init__(self, *given: Any, answer: Route) -> None:  # noqa: ANN401 - as its base has it
        self._answer = answer
        super().__init__(*given)

    def setup(self) -> None:
        """Send small responses at once."""
        super().setup()
        self._reader = _RequestReader(self.rfile)
        self.rfile = cast("BufferedIOBase", self._reader)
        if self.connection.family == socket.AF_INET:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_request(self) -> None:
        """Read and answer a request."""
        self._reader.begin()
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come, or why not: the client waits for it."""
        if self._is_body_refused():
            return False
        may_go_on = super().handle_expect_100()
        self.wfile.flush()
        return may_go_on

    def do_POST(self) -> None:
        """Answer a request."""
        if self._is_body_refused():
            return
        length = int(self.headers.get("Content-Length", "0"))
        with _large_bodies if length > _SMALL_BODY else contextlib.nullcontext():
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
            self._answer_to(body)

    def _answer_to(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): text for name, text in self.headers.items()}
        request = Request(method=self.command, path=path, query=query, headers=headers, body=body)
        self._send(self._answer(request))

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that its base calls

    def _is_body_refused(self) -> bool:
        """Return whether the body is refused by its length, which ends the connection."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdecimal()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "send the header Content-Length")
            return True
        if len(length) > len(str(MOST_BODY)) or int(length) > MOST_BODY:
            why = f"the body has more than {MOST_BODY} bytes; send several requests"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
            return True
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that cannot be read."""
        why = ": ".join(part for part in (message, explain) if part)
        self._refuse(HTTPStatus(code), why or HTTPStatus(code).description)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer, and end the connection, after what the client still sends.

        If it were closed before, the kernel would reset it, and the client would miss the answer.
        """
        self.close_connection = True
        self._send(json_response(status, {"error": why}))
        self.connection.shutdown(socket.SHUT_WR)
        unread, deadline = _MOST_UNREAD, time.monotonic() + _LINGER_SECONDS
        while unread > 0 and (left := deadline - time.monotonic()) > 0:
            self.connection.settimeout(left)
            piece = self.connection.recv(_SMALL_BODY)
            if not piece:
                break
            unread -= len(piece)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def address_string(self) -> str:
        """Return a name for messages; a Unix socket has no address."""
        return "a container of the pod"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its base's names
        """Do nothing: a request is not worth a line in the log."""


def listen_on_tcp(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address of this machine.

    Raises:
        OSError: another program listens there.
    """
    return socket.create_server((host, port), backlog=_BACKLOG)


def listen_on_unix(directory: str, name: str) -> socket.socket:
    """Return a Unix socket that listens; a file or link at this path is replaced.

    The path is given to the kernel by the descriptor of the directory: it may be longer than the
    108 bytes that the address of a socket has room for.

    Raises:
        OSError: the directory cannot be written.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=descriptor)
        _bind_for_all(listening, f"/proc/self/fd/{descriptor}/{name}")
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    finally:
        os.close(descriptor)
    return listening


def _bind_for_all(listening: socket.socket, path: str) -> None:
    """Bind a socket that each user may connect to: the trainer may be another user.

    By the umask, not by chmod: the trainer could put a link in the place of the socket before it.
    """
    before = os.umask(0o111)
    try:
        listening.bind(path)
    finally:
        os.umask(before)
