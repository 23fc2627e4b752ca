"""One question to the search: its service deployed where that is due, its answer written down.

A search that cannot answer is asked again later, each time later than before, whatever happens in
the meantime; but when a trial has ended, or more are wanted, the next answer may well be another,
so it is asked at once.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from api.backoff import Backoff
from api.errors import RemoteError, UserError
from api.types import Suggestion
from controller.driver.ports import Conflict, Ports
from controller.reconcile import suggestions
from controller.reconcile.actions import AskSuggestions
from controller.reconcile.trial_states import has_ended
from controller.reconcile.views import Key, key_of

BACKOFF: Final = Backoff(first=0.25, longest=60.0)
"""How much later the driver comes again after each failure in a row."""
_Reply = TypeVar("_Reply")
_LOOK_AGAIN: Final = timedelta(seconds=1)
"""How soon a Deployment is looked at again that is not available yet."""


class NotBeforeError(Exception):
    """Nothing is wrong, and nothing more can be done before `moment`."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(f"not before {moment}")
        self.moment = moment


@dataclass(frozen=True, slots=True)
class _Failure:
    times: int
    until: datetime
    question: tuple[int, int]
    """How many trials had ended, and how many were wanted."""


class SuggestionRequester:
    """Asks for all experiments."""

    def __init__(self, ports: Ports, dice: random.Random) -> None:
        self._ports, self._dice = ports, dice
        self._failures: dict[Key, _Failure] = {}

    async def ask(self, action: AskSuggestions, now: datetime) -> None:
        """Ask, and write the answer down; or why there is none and will be none.

        Raises:
            LaterError: the service is being deployed, or was asked in vain a moment ago.
            RemoteError: there is no answer now; the Suggestion says why.
        """
        key = key_of(action.suggestion)
        self._wait_after_failure(key, action, now)
        kept = await self._ports.objects.write_spec(action.suggestion)
        asked = replace(action.suggestion, metadata=kept.metadata)
        asked = await self._deployed(action, asked, now)
        question = self._ports.suggestions.ask(
            action.experiment, action.trials, action.asked, action.count
        )
        try:
            answer = await self._answered(question, action, asked, now)
        except UserError as error:
            after = suggestions.mark_failed(asked, str(error), now)
        else:
            taken = {trial.metadata.name for trial in action.trials}
            draw = self._names(asked.metadata.name, taken)
            after = suggestions.with_reply(asked, answer, action.count, draw, now)
        self._failures.pop(key, None)
        await self._ports.objects.write_status(after)

    def forget(self, key: Key) -> None:
        """Forget an experiment that is gone."""
        self._failures.pop(key, None)

    async def _deployed(
        self, action: AskSuggestions, asked: Suggestion, now: datetime
    ) -> Suggestion:
        """Return the suggestion when its service serves; one that is not deployed always does."""
        services, objects = self._ports.services, self._ports.objects
        if not await services.deploys(asked):
            return asked
        if not suggestions.is_deployed(asked):
            # Written down, then done: what is deployed is sure to be taken away at the end.
            await objects.write_status(suggestions.mark_deploying(asked, now))
            raise NotBeforeError(now)
        if await self._answered(services.deploy(asked), action, asked, now):
            return suggestions.mark_deployment_ready(asked, now)
        waiting = suggestions.mark_deploying(asked, now)
        if waiting != asked:
            await objects.write_status(waiting)
        raise NotBeforeError(now + _LOOK_AGAIN)

    async def _answered(
        self, call: Awaitable[_Reply], action: AskSuggestions, asked: Suggestion, now: datetime
    ) -> _Reply:
        """Wait for a service; where it fails, let those who look at the Suggestion see why."""
        try:
            return await call
        except Conflict:
            raise
        except RemoteError as error:
            self._note_failure(key_of(asked), action, now)
            after = suggestions.mark_stalled(asked, str(error), now)
            if after != asked:
                with suppress(RemoteError):  # what was there first is the reason to be told
                    await self._ports.objects.write_status(after)
            raise

    def _wait_after_failure(self, key: Key, action: AskSuggestions, now: datetime) -> None:
        failure = self._failures.get(key)
        if failure and failure.question == _question(action) and now < failure.until:
            raise NotBeforeError(failure.until)

    def _note_failure(self, key: Key, action: AskSuggestions, now: datetime) -> None:
        before = self._failures.get(key)
        times = before.times + 1 if before else 1
        until = now + timedelta(seconds=BACKOFF.wait(times))
        self._failures[key] = _Failure(times, until, _question(action))

    def _names(self, experiment: str, taken: Collection[str]) -> Callable[[], str]:
        """Return what draws names that no trial has; of 27**8 most are free."""

        def draw() -> str:
            while True:
                letters = self._dice.choices(suggestions.NAME_LETTERS, k=suggestions.NAME_LENGTH)
                name = f"{experiment}-{''.join(letters)}"
                if name not in taken:
                    return name

        return draw


def _question(action: AskSuggestions) -> tuple[int, int]:
    return sum(1 for trial in action.trials if has_ended(trial)), action.count
