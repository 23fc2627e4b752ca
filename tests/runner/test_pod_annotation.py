"""An annotation that a flag sets for the pods of all trials."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import UserError
from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from runner.experiments import read_examined
from tests.examples.test_experiments import EXAMPLES

ANNOTATION = "trialwatch.dev/mlflow"
TEXT = (EXAMPLES / "random.yaml").read_text()


def job_of(text: str) -> Any:  # noqa: ANN401 - a document
    given, _ = read_examined(text, "file", mlflow=True)
    template = given.experiment.spec.trial_template
    assert template is not None
    return template.trial_spec


def test_the_pod_of_a_job_gets_it() -> None:
    assert job_of(TEXT)["spec"]["template"]["metadata"] == {"annotations": {ANNOTATION: "true"}}


def test_a_bare_pod_gets_it_beside_its_own() -> None:
    (document,) = load_objects(TEXT)
    experiment: Any = document
    template = experiment["spec"]["trialTemplate"]
    pod = template["trialSpec"]["spec"]["template"]["spec"]
    metadata = {"annotations": {"a": "b"}}
    template["trialSpec"] = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}
    annotations = job_of(dump_objects([experiment]))["metadata"]["annotations"]
    assert annotations == {"a": "b", ANNOTATION: "true"}


def test_a_template_elsewhere_is_refused_with_what_to_write_there() -> None:
    (document,) = load_objects(TEXT)
    experiment: Any = document
    del experiment["spec"]["trialTemplate"]["trialSpec"]
    with pytest.raises(UserError, match=r'write the annotation trialwatch\.dev/mlflow: "true"'):
        read_examined(dump_objects([experiment]), "file", mlflow=True)
