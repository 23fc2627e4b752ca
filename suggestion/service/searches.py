"""The port to the searches: what the gRPC service asks for, and how a search can end early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from api.errors import RemoteError, Unavailable

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a request and of a reply; a request with 25,000 trials of five parameters has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One call, as it came."""

    method: str
    """Of Katib's service `Suggestion`."""
    request: bytes
    namespace: str
    """Of the caller; empty if the caller named none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """What a search is busy with: the decoded request in short."""

    experiment: str
    algorithm: str
    trials: int
    points: int


class Searches(Protocol):
    """Does the work of calls."""

    async def run(self, job: Job, seconds: float | None) -> bytes:
        """Return the reply.

        Args:
            job: the call.
            seconds: until the caller's deadline; None: the caller has none.

        Raises:
            UserError: the request is wrong.
            SetupError: the algorithm's package is broken.
            SearchTimeoutError: there was no reply in time.
            SearchMemoryError: the search needs more memory than a worker may use.
            QueueFullError: too many calls wait.
        """


class SearchTimeoutError(RemoteError):
    """A search took too long, or waited too long for a worker."""


class SearchMemoryError(RemoteError):
    """A search needs more memory than a worker may use."""


class QueueFullError(Unavailable):
    """Too many calls wait for a worker."""
