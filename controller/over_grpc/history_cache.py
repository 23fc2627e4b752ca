"""The trials of a request in wire form: encoded once each, however often they are sent.

Each request contains a history of thousands of trials, and only its end is new. So the wire form of
a trial is cached by the version of its object. The parts are joined as bytes: Protocol Buffers
guarantee that concatenated messages are one message, whose lists are joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from cachetools import LRUCache

from api.types import Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.trials import trial_to_wire

_MAX_TRIALS: Final = 50_000
"""Maximum of cached trials; one takes about half a KiB."""
TrialsRequest: TypeAlias = "pb.GetSuggestionsRequest | pb.GetEarlyStoppingRulesRequest"
"""Both have their trials in a field of the same number, so their parts are interchangeable."""


class HistoryCache:
    """The wire form of trials that were sent before."""

    def __init__(self, max_trials: int = _MAX_TRIALS) -> None:
        self._parts: LRUCache[tuple[str, ...], bytes] = LRUCache(max_trials)

    def __len__(self) -> int:
        return len(self._parts)

    def with_trials(self, request: TrialsRequest, trials: Iterable[Trial]) -> bytes:
        """Encode a request with these trials."""
        return request.SerializeToString() + b"".join(map(self._part, trials))

    def _part(self, trial: Trial) -> bytes:
        meta = trial.metadata
        key = (meta.namespace, meta.name, meta.uid, meta.resource_version)
        part = self._parts.get(key) if meta.resource_version else None
        if part is None:
            part = pb.GetSuggestionsRequest(trials=[trial_to_wire(trial)]).SerializeToString()
            if meta.resource_version:
                self._parts[key] = part
        return part
