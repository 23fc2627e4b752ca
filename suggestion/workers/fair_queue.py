"""Which waiting call is next: namespaces in turn, and of each the call that came first."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from dataclasses import dataclass
from typing import Generic, TypeVar

from suggestion.service.searches import QueueFullError

C = TypeVar("C")
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBounds:
    """How much may wait: calls, and bytes of their requests."""

    namespace_calls: int = 256
    namespace_bytes: int = 16 * _MEBIBYTE
    all_calls: int = 4096
    all_bytes: int = 64 * _MEBIBYTE


class FairQueue(Generic[C]):
    """Waiting calls by namespace."""

    def __init__(self, bounds: QueueBounds) -> None:
        self._bounds = bounds
        self._waiting: OrderedDict[str, deque[tuple[C, int]]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def put(self, namespace: str, call: C, size: int) -> None:
        """Add a call whose request has `size` bytes.

        Raises:
            QueueFullError: too much waits.
        """
        own = self._waiting.get(namespace, ())
        own_bytes = sum(bytes_ for _, bytes_ in own)
        bounds = self._bounds
        if len(own) >= bounds.namespace_calls or own_bytes + size > bounds.namespace_bytes:
            raise QueueFullError(
                f"namespace {namespace or '(none)'}: {len(own)} calls ({own_bytes} bytes) wait for"
                " a search; ask again later, and run fewer experiments at a time"
            )
        if len(self) >= bounds.all_calls or self._bytes + size > bounds.all_bytes:
            raise QueueFullError(
                f"{len(self)} calls ({self._bytes} bytes) of all namespaces wait for a search;"
                " ask again later"
            )
        self._waiting.setdefault(namespace, deque()).append((call, size))
        self._bytes += size

    def remove(self, namespace: str, call: C) -> None:
        """Drop a call; nothing happens if it does not wait."""
        for entry in self._waiting.get(namespace, ()):
            if entry[0] is call:
                self._drop(namespace, entry)
                return

    def next(self, busy: Container[str]) -> C | None:
        """Take the next call of a namespace that is not busy; the namespace is then the last."""
        namespace = next((name for name in self._waiting if name not in busy), None)
        if namespace is None:
            return None
        entry = self._waiting[namespace][0]
        self._waiting.move_to_end(namespace)
        self._drop(namespace, entry)
        return entry[0]

    def served(self, namespace: str) -> None:
        """Make a namespace the last: its call has ended, after others have waited for that."""
        if namespace in self._waiting:
            self._waiting.move_to_end(namespace)

    def _drop(self, namespace: str, entry: tuple[C, int]) -> None:
        self._waiting[namespace].remove(entry)
        self._bytes -= entry[1]
        if not self._waiting[namespace]:
            del self._waiting[namespace]
