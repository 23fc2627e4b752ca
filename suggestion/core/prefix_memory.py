"""Remembers what was computed from the beginning of a history, to go on from there.

A search is a pure function of its history, and stays one: what is remembered counts only if the
history begins with the same trials, value by value, so an answer is the same in any process, with
memory or without. It only saves time: a history of 20,000 trials mostly differs from the one of the
question before in its last trials.
"""

from __future__ import annotations

from collections.abc import Hashable
from operator import attrgetter
from typing import Generic, TypeVar

from suggestion.core.trial_history import History

_State = TypeVar("_State")
_Columns = list[list[object]]
"""Of each field, the values of all trials."""
_MOST = 4
"""Experiments that are remembered: each holds the values of its trials, up to some 20 MB."""


class PrefixMemory(Generic[_State]):
    """States by key; the least recently stored one is forgotten first."""

    def __init__(self, *fields: str) -> None:
        """Make it empty; `fields` are those of a past trial that a state depends on."""
        self._fields = tuple(map(attrgetter, fields))
        self._states: dict[Hashable, tuple[_Columns, int, _State]] = {}

    def take(self, key: Hashable, history: History) -> tuple[_State, int] | None:
        """Return a state of the beginning of this history, and of how many trials it is.

        It is forgotten, because the caller goes on from it and changes it. None: there is none.
        """
        remembered = self._states.pop(key, None)
        if remembered is None:
            return None
        columns, count, state = remembered
        return (state, count) if self._columns(history[:count]) == columns else None

    def put(self, key: Hashable, history: History, state: _State) -> None:
        """Remember the state after exactly these trials; the caller no longer changes it."""
        self._states.pop(key, None)
        while len(self._states) >= _MOST:
            del self._states[next(iter(self._states))]
        self._states[key] = (self._columns(history), len(history), state)

    def _columns(self, history: History) -> _Columns:
        return [list(map(field, history)) for field in self._fields]

    def clear(self) -> None:
        """Forget all."""
        self._states.clear()
