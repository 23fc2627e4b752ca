"""One request to the search: deploys its service if necessary, and stores its reply.

A search that fails is called again later, each time after a longer wait. But when a trial has ended
since, or another number of trials is wanted, the reply may differ, so it is called at once.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from api.errors import RemoteError, UserError
from api.types import Suggestion
from controller.driver.ports import Conflict, Ports
from controller.driver.retries import BACKOFF
from controller.reconcile import suggestion_conditions, suggestions
from controller.reconcile.actions import AskSuggestions
from controller.reconcile.enqueued import with_enqueued
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import Key, key_of

_Reply = TypeVar("_Reply")
_DEPLOYMENT_CHECK: Final = timedelta(seconds=1)
"""How soon to check a Deployment again that is not available yet."""


class NotBeforeError(Exception):
    """Nothing is wrong, but nothing more can be done before `moment`."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(f"cannot continue before {moment}")
        self.moment = moment


@dataclass(frozen=True, slots=True)
class _Failure:
    times: int
    until: datetime
    question: tuple[int, int]
    """How many trials had ended, and how many were wanted."""


class SuggestionRequester:
    """Makes the requests of all experiments."""

    def __init__(self, ports: Ports, rng: random.Random) -> None:
        self._ports, self._rng = ports, rng
        self._failures: dict[Key, _Failure] = {}

    async def ask(self, action: AskSuggestions, now: datetime) -> None:
        """Ask the search for trials and store the reply, or store why it refuses the experiment.

        Raises:
            NotBeforeError: the service is being deployed, or failed a moment ago.
            RemoteError: the search does not answer now; the Suggestion says why.
        """
        key = key_of(action.suggestion)
        self._wait_after_failure(key, action, now)
        stored = await self._ports.objects.write_spec(action.suggestion)
        asked = replace(action.suggestion, metadata=stored.metadata)
        asked = await self._deployed(action, asked, now)
        call = self._ports.suggestions.ask(
            action.experiment, action.trials, action.asked, action.count
        )
        try:
            reply = await self._record_failure_of(call, action, asked, now)
        except UserError as error:
            after = suggestion_conditions.mark_failed(asked, str(error), now)
        else:
            reply = with_enqueued(action.experiment, reply, action.asked)
            taken = {trial.metadata.name for trial in action.trials}
            draw = self._names(asked.metadata.name, taken)
            after = suggestions.with_reply(asked, reply, action.count, draw, now)
        self._failures.pop(key, None)
        await self._ports.objects.write_status(after)

    def forget(self, key: Key) -> None:
        """Forget an experiment that was deleted."""
        self._failures.pop(key, None)

    async def _deployed(
        self, action: AskSuggestions, asked: Suggestion, now: datetime
    ) -> Suggestion:
        """Return the suggestion once its service serves.

        A service that is not deployed for this experiment always counts as serving.
        """
        services, objects = self._ports.services, self._ports.objects
        if not await services.deploys(asked):
            return asked
        if not suggestion_conditions.is_deployed(asked):
            # Recorded first, then deployed: so the deployment is always removed in the end.
            await objects.write_status(suggestion_conditions.mark_deploying(asked, now))
            raise NotBeforeError(now)
        if await self._record_failure_of(services.deploy(asked), action, asked, now):
            return suggestion_conditions.mark_deployment_ready(asked, now)
        waiting = suggestion_conditions.mark_deploying(asked, now)
        if waiting != asked:
            await objects.write_status(waiting)
        raise NotBeforeError(now + _DEPLOYMENT_CHECK)

    async def _record_failure_of(
        self, call: Awaitable[_Reply], action: AskSuggestions, asked: Suggestion, now: datetime
    ) -> _Reply:
        """Await a call to a service; if it fails, store the cause in the Suggestion."""
        try:
            return await call
        except Conflict:
            raise
        except RemoteError as error:
            self._note_failure(key_of(asked), action, now)
            after = suggestion_conditions.mark_stalled(asked, str(error), now)
            if after != asked:
                with suppress(RemoteError):  # the first error matters
                    await self._ports.objects.write_status(after)
            raise

    def _wait_after_failure(self, key: Key, action: AskSuggestions, now: datetime) -> None:
        failure = self._failures.get(key)
        if failure and failure.question == _question(action) and now < failure.until:
            raise NotBeforeError(failure.until)

    def _note_failure(self, key: Key, action: AskSuggestions, now: datetime) -> None:
        last = self._failures.get(key)
        times = last.times + 1 if last else 1
        until = now + timedelta(seconds=BACKOFF.wait(times))
        self._failures[key] = _Failure(times, until, _question(action))

    def _names(self, experiment: str, taken: Collection[str]) -> Callable[[], str]:
        """Return a function that draws names that no trial has; of 27**8 names most are free."""

        def draw() -> str:
            while True:
                letters = self._rng.choices(suggestions.NAME_LETTERS, k=suggestions.NAME_LENGTH)
                name = f"{experiment}-{''.join(letters)}"
                if name not in taken:
                    return name

        return draw


def _question(action: AskSuggestions) -> tuple[int, int]:
    return sum(1 for trial in action.trials if has_ended(trial)), action.count
