"""Istio's proxy is asked to end, as its agent wants to be asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from api.errors import Unavailable
from collector.network_proxy import IstioProxy


@contextmanager
def agent(status: int) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """Serve like Istio's agent; give its address, and the requests that it got."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(f"{self.command} {self.path}")
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield ("127.0.0.1", server.server_port), requests
        server.shutdown()
        thread.join()


def test_the_proxy_gets_one_request() -> None:
    with agent(200) as (address, requests):
        IstioProxy(address).quit()

    assert requests == ["POST /quitquitquit"]


def test_another_answer_is_not_taken_as_the_end() -> None:
    with agent(405) as (address, _), pytest.raises(Unavailable, match="405"):
        IstioProxy(address).quit()


def test_a_proxy_that_does_not_listen_is_unavailable() -> None:
    with agent(200) as (address, _):
        pass

    with pytest.raises(Unavailable, match="does not answer"):
        IstioProxy(address).quit()
