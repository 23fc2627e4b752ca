"""The directories of the checkpoints of trials."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from api.errors import SetupError, UserError
from api.names import PARENT_LABEL
from api.types import SuggestedTrial
from suggestion.core.algorithm import Proposal
from suggestion.service.checkpoints import Checkpoints, Naming, make_directories, with_checkpoints


def here(folder: Path, *, shared: bool = False) -> Checkpoints:
    return Checkpoints(folder=folder, shared=shared)


def child(name: str, parent: str) -> SuggestedTrial:
    return SuggestedTrial(name=name, labels={PARENT_LABEL: parent})


FIRST = SuggestedTrial(name="exp-a")


def test_the_directory_of_a_trial_without_a_parent_is_empty(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])

    assert [*(tmp_path / "exp" / "exp-a").iterdir()] == []


def test_a_child_begins_with_a_copy_that_its_parent_does_not_see(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    (tmp_path / "exp" / "exp-a" / "deep").mkdir()
    (tmp_path / "exp" / "exp-a" / "deep" / "model.npz").write_text("weights")

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])
    (tmp_path / "exp" / "exp-b" / "deep" / "model.npz").write_text("better")

    assert (tmp_path / "exp" / "exp-a" / "deep" / "model.npz").read_text() == "weights"


def test_after_a_lost_reply_the_directory_is_found_and_stays(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    (tmp_path / "exp" / "exp-a" / "model").write_text("trained")
    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])
    before = (tmp_path / "exp" / "exp-b").stat().st_ino

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    assert (tmp_path / "exp" / "exp-b").stat().st_ino == before
    assert [one.name for one in (tmp_path / "exp").iterdir() if one.name[0] == "."] == []


def test_the_directories_of_an_earlier_experiment_of_this_name_are_made_anew(
    tmp_path: Path,
) -> None:
    for text in ("earlier", "again"):
        make_directories(here(tmp_path), "exp", [FIRST])
        assert [*(tmp_path / "exp" / "exp-a").iterdir()] == []
        (tmp_path / "exp" / "exp-a" / "model").write_text(text)
        make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])
        assert (tmp_path / "exp" / "exp-b" / "model").read_text() == text
        (tmp_path / "exp" / "exp-b" / "deep").mkdir()
        (tmp_path / "exp" / "exp-b" / "deep" / "model").write_text("trained")

    assert {one.name for one in (tmp_path / "exp").iterdir()} == {"exp-a", "exp-b"}


def test_no_trial_gets_the_name_of_one_that_exists(tmp_path: Path) -> None:
    proposal = Proposal(trials=(SuggestedTrial(name=""),))
    naming = Naming(experiment="exp", first=0, seed=7)
    [first] = with_checkpoints(proposal, naming, here(tmp_path)).trials
    (tmp_path / "exp" / first.name / "model").write_text("trained")

    naming = replace(naming, existing={first.name})
    [other] = with_checkpoints(proposal, naming, here(tmp_path)).trials

    assert other.name != first.name
    assert (tmp_path / "exp" / first.name / "model").read_text() == "trained"


def test_the_rest_of_a_copy_that_was_killed_is_replaced(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    (tmp_path / "exp" / "exp-a" / "model").write_text("weights")
    part = tmp_path / "exp" / ".exp-b.part"
    part.mkdir()
    (part / "half").write_text("we")

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    assert [one.name for one in (tmp_path / "exp" / "exp-b").iterdir()] == ["model"]
    assert not part.exists()


def test_a_copy_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Each search has some time only, so a copy that always began anew would never end."""
    make_directories(here(tmp_path), "exp", [FIRST])
    source, part = tmp_path / "exp" / "exp-a", tmp_path / "exp" / ".exp-b.part"
    (source / "whole").write_text("weights")
    (source / "half").write_text("optimizer")
    part.mkdir()
    shutil.copy2(source / "whole", part / "whole")
    (part / "half").write_text("OPTIM")  # in capitals: it is not copied again
    whole = (part / "whole").stat().st_ino

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    copy = tmp_path / "exp" / "exp-b"
    assert (copy / "whole").stat().st_ino == whole
    assert (copy / "half").read_text() == "OPTIMizer"


