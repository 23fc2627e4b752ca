"""What Katib's controller must find in a Suggestion before it goes on."""

from __future__ import annotations

from typing import Any

from api.names import EXPERIMENT_LABEL
from trialwatch.migration.suggestion_history import completed_status


def trial(name: str, minute: int, value: str, of: str = "random", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    created = f"2026-01-31T12:{minute:02}:00Z"
    return {
        "metadata": {
            "name": name,
            "labels": {EXPERIMENT_LABEL: of},
            "creationTimestamp": created,
        },
        "spec": {"parameterAssignments": [{"name": "x", "value": value}], **spec},
    }


def suggestion(*waiting: str) -> dict[str, Any]:
    entries = [{"name": name, "parameterAssignments": []} for name in waiting]
    return {"metadata": {"name": "random"}, "status": {"suggestions": entries}}


def test_trials_come_first_in_their_order_and_then_the_points_without_a_trial() -> None:
    trials = [trial("b", 2, "0.2"), trial("a", 3, "0.3"), trial("c", 1, "0.1")]

    patch: Any = completed_status(suggestion("waiting"), trials)

    found = patch["status"]["suggestions"]
    assert [one["name"] for one in found] == ["c", "b", "a", "waiting"]
    assert found[0]["parameterAssignments"] == [{"name": "x", "value": "0.1"}]
    assert patch["status"]["suggestionCount"] == 4


def test_labels_and_stop_rules_of_a_trial_are_kept() -> None:
    rules = [{"name": "loss", "value": "1", "comparison": "less"}]
    given = trial("a", 1, "0.1", labels={"generation": "2"}, earlyStoppingRules=rules)

    patch: Any = completed_status(suggestion(), [given])

    (entry,) = patch["status"]["suggestions"]
    assert entry["labels"] == {"generation": "2"}
    assert entry["earlyStoppingRules"] == rules


def test_a_suggestion_that_katib_wrote_stays_as_it_is() -> None:
    assert completed_status(suggestion("a", "b"), [trial("a", 1, "0.1")]) is None


def test_trials_of_another_experiment_are_left_out() -> None:
    assert completed_status(suggestion(), [trial("a", 1, "0.1", of="other")]) is None
