"""Show how the webhook would change pods, with the webhook's own code and without a cluster.

FILE contains Pods, Jobs, or objects of any kind with pod templates. Standard output has the same
objects as the API server would create them, as YAML, or the difference with --diff. Standard error
says what was done to each pod, and why. For an Experiment, the job of its first trial is shown,
with each parameter at the start of its space; it does not need --trial.
No image registry is contacted: if a command is only in the image, it counts as unknown.
Exit status: 0, or 2 if a pod is refused or a file is wrong.
"""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from api.documents import mapping_at
from api.errors import SpecError, UserError
from api.objects.suggestions import parse_suggestion
from api.objects.trials import parse_trial
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_file
from trialwatch.admission.first_trial import first_trial
from trialwatch.admission.offline_admission import offline_verdict
from trialwatch.admission.pod_templates import pods_in, put
from trialwatch.command_line.input_file import read_input
from webhook.model.config import Config, parse_config
from webhook.model.verdicts import Inject, PodContext, Refuse, Verdict
from webhook.pods.decide import decide
from webhook.pods.mutate import mutate

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from api.types import JsonObject, Suggestion, Trial
    from trialwatch.admission import pod_templates

EXAMPLES = """\
examples:
    trialwatch inject -f experiment.yaml --diff
    trialwatch inject -f job.yaml --trial trial.yaml --config katib-config.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "-f", "--file", required=True, metavar="FILE", help="the objects, or - for standard input"
    )
    parser.add_argument(
        "--trial",
        metavar="FILE",
        help="the Trial of the pods, and optionally its Suggestion; without it, the labels and "
        "annotations of the pods decide",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="katib-config, or a ConfigMap with it (default: built-in defaults)",
    )
    parser.add_argument("--diff", action="store_true", help="print the difference only")


def run(arguments: argparse.Namespace) -> int:
    """Print the objects as they would be created; return the exit status."""
    config = parse_config(read_input(arguments.config)) if arguments.config else Config()
    family = _family(read_input(arguments.trial), arguments.trial) if arguments.trial else _Family()
    given = load_file(read_input(arguments.file), arguments.file)
    if not given:
        raise UserError(
            f"{arguments.file} is empty; write the YAML of a Pod, a Job or an Experiment"
        )
    meant = [_meant(document, family, given, config) for document in given]
    before = [document for document, _ in meant]
    judged = [_judged(document, of, config) for document, of in meant]
    for one in judged:
        print(*one.sentences, sep="\n", file=sys.stderr)
    if any(one.refused for one in judged):
        return 2
    after = [one.document for one in judged]
    sys.stdout.write(_difference(before, after) if arguments.diff else dump_objects(after))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    trial: Trial | None = None
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    document: JsonObject
    sentences: tuple[str, ...]
    refused: bool


def _meant(
    document: JsonObject, family: _Family, given: Sequence[JsonObject], config: Config
) -> tuple[JsonObject, _Family]:
    """Return the object to change and its trial; for an Experiment, the job of its first trial.

    Raises:
        SpecError: the webhook would refuse the Experiment.
    """
    if document.get("kind") != "Experiment":
        return document, family
    faults = offline_verdict(document, given, config).faults
    if faults:
        raise SpecError(faults)
    trial, job = first_trial(document)
    return job, _Family(trial=trial)


def _family(text: str, file: str) -> _Family:
    """Read a Trial, and its Suggestion if the file has one."""
    trial: Trial | None = None
    suggestion: Suggestion | None = None
    for document in load_file(text, file):
        if document.get("kind") == "Suggestion":
            suggestion = parse_suggestion(document, unknown_fields=False)
        else:
            trial = parse_trial(document, unknown_fields=False)
    if trial is None:
        raise UserError(
            "--trial: the file has no Trial; get it with kubectl get trial NAME -o yaml"
        )
    return _Family(trial=trial, suggestion=suggestion)


def _judged(document: JsonObject, family: _Family, config: Config) -> _Judged:
    """Change all pods of an object as the webhook would."""
    request = _facts(document, family)
    changed, sentences, refused = document, [], False
    for path, pod in pods_in(document):
        verdict = decide(pod, request, family.trial, config)
        sentences += [f"{_shown(document, path)}: {sentence}" for sentence in _sentences(verdict)]
        refused = refused or isinstance(verdict, Refuse)
        if isinstance(verdict, Inject):
            changed = cast("JsonObject", put(changed, path, mutate(pod, verdict.plan)))
    if not sentences:
        sentences = [f"{_shown(document)}: it has no pod, and stays unchanged"]
    return _Judged(document=changed, sentences=tuple(sentences), refused=refused)


def _facts(document: JsonObject, family: _Family) -> PodContext:
    """Return the context that the API server would send; the pods have the name of their job."""
    metadata = mapping_at(document, "metadata")
    trials = family.trial.metadata.namespace if family.trial else ""
    return PodContext(
        namespace=str(metadata.get("namespace") or trials or "default"),
        name=str(metadata.get("name") or ""),
        suggestion=family.suggestion,
        image_asked=True,
    )


def _shown(document: JsonObject, path: pod_templates.Path = ()) -> str:
    """Return an object's name as kubectl writes it, and the path of a template in it."""
    metadata = mapping_at(document, "metadata")
    name = metadata.get("name") or metadata.get("generateName") or "without a name"
    place = ".".join(str(step) for step in path)
    return f"{document.get('kind', 'object')}/{name}{f' {place}' if place else ''}"


def _sentences(verdict: Verdict) -> Iterator[str]:
    if isinstance(verdict, Inject):
        yield f"{verdict.reason}: {verdict.reason.sentence}"
        yield from (f"warning: {note.reason}: {note}" for note in verdict.warnings)
    else:
        refused = "refused: " if isinstance(verdict, Refuse) else ""
        yield f"{refused}{verdict.reason}: {verdict}"


def _difference(before: list[JsonObject], after: list[JsonObject]) -> str:
    lines = difflib.unified_diff(
        dump_objects(before).splitlines(keepends=True),
        dump_objects(after).splitlines(keepends=True),
        fromfile="as given",
        tofile="as created",
    )
    return "".join(lines)
