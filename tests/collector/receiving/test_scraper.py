"""The scraper: bounded in time and size, and each fault is counted and written to the log."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from api.errors import Unavailable
from collector.receiving import scraper
from collector.receiving.scraper import Endpoint, ScrapeFailed, Scraper, fetch
from collector.testing.memory import MemoryLog
from filters.journal_finder import JournalPoint
from tests.collector.pod_processes import eventually


def serving(answer: Callable[[socket.socket], None]) -> AbstractContextManager[str]:
    """Answer each connection in turn; give the address."""
    return serving_requests(lambda connection, _: answer(connection))


@contextmanager
def serving_requests(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """Answer each request in turn; give the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    answer(connection, connection.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/metrics"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _send(body: bytes, status: str = "200 OK") -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


def _drip_after(head: bytes) -> Callable[[socket.socket], None]:
    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            connection.sendall(b"#")
            time.sleep(0.02)

    return drip


def test_an_answer_is_read() -> None:
    with serving(_send(b"loss 1\n")) as url:
        assert fetch(url) == (b"loss 1\n", "text/plain")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (_send(b"", "404 Not Found"), "status 404"),
        (_send(b"", "302 Found\r\nLocation: http://evil.example/"), "status 302"),
        (_send(b"x" * (scraper.MOST_BODY + 1)), "more than"),
        (lambda connection: connection.sendall(b"nonsense\r\n\r\n"), "nonsense"),
        (socket.socket.close, "closed connection"),
    ],
)
def test_another_answer_is_a_fault(answer: Callable[[socket.socket], None], why: str) -> None:
    with serving(answer) as url, pytest.raises(ScrapeFailed, match=why):
        fetch(url)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    ],
)
def test_a_server_that_sends_a_byte_now_and_then_is_left(head: bytes) -> None:
    begun = time.monotonic()
    with (
        serving(_drip_after(head)) as url,
        pytest.raises(ScrapeFailed, match=r"longer than 0\.2 s"),
    ):
        fetch(url, seconds=0.2)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("length", ["Content-Length: 12\r\n", ""], ids=["length", "no length"])
def test_an_answer_whose_end_is_missing_is_a_fault(length: str) -> None:
    """A trainer may end while it answers; 1 is not 1e-05."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{length}\r\n".encode()
    with (
        serving(lambda connection: connection.sendall(head + b"loss 1")) as url,
        pytest.raises(ScrapeFailed, match="its answer ended within a line"),
    ):
        fetch(url)


def test_the_query_of_the_path_is_sent() -> None:
    asked: list[bytes] = []

    def answer(connection: socket.socket, request: bytes) -> None:
        asked.append(request.split(b"\r\n")[0])
        _send(b"loss 1\n")(connection)

    with serving_requests(answer) as url:
        fetch(f"{url}?format=text&which=a%20b")
    assert asked == [b"GET /metrics?format=text&which=a%20b HTTP/1.1"]


class Looks:
    """A scraper that looks when a test says so, at bodies that the test gives."""

    def __init__(self, *bodies: bytes) -> None:
        self.points: list[JournalPoint] = []
        self.log = MemoryLog()
        self.attempt = 1
        self.fault: Exception | None = None
        self._left = iter(bodies)

    @contextmanager
    def begun(self) -> Iterator[Scraper]:
        """Give the scraper after its first look."""
        with serving(self._answer) as self.url:
            endpoint = Endpoint(url=self.url, metrics=["loss"], interval=3600)
            looks = Scraper(endpoint, self._accept, lambda: self.attempt, self.log)
            eventually(lambda: self.points or self.log.sentences, lambda: "no scrape")
            yield looks
            looks.close()

    @property
    def values(self) -> list[str]:
        return [point.value for point in self.points]

    def _answer(self, connection: socket.socket) -> None:
        _send(next(self._left))(connection)

    def _accept(self, points: Iterable[JournalPoint]) -> None:
        if self.fault is not None:
            raise self.fault
        self.points += points


def test_only_a_value_that_has_changed_is_a_point_and_faults_are_told_once() -> None:
    bodies = [b"loss 1\n", b"loss 1\n", b"loss 2\n", b"<html>", b"<html>", b"loss 2\n"]
    looks = Looks(*bodies)
    with looks.begun() as scraper:
        for _ in bodies[1:]:
            scraper.look()
    assert looks.values == ["1.0", "2.0"]
    assert len(looks.log.sentences) == 2
    assert looks.log.sentences[-1] == f"2 of 6 scrapes of {looks.url} failed"


def test_the_first_value_of_another_attempt_is_a_point_though_it_is_equal() -> None:
    looks = Looks(*[b"loss 1\n"] * 3)
    with looks.begun() as scraper:
        looks.attempt = 2
        scraper.look()
        scraper.look()
    assert looks.values == ["1.0", "1.0"]


def test_a_value_that_was_not_accepted_is_offered_again() -> None:
    looks = Looks(*[b"loss 1\n"] * 2)
    looks.fault = Unavailable("the disk is full")
    with looks.begun() as scraper:
        looks.fault = None
        scraper.look()
    assert looks.values == ["1.0"]


def test_an_unexpected_fault_is_counted_and_told_and_the_scraper_goes_on() -> None:
    looks = Looks(*[b"loss 1\n"] * 2)
    looks.fault = RuntimeError("surprise")
    with looks.begun() as scraper:
        looks.fault = None
        scraper.look()
    assert looks.values == ["1.0"]
    assert looks.log.sentences == [
        f"cannot scrape {looks.url}: RuntimeError('surprise'); trying again",
        f"1 of 2 scrapes of {looks.url} failed",
    ]


def test_a_scraper_ends_at_once_while_an_answer_comes_byte_by_byte() -> None:
    drip, begun = _drip_after(b"HTTP/1.1 200 OK\r\n\r\n"), threading.Event()

    def answer(connection: socket.socket) -> None:
        begun.set()
        drip(connection)

    def ignore(points: Iterable[JournalPoint]) -> None:
        del points

    with serving(answer) as url:
        endpoint = Endpoint(url=url, metrics=("loss",), interval=60.0)
        looking = Scraper(endpoint, ignore, lambda: 1, MemoryLog())
        assert begun.wait(10)
        start = time.monotonic()
        looking.close()
        assert time.monotonic() - start < 2.0  # what the collector keeps for its end
