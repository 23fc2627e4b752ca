"""The usual pod, without a trial, costs little: the tests count work, never seconds."""

from __future__ import annotations

import json
from typing import Any

from tests.call_counts import calls_of
from tests.webhook.golden_cluster import cluster_of
from tests.webhook.running_webhook import asked
from tests.webhook.trial_objects import pod
from webhook.model.reasons import Reason
from webhook.model.verdicts import Skip
from webhook.server.pod_admission import read_pod_admission, response_to


class RecordedDocument(dict[str, Any]):
    """A document that notes which of its parts were read."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.reads: list[str] = []

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - any JSON
        self.reads.append(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        self.reads.append(name)
        return super().__getitem__(name)


def calls_for(review: object) -> int:
    """Count the calls from the bytes of a review to the bytes of its response."""
    body = json.dumps(review).encode()

    def respond() -> None:
        admission = read_pod_admission(body)
        response_to(admission, cluster_of([]).judge(admission.pod))

    respond()
    return calls_of(respond)


def test_the_metadata_of_a_pod_without_a_trial_is_read_once_and_nothing_else() -> None:
    document = RecordedDocument(pod())

    assert cluster_of([]).judge(document) == Skip(Reason.NOBODYS_TRIAL)
    assert document.reads == ["metadata"]


def test_a_pod_without_a_trial_costs_the_same_whatever_its_containers_and_the_groups_of_its_user() -> (
    None
):
    large = pod()
    large["spec"]["containers"] *= 50
    user = {
        "username": "anna",
        "groups": [f"group-{number}" for number in range(50)],
        "extra": {f"example.org/{number}": ["x"] for number in range(50)},
    }

    small_calls = calls_for(asked(pod()))

    assert small_calls > 10, "the count counts"
    assert calls_for(asked(large, userInfo=user)) == small_calls
