"""`trialwatch extract` as a user calls it, as a process of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.filters.event_files.event_writer import beginning, scalar

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "trialwatch", "extract"]


def extract(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *words], input=stdin, capture_output=True, check=False)


def test_each_point_is_one_json_object_on_a_line() -> None:
    log = b"start\n2026-11-23T10:00:00Z loss=0.5 acc=0.9\r\nloss=nan\n"
    done = extract("--metrics", "loss;acc", "-", stdin=log)
    assert done.returncode == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"name": "loss", "value": "0.5", "timestamp": "2026-11-23T10:00:00Z", "line": 2},
        {"name": "acc", "value": "0.9", "timestamp": "2026-11-23T10:00:00Z", "line": 2},
        {"name": "loss", "value": "nan", "timestamp": None, "line": 3},
    ]
    assert b"3 points in 3 lines" in done.stderr
    assert b"1 value that is not a finite number" in done.stderr


def test_a_point_has_its_step_where_the_log_has_one() -> None:
    done = extract("--metrics", "loss", "-", stdin=b"loss=1\nstep 400: loss=0.5\n")
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert [point.get("step") for point in points] == [None, 400]
    assert "step" not in points[0]


def test_the_event_files_below_a_directory_are_read(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.tfevents").write_bytes(
        beginning() + scalar("accuracy", 0.5, step=3) + scalar("accuracy", 1)[:-1]
    )
    (tmp_path / "b.tfevents").write_bytes(beginning() + scalar("loss", 0.25))
    (tmp_path / "c.tfevents").write_text("accuracy=0.9 is no record")
    (tmp_path / "model.ckpt").write_text("accuracy=0.9")
    done = extract("--metrics", "train/accuracy;loss;f1", str(tmp_path))
    assert done.returncode == 0
    stamp = "1970-01-01T00:00:01.5Z"
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"name": "loss", "value": "0.25", "timestamp": stamp, "line": 2, "step": 0}
        | {"file": "b.tfevents"},
        {"name": "train/accuracy", "value": "0.5", "timestamp": stamp, "line": 2, "step": 3}
        | {"file": "train/a.tfevents"},
    ]
    text = done.stderr.decode()
    assert "2 points in 4 records of 3 files" in text
    assert "f1: nothing found" in text
    assert "tags in these files: accuracy, loss" in text
    assert "c.tfevents is not an event file" in text
    assert "the file ends within a record" in text


def test_a_directory_without_event_files_is_refused_with_the_remedy(tmp_path: Path) -> None:
    done = extract("--metrics", "loss", str(tmp_path))
    assert done.returncode == 2
    assert b"has `tfevents` in its name; write the directory" in done.stderr


@pytest.mark.parametrize("option", [["--format", "JSON"], ["--filter", "(a)=(b)"]])
def test_what_is_for_logs_is_refused_for_a_directory(option: list[str], tmp_path: Path) -> None:
    done = extract("--metrics", "loss", *option, str(tmp_path))
    assert done.returncode == 2
    assert f"{option[0]} is for logs".encode() in done.stderr


def test_names_with_a_comma_between_them_are_one_name_unless_it_is_found() -> None:
    mistaken = extract("--metrics", "loss, acc", "-", stdin=b"loss=0.5 acc=0.9\n")
    found = extract("--metrics", "mAP[0.5,0.95]", "-", stdin=b"mAP[0.5,0.95]=0.7\n")

    note = "note: 'loss, acc' is one name; for several, write --metrics 'loss;acc'"
    assert mistaken.stderr.decode().splitlines()[-1] == note
    assert b"note" not in found.stderr
    assert json.loads(found.stdout)["value"] == "0.7"


def test_a_file_is_read_like_standard_input(tmp_path: Path) -> None:
    log = tmp_path / "mnist.log"
    log.write_bytes(b"{metricName: loss, metricValue: 0.5}")
    pattern = r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"
    done = extract("--metrics", "loss", "--filter", pattern, str(log))
    assert json.loads(done.stdout)["value"] == "0.5"


def test_several_filters_and_json_are_to_be_had() -> None:
    log = b"loss is 1\nloss was 2\n"
    done = extract(
        "--metrics=loss", "--filter=(loss) is (.)", "--filter=(loss) was (.)", "-", stdin=log
    )
    assert [json.loads(line)["value"] for line in done.stdout.splitlines()] == ["1", "2"]
    done = extract("--metrics=loss", "--format", "JSON", "-", stdin=b'{"loss": 0.5}\nwarning\n')
    assert json.loads(done.stdout)["value"] == "0.5"
    assert b"1 line that is not a JSON object" in done.stderr


def test_where_nothing_matches_the_nearest_lines_are_shown_with_the_reason() -> None:
    done = extract("--metrics", "loss", "-", stdin=b"hello\nepoch 1 Loss: 0.5\n")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"loss: nothing found" in done.stderr
    assert b"line 2: epoch 1 Loss: 0.5" in done.stderr
    assert b"it is written 'Loss' here: ask for that name" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metrics", "loss", "/no/such.log"], b"cannot read '/no/such.log': No such file"),
        (["--metrics", "loss", "/"], b"cannot read '/': Is a directory"),
        (["--metrics", "", "-"], b"no metrics given"),
        (["--metrics", " ; ", "-"], b"no metrics given"),
        (["--metrics", "loss", "--filter", "(", "-"], b"missing ) at position 1"),
        (["--metrics", "loss", "--filter", "(loss)", "-"], b"has one group, two are needed"),
        (["--metrics", "loss", "--format", "yaml", "-"], b"--format 'yaml' is unknown"),
        (["--metrics", "loss", "--format", "JSON", "--filter", "(a)(b)", "-"], b"for TEXT logs"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_status_2(words: list[str], message: bytes) -> None:
    done = extract(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def forgo_root() -> None:
    """Give up what lets root read every file: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):
            assert libc.prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    log = tmp_path / "secret.log"
    log.write_bytes(b"loss=1\n")
    log.chmod(0)
    done = subprocess.run(
        [*COMMAND, "--metrics", "loss", str(log)],
        capture_output=True,
        check=False,
        preexec_fn=forgo_root,
    )
    assert done.returncode == 2
    assert b"Permission denied" in done.stderr


