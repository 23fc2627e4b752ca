"""The directories of the checkpoints of trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import SetupError, UserError
from api.names import PARENT_LABEL
from api.types import SuggestedTrial
from suggestion.core.algorithm import Proposal
from suggestion.service.checkpoints import make_directories, with_checkpoints


def child(name: str, parent: str) -> SuggestedTrial:
    return SuggestedTrial(name=name, labels={PARENT_LABEL: parent})


FIRST = SuggestedTrial(name="exp-a")


def test_the_directory_of_a_trial_without_a_parent_is_empty(tmp_path: Path) -> None:
    make_directories(tmp_path, "exp", [FIRST])

    assert [*(tmp_path / "exp" / "exp-a").iterdir()] == []


def test_a_child_begins_with_a_copy_that_its_parent_does_not_see(tmp_path: Path) -> None:
    make_directories(tmp_path, "exp", [FIRST])
    (tmp_path / "exp" / "exp-a" / "deep").mkdir()
    (tmp_path / "exp" / "exp-a" / "deep" / "model.npz").write_text("weights")

    make_directories(tmp_path, "exp", [child("exp-b", "exp-a")])
    (tmp_path / "exp" / "exp-b" / "deep" / "model.npz").write_text("better")

    assert (tmp_path / "exp" / "exp-a" / "deep" / "model.npz").read_text() == "weights"


def test_a_directory_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    make_directories(tmp_path, "exp", [FIRST])
    (tmp_path / "exp" / "exp-a" / "model").write_text("trained")

    make_directories(tmp_path, "exp", [FIRST])

    assert (tmp_path / "exp" / "exp-a" / "model").read_text() == "trained"


def test_the_rest_of_a_copy_that_was_killed_is_replaced(tmp_path: Path) -> None:
    make_directories(tmp_path, "exp", [FIRST])
    (tmp_path / "exp" / "exp-a" / "model").write_text("weights")
    part = tmp_path / "exp" / ".exp-b.part"
    part.mkdir()
    (part / "half").write_text("we")

    make_directories(tmp_path, "exp", [child("exp-b", "exp-a")])

    assert [one.name for one in (tmp_path / "exp" / "exp-b").iterdir()] == ["model"]
    assert not part.exists()


def test_a_missing_checkpoint_is_an_error_and_not_an_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="so trial exp-b has no checkpoint to begin with"):
        make_directories(tmp_path, "exp", [child("exp-b", "exp-a")])


@pytest.mark.parametrize("parent", ["../other", "/etc", "..", "a/b"])
def test_a_parent_cannot_be_a_directory_elsewhere(tmp_path: Path, parent: str) -> None:
    with pytest.raises(UserError, match="is not a Kubernetes name"):
        make_directories(tmp_path, "exp", [child("exp-b", parent)])
    with pytest.raises(UserError, match="is not a Kubernetes name"):
        make_directories(tmp_path, "../exp", [FIRST])


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "exp").write_text("a file")

    with pytest.raises(SetupError, match="free space, or correct the rights of the volume"):
        make_directories(tmp_path, "exp", [FIRST])


def test_the_same_question_gets_the_same_names_and_another_parent_another_name(
    tmp_path: Path,
) -> None:
    def names(first: int, seed: int, parent: str = "") -> list[str]:
        one = child("", parent) if parent else SuggestedTrial(name="")
        proposal = Proposal(trials=(one, SuggestedTrial(name="")))
        made = with_checkpoints(proposal, "exp", first, seed, tmp_path)
        return [trial.name for trial in made.trials]

    again, parent = names(3, 7), names(3, 7)[0]

    assert names(3, 7) == again
    assert len({*again, *names(5, 7), *names(3, 8), names(3, 7, parent)[0]}) == 7
    assert all(len(name) == len("exp-") + 8 for name in again)


def test_without_a_folder_the_error_says_how_to_get_one() -> None:
    with pytest.raises(SetupError, match="resumePolicy: FromVolume"):
        with_checkpoints(Proposal(trials=(FIRST,)), "exp", 0, 1, None)
