"""The steps of a migration and of its way back: which acts, in which order.

The order within a step keeps three things true at every moment, so that an interruption there is
harmless:

- two controllers never work at the same time: one has no pods before the other starts;
- a pod of a trial is never without a collector: while both webhooks see it, trialwatch's refuses
  it, and its job makes it again;
- the Service of the DB manager leads to a manager that is ready, on one and the same database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api.errors import UserError
from trialwatch.migration import installed_names as names
from trialwatch.migration.acts import (
    Act,
    Apply,
    ApplyBeside,
    CompleteSuggestions,
    Configure,
    Deregister,
    Forget,
    Lead,
    Ready,
    Remove,
    RestoreDefinitions,
    Save,
    SetAside,
    Start,
    Stop,
    TryPod,
)
from trialwatch.migration.katib_config import EDITED, Stage
from trialwatch.migration.katib_webhooks import EXPERIMENT_ENTRIES, POD_ENTRIES
from trialwatch.migration.survey import Survey

_FORTH: Final[dict[Stage, tuple[Act, ...]]] = {
    Stage.STORE: (
        Save(),
        Apply("store"),
        Ready(names.DB_MANAGER),
        Lead(names.DB_MANAGER, ours=True),
        Stop(names.KATIB_DB_MANAGER),
    ),
    Stage.WEBHOOK: (
        Save(),
        ApplyBeside("webhook-beside", names.WEBHOOK),
        Ready(names.WEBHOOK),
        Configure(Stage.WEBHOOK),
        Apply("webhook"),
        SetAside(POD_ENTRIES, aside=True),
        Ready(names.WEBHOOK),
        TryPod(),
    ),
    Stage.SEARCH: (
        Save(),
        Apply("search"),
        Ready(names.SUGGESTION),
        Configure(Stage.SEARCH),
    ),
    Stage.CONTROLLER: (
        Save(),
        Stop(names.KATIB_CONTROLLER),
        Configure(Stage.CONTROLLER),
        Apply("definitions"),
        Apply("controller"),
        SetAside(EXPERIMENT_ENTRIES, aside=True),
        Ready(names.CONTROLLER),
    ),
}
_BACK: Final[dict[Stage, tuple[Act, ...]]] = {
    Stage.CONTROLLER: (
        Stop(names.CONTROLLER),
        CompleteSuggestions(),
        Configure(Stage.SEARCH),
        Remove("controller"),
        RestoreDefinitions(),
        SetAside(EXPERIMENT_ENTRIES, aside=False),
        Start(names.KATIB_CONTROLLER),
    ),
    Stage.SEARCH: (Configure(Stage.WEBHOOK), Remove("search")),
    Stage.WEBHOOK: (
        SetAside(POD_ENTRIES, aside=False),
        Deregister(),
        Configure(Stage.STORE),
        Remove("webhook"),
    ),
    Stage.STORE: (
        Start(names.KATIB_DB_MANAGER),
        Lead(names.KATIB_DB_MANAGER, ours=False),
        Remove("store"),
        Forget(),
    ),
}
STAGES: Final = tuple(_FORTH)
"""The steps, in their order."""


def acts_forth(stage: Stage) -> tuple[Act, ...]:
    """Return the acts that take a step."""
    return _FORTH[stage]


def acts_back(stage: Stage) -> tuple[Act, ...]:
    """Return the acts that take it back."""
    return _BACK[stage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, forth or back."""

    stage: Stage
    back: bool
    acts: tuple[Act, ...]


def steps_forth(survey: Survey, last: Stage) -> tuple[Step, ...]:
    """Return the steps up to `last` that are not done.

    Raises:
        UserError: katib-config was edited.
    """
    steps = tuple(
        Step(stage=stage, back=False, acts=_FORTH[stage])
        for stage in STAGES
        if stage <= last and stage not in survey.done
    )
    _check_config(survey, steps)
    return steps


def steps_back(survey: Survey, last: Stage) -> tuple[Step, ...]:
    """Return the steps back, the newest first, until `last` is the newest step that remains.

    Raises:
        UserError: something was taken over, but what was there before is not known; or
            katib-config was edited.
    """
    steps = tuple(
        Step(stage=stage, back=True, acts=_BACK[stage])
        for stage in reversed(STAGES)
        if stage > last and any(one >= stage for one in survey.begun)
    )
    if steps and not survey.saved:
        raise UserError(
            f"there is no ConfigMap {names.SAVED} in {survey.namespace}, so it is not known what"
            " was there before; apply Katib's own manifests, then delete the Deployments that begin"
            " with trialwatch-"
        )
    _check_config(survey, steps)
    return steps


def _check_config(survey: Survey, steps: tuple[Step, ...]) -> None:
    """Refuse steps that would overwrite an edit of katib-config, before the first act."""
    if survey.edited and any(isinstance(act, Configure) for step in steps for act in step.acts):
        raise UserError(EDITED)
