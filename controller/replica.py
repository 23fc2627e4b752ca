"""One replica of the controller: it acquires the Lease, leads, and releases the Lease.

    wait for the settings ──> acquire the Lease ──> one term after the other ──> release
                                    ↑                        │
                                    └── the Lease was lost ──┘

A term ends when the settings change: the next one begins with the new settings. When the program
must end, a term starts nothing new and finishes its work, within the grace period.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from controller.background import background_tasks, done_before, first_done
from controller.config import Config
from controller.leader_term import LeaderTerm, TermDependencies
from controller.metrics import Metrics
from controller.settings import Settings
from controller.term_setup import term_dependencies
from kube.cluster import Cluster
from kube.events import EventRecorder
from kube.leader_election import LeaderElection
from kube.settings_source import ConfigSource
from serving.logs import get_logger

_SETTINGS_CHECK_SECONDS: Final = 5.0
"""How often to check whether the settings have changed."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaParts:
    """What a replica works with."""

    settings: Settings
    cluster: Cluster
    """The cluster; with leader election its writes must be fenced."""
    config: ConfigSource[Config]
    events: EventRecorder
    metrics: Metrics
    leadership: LeaderElection | None
    """None: without leader election."""


class Replica:
    """Leads whenever it holds the Lease, until `ended` is set."""

    def __init__(self, parts: ReplicaParts, ended: asyncio.Event) -> None:
        self._parts, self._ended = parts, ended
        self._term: LeaderTerm | None = None

    def unready_reasons(self) -> Iterator[str]:
        """Yield why this replica neither works nor waits for the Lease."""
        leadership = self._parts.leadership
        if self._ended.is_set():
            yield "ending"
        if self._parts.config.trouble:
            yield self._parts.config.trouble
        if self._term is not None:
            yield from self._term.unready_reasons()
        elif leadership is not None and leadership.trouble:
            yield leadership.trouble

    async def run(self) -> None:
        """Lead, again and again, until `ended` is set."""
        if not await done_before(self._ended, self._configured()):
            return
        leadership = self._parts.leadership
        while not self._ended.is_set():
            if leadership is None:
                await self._lead(asyncio.Event().wait())
            elif await done_before(self._ended, leadership.acquire()):
                await self._lead(leadership.renew())
                await leadership.release()

    async def _configured(self) -> None:
        while self._parts.config.trouble:  # noqa: ASYNC110 - the source has no event for it
            await asyncio.sleep(0.1)

    async def _lead(self, renew_lease: Coroutine[Any, Any, object]) -> None:
        """Run terms until `ended` is set or `renew_lease` returns; then no work is left.

        If the Lease is lost, all work is cancelled at once, and this replica waits for the Lease
        again. To end the process would bring nothing more: while the API server is unreachable, it
        would be restarted after longer and longer waits.
        """
        self._parts.metrics.set_leading(leading=True)
        try:
            async with background_tasks() as start:
                lost, ending = start(renew_lease), start(self._ended.wait())
                while not lost.done() and not ending.done():
                    await self._run_term(lost, ending)
        finally:
            self._term = None
            self._parts.metrics.set_leading(leading=False)
            self._parts.metrics.clear()

    async def _run_term(self, lost: asyncio.Task[Any], ending: asyncio.Task[Any]) -> None:
        """Work with the current settings until they change, or one of the two tasks is done."""
        config = self._parts.config.config
        async with self._dependencies(config) as dependencies, background_tasks() as start:
            self._term = term = LeaderTerm(dependencies, start)
            self._parts.metrics.watch_states("experiments", term.experiments)
            self._parts.metrics.watch_states("trials", term.trials)
            running, changed = start(term.run()), start(self._settings_changed(config))
            await first_done(running, changed, lost, ending)
            has_work = not any(term.unready_reasons())
            if has_work and not lost.done():
                await self._drain(term, running, lost)

    async def _drain(
        self, term: LeaderTerm, running: asyncio.Task[Any], lost: asyncio.Task[Any]
    ) -> None:
        """Let a term finish its work, within the grace period, while the Lease is held."""
        _log.info("draining: starting nothing new, finishing work under way")
        term.end()
        await first_done(running, lost, seconds=self._parts.settings.grace.total_seconds())

    def _dependencies(self, config: Config) -> AbstractAsyncContextManager[TermDependencies]:
        parts = self._parts
        return term_dependencies(
            parts.settings, config, parts.config, parts.cluster, parts.events, parts.metrics
        )

    async def _settings_changed(self, config: Config) -> None:
        """Return when settings have changed that a term cannot take over."""
        source = self._parts.config
        while _fixed_in_a_term(source.config) == _fixed_in_a_term(config):  # noqa: ASYNC110 - no event
            await asyncio.sleep(_SETTINGS_CHECK_SECONDS)
        _log.info("the settings have changed: starting again with the new settings")


def _fixed_in_a_term(config: Config) -> object:
    """Return the settings that cannot change during a term."""
    return config.trial_resources, config.db_manager
