"""The pod's local server: it answers on both sockets, bounds what it takes, and ends."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from api.errors import Unavailable
from collector.journal.journal import PerhapsAccepted
from collector.receiving import server
from collector.receiving.http_values import Request, Response
from collector.receiving.push import push_route
from collector.receiving.server import LocalServer, listen_on_tcp, listen_on_unix
from filters.journal_finder import JournalPoint


class Pushes:
    """A server, and what was pushed to it."""

    def __init__(self, directory: Path) -> None:
        self.points: list[JournalPoint] = []
        self.fault = ""
        self.failing: type[Unavailable] = Unavailable
        self.log: list[str] = []
        tcp = listen_on_tcp("127.0.0.1", 0)
        self.port: int = tcp.getsockname()[1]
        self.socket = directory / "push.sock"
        sockets = {"tcp": tcp, "unix": listen_on_unix(str(directory), "push.sock")}
        routes = {"/push": push_route(["loss"], self.accept), "/broken": broken}
        self.server = LocalServer(sockets, routes, self.log.append)

    def accept(self, points: Iterable[JournalPoint]) -> None:
        if self.fault:
            raise self.failing(self.fault)
        self.points += points

    def call(
        self, body: bytes, path: str = "/push", method: str = "POST", **headers: str
    ) -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def broken(request: Request) -> Response:
    raise ValueError(request.path)


@pytest.fixture
def pushes(tmp_path: Path) -> Iterator[Pushes]:
    pushes = Pushes(tmp_path)
    yield pushes
    pushes.server.close()


def test_a_push_is_answered_with_what_was_accepted(pushes: Pushes) -> None:
    assert pushes.call(b'{"loss": 0.3, "lr": 1}') == (200, {"accepted": 1, "ignored": ["lr"]})
    assert pushes.points == [JournalPoint("loss", "0.3")]


def test_a_wrong_push_is_refused_with_its_field_and_nothing_is_accepted(pushes: Pushes) -> None:
    status, answer = pushes.call(b'{"loss": 1}\n{"loss": "high"}')
    assert (status, answer["field"], pushes.points) == (400, "loss", [])


def test_a_journal_that_cannot_accept_is_a_call_to_repeat(pushes: Pushes) -> None:
    pushes.fault = "the disk is full"
    assert pushes.call(b"loss=1") == (503, {"error": "the disk is full; try again"})


def test_a_call_whose_points_may_be_stored_is_no_refusal(pushes: Pushes) -> None:
    pushes.fault, pushes.failing = "the disk fails", PerhapsAccepted
    why = "the disk fails; it is unknown whether the metrics will be stored"
    assert pushes.call(b"loss=1") == (500, {"error": why})


def test_a_connection_serves_many_calls(pushes: Pushes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", pushes.port, timeout=10)
    for number in range(20):
        connection.request("POST", "/push", f"loss={number}")
        assert connection.getresponse().read().startswith(b'{"accepted": 1')
    connection.close()
    assert [point.value for point in pushes.points] == [str(number) for number in range(20)]


def test_the_unix_socket_answers_too(pushes: Pushes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(pushes.socket))
        client.sendall(b"POST /push HTTP/1.0\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nloss=2")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert b" 200 " in answer
    assert pushes.points == [JournalPoint("loss", "2")]


@pytest.mark.parametrize("length", ["-1", "x", "1e3", str(1 << 60)])
def test_a_length_that_is_no_length_or_too_large_is_refused(pushes: Pushes, length: str) -> None:
    with socket.create_connection(("127.0.0.1", pushes.port)) as client:
        client.sendall(
            f"POST /push HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        assert client.recv(4096).split()[1] in (b"411", b"413")


def test_a_client_that_asks_before_it_sends_a_body_is_told_at_once(pushes: Pushes) -> None:
    head = b"POST /push HTTP/1.1\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", pushes.port), timeout=10) as client:
        client.sendall(head)
        assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"loss=7")
        assert b" 200 " in client.recv(4096)


@pytest.mark.parametrize("host", ["[x", "[::1", "]"])
def test_a_host_that_cannot_be_read_is_answered(pushes: Pushes, host: str) -> None:
    status, answer = pushes.call(b"loss=1", Host=host)
    assert (status, pushes.points) == (400, [])
    assert "send Host: 127.0.0.1" in str(answer["error"])


def test_a_web_page_may_not_push(pushes: Pushes) -> None:
    assert pushes.call(b"loss=1", Origin="https://evil.example")[0] == 403
    assert pushes.call(b"loss=1", Host="evil.example")[0] == 403
    assert pushes.points == []


def test_other_paths_and_methods_are_answered_with_the_right_ones(pushes: Pushes) -> None:
    assert pushes.call(b"", "/metrics")[0] == 404
    status, answer = pushes.call(b"", method="GET")
    assert (status, answer["metrics"]) == (405, ["loss"])


def test_a_fault_of_a_route_is_answered_and_written_to_the_log(pushes: Pushes) -> None:
    assert pushes.call(b"", "/broken")[0] == 500
    assert pushes.log == ["cannot answer POST /broken: ValueError('/broken')"]


def test_more_connections_than_allowed_wait_until_one_is_closed(pushes: Pushes) -> None:
    idle = [
        socket.create_connection(("127.0.0.1", pushes.port)) for _ in range(server.MOST_CONNECTIONS)
    ]
    late = socket.create_connection(("127.0.0.1", pushes.port))
    late.sendall(b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nloss=5")
    late.settimeout(0.3)
    with pytest.raises(TimeoutError):
        late.recv(1)
    late.settimeout(10)
    for each in idle:
        each.close()
    assert b" 200 " in late.recv(4096)
    late.close()


def test_both_sockets_share_the_room_for_connections(pushes: Pushes) -> None:
    half = server.MOST_CONNECTIONS // 2
    idle = [socket.create_connection(("127.0.0.1", pushes.port)) for _ in range(half)]
    for _ in range(half):
        idle.append(socket.socket(socket.AF_UNIX))
        idle[-1].connect(str(pushes.socket))
    for each in idle:  # with an answer, each has its place
        each.sendall(b"POST /push HTTP/1.1\r\nContent-Length: 6\r\n\r\nloss=4")
        assert b" 200 " in each.recv(4096)
    with socket.create_connection(("127.0.0.1", pushes.port)) as late:
        late.sendall(b"POST /push HTTP/1.1\r\nContent-Length: 6\r\n\r\nloss=5")
        late.settimeout(0.3)
        with pytest.raises(TimeoutError):
            late.recv(1)
        late.settimeout(10)
        for each in idle:
            each.close()
        assert b" 200 " in late.recv(4096)


def test_a_body_that_is_too_large_is_refused_with_an_answer_that_the_client_reads(
    pushes: Pushes,
) -> None:
    status, answer = pushes.call(b"x" * (4 * server.MOST_BODY))
    assert (status, pushes.points) == (413, [])
    assert "send several requests" in str(answer["error"])


def test_a_client_that_asks_first_is_refused_before_it_sends_a_large_body(pushes: Pushes) -> None:
    length = server.MOST_BODY + 1
    head = f"POST /push HTTP/1.1\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", pushes.port), timeout=10) as client:
        client.sendall(head.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_headers_that_are_too_large_are_refused(pushes: Pushes) -> None:
    headers = {f"X-{number}": "x" * 5_000 for number in range(8)}
    status, answer = pushes.call(b"loss=1", **headers)
    assert (status, pushes.points) == (431, [])
    assert f"more than {server.MOST_HEAD} bytes" in str(answer["error"])
    assert pushes.call(b"loss=1", **dict(list(headers.items())[:5]))[0] == 200


def test_a_server_with_open_connections_ends(tmp_path: Path) -> None:
    pushes = Pushes(tmp_path)
    with socket.create_connection(("127.0.0.1", pushes.port)) as client:
        client.sendall(b"POST /push HTTP/1.1\r\nContent-Le")
        pushes.server.close()


def test_a_socket_may_have_a_path_that_is_longer_than_its_address(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    listen_on_unix(str(deep), "push.sock").close()
    listen_on_unix(str(deep), "push.sock").close()
    assert (deep / "push.sock").is_socket()


def test_any_user_of_the_pod_may_connect_to_the_socket(tmp_path: Path) -> None:
    (tmp_path / "push.sock").symlink_to(tmp_path / "private")
    (tmp_path / "private").touch(mode=0o600)
    listen_on_unix(str(tmp_path), "push.sock").close()
    assert (tmp_path / "push.sock").lstat().st_mode & 0o777 == 0o666
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
