"""An HTTP server around `MlflowApi`, in memory, for the real client of MLflow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from collector.mlflow.api import MlflowApi
from collector.mlflow.exchange import LoggedPoint, Request


class MlflowServer:
    """What the server was asked, and the points that came of it."""

    def __init__(self, api: MlflowApi, url: str) -> None:
        self.api, self.url = api, url
        self.asked: list[tuple[str, str, int]] = []
        self.points: list[LoggedPoint] = []
        self.state = b""
        self.nested = 0


@contextmanager
def mlflow_server(api: MlflowApi) -> Iterator[MlflowServer]:
    """Serve the API on loopback until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(
                method=self.command, path=url.path, query=dict(parse_qsl(url.query)), body=body
            )
            with lock:
                answer = api.answer(request, 1_700_000_000_000)
                server.asked.append((request.method, request.path, answer.reply.status))
                server.points += answer.points
                api.accepted(answer.points)
                server.nested += answer.nested
                server.state = answer.state or server.state
            self.send_response(answer.reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.reply.body)))
            self.end_headers()
            self.wfile.write(answer.reply.body)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the names of the library

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the same
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = False
    server = MlflowServer(api, f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