def test_what_cannot_be_a_part_of_the_copy_is_made_anew(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    source, part = tmp_path / "exp" / "exp-a", tmp_path / "exp" / ".exp-b.part"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("of somebody else")
    for name in ("longer", "link", "folder"):
        (source / name).write_text("weights")
    (source / "other").symlink_to("longer")
    (source / "deep").mkdir()
    part.mkdir()
    (part / "longer").write_text("larger weights")
    (part / "link").symlink_to(elsewhere)
    (part / "folder").mkdir()
    (part / "other").symlink_to(elsewhere)
    (part / "deep").symlink_to(tmp_path)

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    copy = tmp_path / "exp" / "exp-b"
    assert [(copy / name).read_text() for name in ("longer", "link", "folder")] == ["weights"] * 3
    assert str((copy / "other").readlink()) == "longer"
    assert not (copy / "deep").is_symlink()
    assert elsewhere.read_text() == "of somebody else"


def test_the_rest_of_an_earlier_experiments_copy_is_not_gone_on_with(tmp_path: Path) -> None:
    part, source = tmp_path / "exp" / ".exp-b.part", tmp_path / "exp" / "exp-a"
    part.mkdir(parents=True)
    (part / "model").write_text("WEI")
    make_directories(here(tmp_path), "exp", [FIRST])
    (source / "model").write_text("weights")
    while source.stat().st_ctime_ns <= part.stat().st_ctime_ns:  # the clock of files is coarse
        os.utime(source)

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    assert (tmp_path / "exp" / "exp-b" / "model").read_text() == "weights"


def test_pipes_and_sockets_are_left_out_and_links_stay_links(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    source = tmp_path / "exp" / "exp-a"
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(source / "socket"))
    (source / "latest").symlink_to("/etc/passwd")
    (source / "model").write_text("weights")

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    copy = tmp_path / "exp" / "exp-b"
    assert {one.name for one in copy.iterdir()} == {"latest", "model"}
    assert str((copy / "latest").readlink()) == "/etc/passwd"


def test_directories_may_be_nested_deeper_than_python_may_nest_calls(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    source, copy = tmp_path / "exp" / "exp-a", tmp_path / "exp" / "exp-b"
    for depth in range(1, 1200):
        (source / "/".join("d" * depth)).mkdir()

    make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])
    assert (copy / "/".join("d" * 1199)).is_dir()

    make_directories(here(tmp_path), "exp", [FIRST, SuggestedTrial(name="exp-b")])
    assert [*source.iterdir(), *copy.iterdir()] == []


def test_on_a_shared_volume_trials_of_other_users_may_write(tmp_path: Path) -> None:
    make_directories(here(tmp_path, shared=True), "exp", [FIRST])
    source = tmp_path / "exp" / "exp-a"
    (source / "deep").mkdir(mode=0o755)
    (source / "deep" / "model").touch(mode=0o644)

    make_directories(here(tmp_path, shared=True), "exp", [child("exp-b", "exp-a")])

    copy = tmp_path / "exp" / "exp-b"
    assert {oct(one.stat().st_mode & 0o777) for one in (source, copy, copy / "deep")} == {"0o777"}
    assert oct((copy / "deep" / "model").stat().st_mode & 0o777) == "0o666"


def test_on_one_machine_other_users_may_not_write(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])

    assert not (tmp_path / "exp" / "exp-a").stat().st_mode & 0o002


def test_a_file_that_cannot_be_copied_is_named_in_a_short_message(tmp_path: Path) -> None:
    make_directories(here(tmp_path), "exp", [FIRST])
    deep = tmp_path / "exp" / "exp-a"
    while len(str(deep)) < 3900:
        deep /= "d" * 99
    deep.mkdir(parents=True)
    longest = 4095  # bytes of a path; that of the copy has a few more
    (deep / ("f" * (longest - len(str(deep)) - 1))).touch()

    with pytest.raises(SetupError, match="File name too long") as raised:
        make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])

    assert len(str(raised.value)) < 800


def test_a_missing_checkpoint_is_an_error_and_not_an_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="so trial exp-b has no checkpoint to begin with"):
        make_directories(here(tmp_path), "exp", [child("exp-b", "exp-a")])


@pytest.mark.parametrize("parent", ["../other", "/etc", "..", "a/b"])
def test_a_parent_cannot_be_a_directory_elsewhere(tmp_path: Path, parent: str) -> None:
    with pytest.raises(UserError, match="is not a Kubernetes name"):
        make_directories(here(tmp_path), "exp", [child("exp-b", parent)])
    with pytest.raises(UserError, match="is not a Kubernetes name"):
        make_directories(here(tmp_path), "../exp", [FIRST])


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "exp").write_text("a file")

    with pytest.raises(SetupError, match="free space, or correct the rights of the volume"):
        make_directories(here(tmp_path), "exp", [FIRST])


def test_the_same_question_gets_the_same_names_and_another_parent_another_name(
    tmp_path: Path,
) -> None:
    def names(first: int, seed: int, parent: str = "") -> list[str]:
        one = child("", parent) if parent else SuggestedTrial(name="")
        proposal = Proposal(trials=(one, SuggestedTrial(name="")))
        naming = Naming(experiment="exp", first=first, seed=seed)
        made = with_checkpoints(proposal, naming, here(tmp_path))
        return [trial.name for trial in made.trials]

    again, parent = names(3, 7), names(3, 7)[0]

    assert names(3, 7) == again
    assert len({*again, *names(5, 7), *names(3, 8), names(3, 7, parent)[0]}) == 7
    assert all(len(name) == len("exp-") + 8 for name in again)


def test_without_a_folder_the_error_says_how_to_get_one() -> None:
    with pytest.raises(SetupError, match="resumePolicy: FromVolume"):
        with_checkpoints(Proposal(trials=(FIRST,)), Naming(experiment="exp", first=0, seed=1), None)
