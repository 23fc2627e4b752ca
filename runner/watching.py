"""What those who watch a run are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from api.types import Experiment, Trial
from controller.reconcile.actions import EmitEvent, EventType


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How an experiment stands."""

    experiment: Experiment
    trials: tuple[Trial, ...]
    """In the order in which they were asked for."""
    latest: Mapping[str, Mapping[str, str]]
    """By trial that runs, by metric: the value that was stored last."""


class Watcher(Protocol):
    """Who is told what happens."""

    def show(self, snapshot: Snapshot) -> None:
        """Take how the experiment stands; called a few times a second, where it has changed."""

    def tell(self, text: str) -> None:
        """Take a warning."""


class Warnings:
    """`controller.driver.ports.Events`: what goes wrong between the parts is told, once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._told = tell, set[str]()

    def emit(self, event: EmitEvent) -> None:
        """Take one event."""
        if event.type is EventType.WARNING and event.reason == "ReconcileError":
            text = f"{event.about.metadata.name}: {event.message}"
            if text not in self._told:
                self._told.add(text)
                self._tell(text)
