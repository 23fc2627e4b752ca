"""Scrapes the trainer's metrics at regular times, in a thread."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_PIECE = 1 << 16
_OK = 200


class ScrapeFailed(Exception):
    """No values could be read; the message says why."""


class Scraper:
    """Reads an endpoint; a value that has changed since the last look becomes a point.

    A trainer sets a gauge once a step or an epoch. So a value that is the same as before, with the
    same time stamp, is no new observation.
    """

    def __init__(
        self,
        url: str,
        metrics: Sequence[str],
        accept: Callable[[Iterable[JournalPoint]], None],
        log: MessageLog,
        interval: float,
    ) -> None:
        """Begin to look, every `interval` seconds; `accept` is `Journal.append`.

        Raises:
            UserError: a metric's name is not one of Prometheus.
        """
        self._url = url
        self._wanted = {name: sample_selector(name) for name in metrics}
        self._accept = accept
        self._log = log
        self._interval = interval
        self._known: dict[str, JournalPoint] = {}
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
            self._take_new(*fetch(self._url))
        except (ScrapeFailed, Unavailable) as fault:
            self._failures += 1
            self._known = {}  # another attempt of the trainer may answer next
            self._tell(f"cannot scrape {self._url}: {fault}; trying again")
        finally:
            self._one_look.release()

    def close(self) -> None:
        """End the looks, and write to the log how many have failed."""
        self._ending.set()
        self._thread.join()
        if self._failures:
            self._log.write(f"{self._failures} of {self._looks} scrapes of {self._url} failed")

    def _run(self) -> None:
        while not self._ending.is_set():
            self.look()
            self._ending.wait(self._interval)

    def _take_new(self, body: bytes, content_type: str) -> None:
        try:
            found = scraped(body, content_type, self._wanted)
        except ValueError as fault:
            raise ScrapeFailed(str(fault)) from fault
        for sentence in found.unclear:
            self._tell(sentence)
        new = [point for point in found.points if self._known.get(point.name) != point]
        self._accept(new)
        self._known |= {point.name: point for point in new}

    def _tell(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self._log.write(sentence)


def fetch(url: str, seconds: float = ANSWER_SECONDS) -> tuple[bytes, str]:
    """Return the body and the content type of an answer; redirects are not followed.

    Raises:
        ScrapeFailed: no such answer came in time, or it is too large.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    late = threading.Event()
    try:
        connection.connect()
        with _hang_up_after(seconds, connection.sock, late):
            connection.request("GET", target, headers={"Accept": ACCEPT})
            found = _read_answer(connection)
        if late.is_set():  # what came may be only a part
            raise ScrapeFailed(_too_late(seconds))
        return found
    except (OSError, http.client.HTTPException) as fault:
        why = _too_late(seconds) if late.is_set() else str(fault) or type(fault).__name__
        raise ScrapeFailed(why) from fault
    finally:
        connection.close()


def _read_answer(connection: http.client.HTTPConnection) -> tuple[bytes, str]:
    with connection.getresponse() as answer:
        if answer.status != _OK:
            raise ScrapeFailed(f"it answered with status {answer.status}")
        pieces, size = [], 0
        while piece := answer.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BODY:
                raise ScrapeFailed(f"its answer has more than {MOST_BODY} bytes")
        return b"".join(pieces), answer.headers.get("Content-Type", "")


@contextlib.contextmanager
def _hang_up_after(
    seconds: float, connected: socket.socket, late: threading.Event
) -> Iterator[None]:
    """End the connection when the time is over.

    A server may send a byte now and then for ever: each of them would be in time. The socket is
    an argument, since `http.client` forgets that of an answer that ends with its connection.
    """

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    alarm = threading.Timer(seconds, hang_up)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        alarm.join()


def _too_late(seconds: float) -> str:
    return f"its answer took longer than {seconds:g} s"
