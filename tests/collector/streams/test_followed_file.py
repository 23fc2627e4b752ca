"""What happens to a log, and what is read of it: one situation for each test."""

from __future__ import annotations

from collections import Counter

from collector.core.batches import Batch
from collector.streams.file_look import FileLook
from collector.streams.file_states import FileState, Question
from collector.streams.followed_file import FollowedFile
from collector.testing.memory import MemoryStore
from tests.collector.pod_in_memory import LOG, Pod

THREE_REPORTS = 100_000
"""Points of a line that are two reports and the begin of a third."""


def followed(pod: Pod) -> None:
    """Begin a training whose file has one line that is stored already."""
    pod.begin()
    pod.log("loss=1\n")
    pod.session = pod.collector(path=LOG)  # type: ignore[attr-defined]
    again(pod)


def again(pod: Pod, *, crash: bool = False) -> None:
    """Let the collector do its work; with `crash`, a new collector after a crash."""
    if crash:
        pod.session = pod.collector(path=LOG)  # type: ignore[attr-defined]
    pod.run(pod.session)  # type: ignore[attr-defined]


def test_renamed_and_made_anew_both_are_read() -> None:
    pod = Pod()
    followed(pod)
    pod.log("loss=2\n")
    pod.files.rename(LOG, f"{LOG}.1")
    pod.log("loss=3\n")
    again(pod)
    assert pod.values() == ["1", "2", "3"]
    assert "missing" not in pod.log_text


def test_rotated_three_times_during_a_crash_all_are_read_in_order() -> None:
    pod = Pod()
    followed(pod)
    for value in (2, 3, 4):
        pod.log(f"loss={value}\n")
        for number in (2, 1):
            if pod.files.stat(f"{LOG}.{number}"):
                pod.files.rename(f"{LOG}.{number}", f"{LOG}.{number + 1}")
        pod.files.rename(LOG, f"{LOG}.1")
    pod.log("loss=5\n")
    again(pod, crash=True)
    assert pod.values() == ["1", "2", "3", "4", "5"]


def test_copied_and_emptied_the_rest_is_read_from_the_copy() -> None:
    pod = Pod()
    followed(pod)
    pod.log("loss=2\n")
    pod.log((pod.files.read(LOG) or b"").decode(), f"{LOG}.1")
    pod.open(LOG).truncate(0)
    pod.log("loss=3\n")
    again(pod)
    assert pod.values() == ["1", "2", "3"]
    assert "missing" not in pod.log_text


def test_emptied_without_a_copy_reading_begins_again_and_the_gap_is_logged() -> None:
    pod = Pod()
    followed(pod)
    pod.open(LOG).truncate(0)
    pod.log("loss=3\n")
    again(pod)
    assert pod.values() == ["1", "3"]
    assert f"metrics may be missing: {LOG}, file 1: byte 7 to its unknown end" in pod.log_text


def test_deleted_and_made_anew_while_it_is_followed_nothing_is_missing() -> None:
    pod = Pod()
    followed(pod)
    pod.log("loss=2\n")
    pod.files.unlink(LOG)
    pod.log("loss=3\n")
    again(pod)
    assert pod.values() == ["1", "2", "3"]
    assert "missing" not in pod.log_text


def test_deleted_and_made_anew_during_a_crash_the_gap_is_logged() -> None:
    pod = Pod()
    followed(pod)
    pod.session.close()  # type: ignore[attr-defined]
    pod.log("loss=2\n")
    pod.files.unlink(LOG)
    pod.log("loss=3\n")
    again(pod, crash=True)
    assert pod.values() == ["1", "3"]
    assert "metrics may be missing" in pod.log_text


def test_a_copy_that_a_user_saves_is_not_read_twice() -> None:
    pod = Pod()
    followed(pod)
    pod.log((pod.files.read(LOG) or b"").decode(), f"{LOG}.bak1")
    pod.files.rename(LOG, f"{LOG}.1")
    pod.log("loss=2\n")
    again(pod)
    assert pod.values() == ["1", "2"]


def test_files_of_other_names_and_compressed_files_are_ignored() -> None:
    pod = Pod()
    followed(pod)
    for name in (f"{LOG}.1.gz", f"{LOG}x", "/katib/other.log.1", "/katib/mnist.txt"):
        pod.log("loss=9\n", name)
    pod.files.rename(LOG, f"{LOG}.old")
    pod.log("loss=2\n")
    again(pod)
    assert pod.values() == ["1", "2"]


