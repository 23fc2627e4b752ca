"""A worker: `python -m suggestion.workers BYTES SECONDS [FOLDER]`.

Only the suggestion service starts it. FOLDER has the checkpoints of trials.

It reads calls from standard input and writes replies to standard output, one after the other, until
its input ends. Its memory is limited to BYTES, each call to somewhat more than SECONDS.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from api.errors import SetupError, SpecError, UserError
from serving.logs import get_logger, start_logging
from suggestion.service.katib_requests import in_katibs_words
from suggestion.service.search_calls import CALLS, Calls, calls
from suggestion.service.searches import Began
from suggestion.workers.frames import (
    HEAD_BYTES,
    METHODS,
    Kind,
    began_to_bytes,
    head,
    read_head,
)

_log = get_logger(__name__)
_GRACE_SECONDS: Final = 5
"""The service kills a worker in time; if the service is gone, the worker ends itself."""
_NAMES: Final = {kind: method for method, kind in METHODS.items()}
_DATA_FIELD: Final = 5
"""Of /proc/self/statm: what RLIMIT_DATA limits, and the stack."""
_LAST: Final = frozenset({Kind.LAST_REPLY, Kind.NO_MEMORY, Kind.FAILED})


def main(argv: Sequence[str]) -> int:
    """Serve until the input ends, or until this process must be replaced."""
    memory, seconds = map(int, argv[:2])
    checkpoints = Path(argv[2]) if len(argv) > 2 else None  # noqa: PLR2004 - the third is optional
    # The service ends its workers itself: a Ctrl-C at the terminal reaches them too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not become a part of a reply
    # Of data, not of addresses: libraries reserve addresses that they never use.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    start_logging()
    worker = Worker(replies, memory, calls(checkpoints))
    while (call := _next_call(sys.stdin.buffer)) is not None:
        signal.alarm(seconds + _GRACE_SECONDS)
        last = worker.do(*call)
        signal.alarm(0)
        if last:
            break
    return 0


class Worker:
    """Does calls one after the other."""

    def __init__(self, replies: BinaryIO, memory: int, known: Calls = CALLS) -> None:
        self._replies, self._memory, self._calls = replies, memory, known

    def do(self, method: str, request: bytes) -> bool:
        """Answer one call; return whether this process must end."""
        try:
            body = self._calls[method](request, self._began)
            kind = Kind.LAST_REPLY if self._has_grown() else Kind.REPLY
        except SpecError as error:
            kind, body = Kind.USER_ERROR, in_katibs_words(error).encode()
        except UserError as error:
            kind, body = Kind.USER_ERROR, str(error).encode()
        except SetupError as error:
            kind, body = Kind.SETUP_ERROR, str(error).encode()
        except MemoryError:
            kind, body = Kind.NO_MEMORY, b""
        except Exception as error:  # noqa: BLE001 - it is answered, and logged
            _log.error("a search failed", trace=traceback.format_exc())
            kind, body = Kind.FAILED, type(error).__name__.encode()
        self._write(kind, body)
        return kind in _LAST

    def _began(self, began: Began) -> None:
        self._write(Kind.BEGAN, began_to_bytes(began))

    def _write(self, kind: Kind, body: bytes) -> None:
        self._replies.write(head(kind, body))
        self._replies.write(body)
        self._replies.flush()

    def _has_grown(self) -> bool:
        """Return whether the next search might find too little memory because of this one."""
        pages = int(Path("/proc/self/statm").read_text().split()[_DATA_FIELD])
        return pages * resource.getpagesize() > self._memory * 3 // 4


def _next_call(calls: BinaryIO) -> tuple[str, bytes] | None:
    """Return the method and the request; None at the end."""
    start = calls.read(HEAD_BYTES)
    if len(start) < HEAD_BYTES:
        return None
    kind, length = read_head(start)
    request = calls.read(length)
    return (_NAMES[kind], request) if len(request) == length else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
