"""Scrapes the trainer's metrics at regular times, in a thread."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from api.errors import Unavailable
from api.prometheus_names import sample_selector
from collector.core.ports import MessageLog
from collector.receiving.exposition import ACCEPT, scraped
from filters.journal_finder import JournalPoint

MOST_BODY = 2 << 20
"""Bytes of an answer."""
ANSWER_SECONDS = 5.0
"""For a whole answer."""
_LAST_SECONDS = 1.0
"""How long `Scraper.close` waits for a look; the collector has two seconds at its end."""
_PIECE = 1 << 16
_OK = 200


class ScrapeFailed(Exception):
    """No values could be read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What is scraped."""

    url: str
    metrics: Sequence[str]
    """The metrics' names, as the objective gives them."""
    interval: float
    """Seconds between two looks."""


class Scraper:
    """Reads an endpoint; a value that has changed since the last look becomes a point.

    A trainer sets a gauge once a step or an epoch. So a value that is the same as before, with the
    same time stamp, is no new observation.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        accept: Callable[[Iterable[JournalPoint]], None],
        attempt: Callable[[], int],
        log: MessageLog,
    ) -> None:
        """Begin to look.

        Args:
            endpoint: what to read, and how often.
            accept: `Journal.append`.
            attempt: returns the number of the trainer's newest attempt, which answers.
            log: takes a sentence about a fault.

        Raises:
            UserError: a metric's name is not one of Prometheus.
        """
        self._url = endpoint.url
        self._wanted = {name: sample_selector(name) for name in endpoint.metrics}
        self._accept = accept
        self._attempt = attempt
        self._log = log
        self._interval = endpoint.interval
        self._known: tuple[int, dict[str, JournalPoint]] = 0, {}
        """The last points of an attempt, by name: each attempt reports its own values."""
        self._connected: socket.socket | None = None
        """The connection of the last look, for `close`."""
        self._looks = self._failures = 0
        self._told = ""
        """The last fault that the log has."""
        self._one_look = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Look once, now; a fault is counted, and written to the log unless it is the last one."""
        if not self._one_look.acquire(timeout=ANSWER_SECONDS):
            return
        try:
            self._looks += 1
            self._take_new(*fetch(self._url, connected=self._note_connection))
        except (ScrapeFailed, Unavailable) as fault:
            self._count(str(fault))
        except Exception as fault:  # noqa: BLE001 - the trainer wrote it; the next look may succeed
            self._count(repr(fault))
        finally:
            self._one_look.release()

    def close(self) -> None:
        """End the looks, and write to the log how many have failed."""
        self._ending.set()
        connected = self._connected
        if connected is not None:  # an answer may take longer than the collector still has
            _hang_up(connected)
        self._thread.join(_LAST_SECONDS)
        if self._failures:
            self._log.write(f"{self._failures} of {self._looks} scrapes of {self._url} failed")

    def _run(self) -> None:
        while not self._ending.is_set():
            self.look()
            self._ending.wait(self._interval)

    def _note_connection(self, connected: socket.socket) -> None:
        self._connected = connected
        if self._ending.is_set():
            raise ScrapeFailed("the collector ends")

    def _take_new(self, body: bytes, content_type: str) -> None:
        try:
            found = scraped(body, content_type, self._wanted)
        except ValueError as fault:
            raise ScrapeFailed(str(fault)) from fault
        for sentence in found.unclear:
            self._tell(sentence)
        attempt, (known_of, known) = self._attempt(), self._known
        if attempt != known_of:
            known = {}
        new = [point for point in found.points if known.get(point.name) != point]
        self._accept(new)
        self._known = attempt, known | {point.name: point for point in new}

    def _count(self, fault: str) -> None:
        self._failures += 1
        self._tell(f"cannot scrape {self._url}: {fault}; trying again")

    def _tell(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self._log.write(sentence)


def fetch(
    url: str,
    seconds: float = ANSWER_SECONDS,
    *,
    connected: Callable[[socket.socket], None] | None = None,
) -> tuple[bytes, str]:
    """Return the body and the content type of an answer; redirects are not followed.

    `connected` is called with the socket once it is connected.

    Raises:
        ScrapeFailed: no such answer came in time, or it is too large.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.connect()
        if connected is not None:
            connected(connection.sock)
        with _hang_up_after(seconds, connection.sock):
            connection.request("GET", target, headers={"Accept": ACCEPT})
            return _read_answer(connection)
    except (OSError, http.client.HTTPException) as fault:
        raise ScrapeFailed(str(fault) or type(fault).__name__) from fault
    finally:
        connection.close()


def _read_answer(connection: http.client.HTTPConnection) -> tuple[bytes, str]:
    with connection.getresponse() as answer:
        if answer.status != _OK:
            raise ScrapeFailed(f"it answered with status {answer.status}")
        has_length = answer.chunked or answer.length is not None
        pieces, size = [], 0
        while piece := answer.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BODY:
                raise ScrapeFailed(f"its answer has more than {MOST_BODY} bytes")
        body = b"".join(pieces)
        # `http.client` takes the end of the connection for that of the answer. A number whose last
        # digits are missing is another number.
        if answer.length or (body and not has_length and not body.endswith(b"\n")):
            raise ScrapeFailed("its answer ended within a line, or before its Content-Length")
        return body, answer.headers.get("Content-Type", "")


@contextlib.contextmanager
def _hang_up_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """End the connection when the time is over, and raise TimeoutError then.

    A server may send a byte now and then for ever: each of them would be in time. The socket is
    an argument, since `http.client` forgets that of an answer that ends with its connection.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        _hang_up(connected)

    alarm = threading.Timer(seconds, end)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        alarm.join()
        if late.is_set():  # what was read may be only a part
            raise TimeoutError(f"its answer took longer than {seconds:g} s")


def _hang_up(connected: socket.socket) -> None:
    """End a connection, also while another thread reads from it."""
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