def test_a_missing_argument_says_how_it_is_called() -> None:
    done = extract("-")
    assert done.returncode == 2
    assert b"usage: trialwatch extract" in done.stderr


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(
        [*COMMAND, "--metrics", "loss", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:  # fmt: skip
        assert child.stdin
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        try:
            child.stdin.write(b"loss=1\n" * 1_000_000)
            child.stdin.close()
        except BrokenPipeError:
            pass
        assert b"Traceback" not in child.stderr.read()
        assert child.wait() == 128 + signal.SIGPIPE


def test_ctrl_c_ends_it_with_130_and_no_trace() -> None:
    with subprocess.Popen(
        [*COMMAND, "--metrics", "loss", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:  # fmt: skip
        assert child.stdin
        assert child.stdout
        assert child.stderr
        child.stdin.write(b"loss=1\n")
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["value"] == "1"
        child.send_signal(signal.SIGINT)
        assert b"Traceback" not in child.stderr.read()
        assert child.wait() == 130


def test_a_long_log_shows_on_the_terminal_how_far_it_is(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    with log.open("wb") as file:
        file.truncate(65 << 20)  # a sparse file: one line of NULs
        file.seek(0, os.SEEK_END)
        file.write(b" loss=0.5\n")
    screen, terminal = os.openpty()
    done = subprocess.run(
        [*COMMAND, "--metrics", "loss", str(log)], stdout=subprocess.PIPE, stderr=terminal, check=False
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # what a terminal's other end says when all is read
        while part := os.read(screen, 4096):
            shown += part
    os.close(screen)
    assert json.loads(done.stdout)["value"] == "0.5"
    assert "━".encode() in shown
    assert b"1 point in 1 line" in shown
