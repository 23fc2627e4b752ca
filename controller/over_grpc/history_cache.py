"""The trials of a question on the wire: written once each, however often they are sent.

A history of thousands of trials goes out with every question, and only its end is new. So what a
trial is on the wire is kept by the version of its object. The parts are put together as bytes:
encoded messages that follow each other are one message, whose lists are joined; Protocol Buffers
promises so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from cachetools import LRUCache

from api.types import Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.trials import trial_to_wire

_MOST: Final = 50_000
"""Trials that are kept; one takes about half a KiB."""
Question: TypeAlias = "pb.GetSuggestionsRequest | pb.GetEarlyStoppingRulesRequest"
"""Both have their trials under the same number, so a part of one is a part of the other."""


class HistoryCache:
    """What was sent of trials before."""

    def __init__(self, most: int = _MOST) -> None:
        self._parts: LRUCache[tuple[str, ...], bytes] = LRUCache(most)

    def __len__(self) -> int:
        return len(self._parts)

    def with_trials(self, question: Question, trials: Iterable[Trial]) -> bytes:
        """Encode a question with these trials."""
        return question.SerializeToString() + b"".join(map(self._part, trials))

    def _part(self, trial: Trial) -> bytes:
        meta = trial.metadata
        key = (meta.namespace, meta.name, meta.uid, meta.resource_version)
        part = self._parts.get(key) if meta.resource_version else None
        if part is None:
            part = pb.GetSuggestionsRequest(trials=[trial_to_wire(trial)]).SerializeToString()
            if meta.resource_version:
                self._parts[key] = part
        return part