def test_lines_from_before_the_training_do_not_count() -> None:
    pod = Pod()
    pod.log("loss=8\nloss=9\n")
    followed(pod)
    assert pod.values() == ["1"]


def test_a_trainer_that_opens_its_old_file_with_w_is_read_from_the_start() -> None:
    pod = Pod()
    pod.log("loss=8\n")
    pod.begin()
    pod.open(LOG).truncate(0)
    pod.log("loss=1\nloss=2\nloss=3\n")
    pod.run(pod.collector(path=LOG))
    assert pod.values() == ["1", "2", "3"]
    assert "missing" not in pod.log_text


def test_a_second_attempt_that_writes_over_the_first_leaves_each_its_own() -> None:
    pod = Pod()
    followed(pod)
    pod.end(1, 1)
    again(pod)
    pod.begin(2)
    pod.open(LOG).truncate(0)
    pod.log("loss=2\nloss=3\n")
    again(pod)
    assert (pod.values(1), pod.values(2)) == (["1"], ["2", "3"])
    assert "missing" not in pod.log_text


def test_a_second_attempt_that_wrote_over_unread_lines_is_logged_as_a_gap() -> None:
    pod = Pod()
    followed(pod)
    pod.log("loss=11\nloss=12\n")
    pod.end(1, 1)
    pod.begin(2)
    pod.open(LOG).truncate(0)
    pod.log("loss=2\n" * 9)
    again(pod, crash=True)
    again(pod)
    assert (pod.values(1), pod.values(2)) == (["1"], ["2"] * 9)
    assert f"{LOG}, file 1: byte 7 to byte 23" in pod.log_text


def test_a_second_attempt_that_appends_leaves_each_its_own_even_after_a_crash() -> None:
    pod = Pod()
    followed(pod)
    pod.log("loss=2\n")
    pod.end(1, 1)
    pod.begin(2)
    pod.log("loss=3\n")
    pod.end(2)
    again(pod, crash=True)
    assert (pod.values(1), pod.values(2)) == (["1", "2"], ["3"])


def test_bytes_that_were_replaced_under_a_report_on_its_way_are_never_sent_as_that_report() -> None:
    pod = Pod()
    pod.begin()
    pod.log("loss=1\n")
    pod.store.away = "connection refused"
    session = pod.collector(path=LOG)
    for _ in range(4):
        session.step()
    file = pod.open(LOG)
    file.truncate(0)
    file.append(b"loss=2\n")
    pod.store.away = None
    again(pod, crash=True)
    assert pod.values() == ["2"]
    assert "destroyed while report 1 of it was on its way" in pod.log_text


class StoreAwayAfterTwoReports(MemoryStore):
    """A store that takes two reports and goes away."""

    def send(self, batch: Batch) -> None:
        super().send(batch)
        if self.tries.total() == 2:
            self.away = "connection refused"


def in_the_middle_of_three_reports() -> Pod:
    """Return a pod whose collector crashes with two of the three reports of a batch stored."""
    pod = Pod()
    pod.store = StoreAwayAfterTwoReports()
    pod.begin()
    pod.log("loss=1 " * THREE_REPORTS + "\n")
    session = pod.collector(path=LOG)
    while not pod.store.away:
        session.step()
    session.close()
    pod.store.away = None
    return pod


def test_after_a_crash_within_a_batch_of_three_reports_all_points_are_stored_once() -> None:
    pod = in_the_middle_of_three_reports()
    pod.log("loss=2\n")
    again(pod, crash=True)
    assert Counter(pod.values()) == {"1": THREE_REPORTS, "2": 1}


def test_points_behind_a_batch_destroyed_after_two_of_its_three_reports_are_stored() -> None:
    pod = in_the_middle_of_three_reports()
    file = pod.open(LOG)
    file.truncate(0)
    file.append(b"loss=2\n")
    again(pod, crash=True)
    # The store has reports 1 and 2 of the destroyed batch, and drops a new report of their number.
    assert pod.values()[-1] == "2"
    assert "destroyed while report 1 of it was on its way" in pod.log_text


def test_each_question_has_an_answer_and_each_state_a_way_to_continue() -> None:
    assert set(FileLook.ANSWERS) == set(Question)
    assert set(FollowedFile.CONTINUATIONS) == set(FileState)
