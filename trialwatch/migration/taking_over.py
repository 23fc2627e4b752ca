"""One run of `trialwatch migrate`: look, write the kustomizations, and act if that is asked for."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.errors import UserError
from kube.connect import connected
from trialwatch.migration.cluster_survey import look
from trialwatch.migration.effects import Effects
from trialwatch.migration.katib_config import Images, Stage
from trialwatch.migration.kubectl import InstalledKubectl
from trialwatch.migration.kustomizations import kustomizations
from trialwatch.migration.performer import Performer
from trialwatch.migration.plan import Step, steps_back, steps_forth
from trialwatch.migration.report import act_text, heading, plan_lines, survey_lines
from trialwatch.migration.survey import Survey, survey_of

_BASE = Path("base", "dbmanager", "kustomization.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the arguments of the command say."""

    folder: Path
    manifests: Path
    namespace: str
    images: Images
    last: Stage | None
    """The last step that shall be taken, or the last that shall remain; None: all, or none."""
    act: bool
    """Whether the cluster shall be changed."""
    back: bool
    patience: float
    """Seconds for each thing waited for."""


Say = Callable[[str], None]


def migrate(wanted: Wanted, kubeconfig: Path | None, context: str, say: Say) -> None:
    """Look at the cluster, write the folder, and take the steps if they are asked for.

    Raises:
        TrialwatchError: there is no Katib, a step has no effect, or the cluster refuses it.
    """
    _check_manifests(wanted.manifests)
    asyncio.run(_migrate(wanted, kubeconfig, context, say))


async def _migrate(wanted: Wanted, kubeconfig: Path | None, context: str, say: Say) -> None:
    async with connected(kubeconfig, context) as cluster:
        seen = await look(cluster, wanted.namespace)
        survey = survey_of(seen, wanted.images)
        _say(say, survey_lines(survey))
        steps = _steps(wanted, survey)
        write(wanted, survey)
        say(f"wrote the kustomizations into {wanted.folder}")
        if not steps:
            say("there is nothing to take back" if wanted.back else "there is nothing left to do")
            return
        if not wanted.act:
            _say(say, ["", "what will happen:", *plan_lines(steps), ""])
            how = "without --dry-run" if wanted.back else "with --apply"
            say(f"nothing was changed; give the same command {how} to do this")
            return
        performer = Performer(
            effects=Effects(cluster=cluster, namespace=wanted.namespace, patience=wanted.patience),
            kubectl=InstalledKubectl(kubeconfig, context),
            folder=wanted.folder.absolute(),
            images=wanted.images,
        )
        await take(steps, performer, say)
        after = survey_of(await look(cluster, wanted.namespace), wanted.images)
        _say(say, ["", *survey_lines(after)])


async def take(steps: Sequence[Step], performer: Performer, say: Say) -> None:
    """Take steps one after the other, and tell how long each took."""
    for step in steps:
        say(f"\n{heading(step)}")
        begun = time.monotonic()
        for act in step.acts:
            say(f"  {act_text(act)}")
            await performer.perform(act)
        say(f"  done in {time.monotonic() - begun:.1f} s")


def write(wanted: Wanted, survey: Survey) -> None:
    """Write the kustomizations."""
    below = wanted.folder.absolute() / "store"
    texts = kustomizations(
        manifests=os.path.relpath(wanted.manifests.absolute(), below),
        namespace=survey.namespace,
        container=survey.container,
        images=wanted.images,
    )
    for name, text in texts.items():
        path = wanted.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _steps(wanted: Wanted, survey: Survey) -> tuple[Step, ...]:
    if wanted.back:
        return steps_back(survey, wanted.last or Stage.KATIB)
    return steps_forth(survey, wanted.last or Stage.CONTROLLER)


def _check_manifests(folder: Path) -> None:
    if not (folder / _BASE).is_file():
        raise UserError(
            f"--manifests: {folder} has no {_BASE}: give the folder manifests of a clone of"
            " trialwatch"
        )


def _say(say: Say, lines: Sequence[str]) -> None:
    for line in lines:
        say(line)
