"""A hundred jobs at once."""

from __future__ import annotations

import pytest

from api.names import COLLECTOR_CONTAINER
from tests.cluster.client import until
from tests.cluster.observations import Observations
from tests.cluster.trials import Trials, counted, job

MANY = 100


@pytest.mark.alone
def test_a_hundred_jobs_at_once_are_all_collected(trials: Trials) -> None:
    names = [f"many-{number}" for number in range(MANY)]

    for name in names:
        trials.start(job(name, "count", "10", "1"))

    def all_over() -> bool:
        jobs = trials.cluster.listed("jobs", trials.namespace)
        return bool(sum(one["status"].get("succeeded", 0) for one in jobs) == MANY)

    until("the end of all jobs", all_over, seconds=600)
    pods = trials.cluster.listed("pods", trials.namespace)
    sidecars = [[one["name"] for one in pod["spec"]["initContainers"]] for pod in pods]
    assert sidecars == [[COLLECTOR_CONTAINER]] * MANY
    with Observations(trials.cluster) as store:
        assert {name: store.rows(trials.namespace, name) for name in names} == dict.fromkeys(
            names, counted(10)
        )
