"""The settings in katib-config that concern the controller."""

from __future__ import annotations

import pytest

from api.errors import SetupError
from api.objects.yamlout import dump_objects
from controller.config import Config, parse_config
from kube.cluster import Kind


def resources(*kinds: str) -> str:
    return dump_objects([{"init": {"controller": {"trialResources": list(kinds)}}}])


def test_without_settings_jobs_are_watched_from_the_start() -> None:
    assert parse_config("") == Config()
    assert Config().trial_resources == (Kind(api_version="batch/v1", kind="Job"),)


def test_the_list_that_katib_ships_is_taken() -> None:
    shipped = (
        "TrainJob.v1alpha1.trainer.kubeflow.org",
        "Job.v1.batch",
        "PyTorchJob.v1.kubeflow.org",
        "Pod.v1.",
    )
    assert parse_config(resources(*shipped)).trial_resources == (
        Kind(api_version="trainer.kubeflow.org/v1alpha1", kind="TrainJob"),
        Kind(api_version="batch/v1", kind="Job"),
        Kind(api_version="kubeflow.org/v1", kind="PyTorchJob"),
        Kind(api_version="v1", kind="Pod"),
    )


@pytest.mark.parametrize("kind", ["Job", "Job.v1", ".v1.batch", "Job..batch", ""])
def test_what_is_no_kind_is_refused_with_its_path(kind: str) -> None:
    with pytest.raises(SetupError, match=r"trialResources\[0\].*Job.v1.batch"):
        parse_config(resources(kind))


@pytest.mark.parametrize(
    "text",
    [
        "trialwatch: {dbManagerAddress: 'db.ns:1'}",
        dump_objects(
            [
                {
                    "kind": "ConfigMap",
                    "data": {
                        "katib-config.yaml": "init: {}",
                        "trialwatch.yaml": "dbManagerAddress: 'db.ns:1'",
                    },
                }
            ]
        ),
    ],
)
def test_the_controller_reads_from_the_db_manager_that_the_collectors_report_to(text: str) -> None:
    assert parse_config(text).db_manager == "db.ns:1"


def test_the_services_that_it_names_are_there() -> None:
    text = "runtime: {suggestions: [{algorithmName: mine, endpoint: 'search.team:6789'}]}"

    assert parse_config(text).services.suggestions["mine"].endpoint == "search.team:6789"


@pytest.mark.parametrize("text", ["[", "a: 1\n---\nb: 2", "init: 3"])
def test_what_cannot_be_used_is_an_error(text: str) -> None:
    with pytest.raises(SetupError, match="katib-config"):
        parse_config(text)
