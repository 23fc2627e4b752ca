"""`--capture`: each stream goes to its original output, and into segments."""

from __future__ import annotations

import fcntl
import os
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import (
    Launcher,
    exists,
    finished,
    launched,
    python,
    wait_for,
)

_SEGMENT = 1 << 20


def test_long_streams_arrive_whole_in_segments_of_one_size(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    rng = random.Random(4)
    sent = {name: rng.randbytes(size) for name, size in [("out", 3_500_000), ("err", 1 << 20)]}
    for name, content in sent.items():
        (tmp_path / name).write_bytes(content)
    command = ["sh", "-c", f"cat {tmp_path}/out & cat {tmp_path}/err >&2; wait; exit 5"]
    with launched(
        launcher,
        run_dir,
        command,
        "--drain",
        "0",
        "--capture",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as ran:
        assert ran.process.communicate() == (sent["out"], sent["err"])
        assert ran.wait() == 5
        assert ran.record()["complete"] is True
        for name, content in sent.items():
            segments = sorted(ran.folder.glob(f"{name}-*"))
            assert ran.stream(name) == content
            assert [path.stat().st_size for path in segments[:-1]] == [_SEGMENT] * (
                len(segments) - 1
            )
            assert segments[0].name == f"{name}-00000001"


def test_a_line_is_in_the_segment_while_the_trainer_runs(launcher: Launcher, run_dir: Path) -> None:
    command = ["sh", "-c", "echo loss=1; exec sleep 60"]
    with launched(launcher, run_dir, command, "--capture", stdout=subprocess.PIPE) as ran:
        wait_for(lambda: ran.run_dir.exists() and ran.stream("out") == b"loss=1\n")
        assert ran.process.stdout is not None
        assert ran.process.stdout.readline() == b"loss=1\n"


def test_two_streams_that_are_one_file_keep_their_order(launcher: Launcher, run_dir: Path) -> None:
    command = python("import os\nfor i in range(2000): os.write(1 + i % 2, b'%d\\n' % i)")
    with launched(
        launcher,
        run_dir,
        command,
        "--drain",
        "0",
        "--capture",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as ran:
        output, _ = ran.process.communicate()
        assert output == b"".join(b"%d\n" % i for i in range(2000))
        assert ran.stream("out") == output
        assert ran.stream("err") == b""


def test_if_the_reader_goes_away_the_trainers_pipe_closes_too(
    launcher: Launcher, run_dir: Path
) -> None:
    with launched(
        launcher, run_dir, ["yes"], "--drain", "0", "--capture", stdout=subprocess.PIPE
    ) as ran:
        assert ran.process.stdout is not None
        assert ran.process.stdout.readline() == b"y\n"
        ran.process.stdout.close()
        assert ran.wait() == 128 + signal.SIGPIPE


def test_a_reader_that_goes_while_nothing_is_written_is_noticed_by_the_next_write(
    launcher: Launcher, run_dir: Path
) -> None:
    code = (
        "import os, select\n"
        "gone = select.poll(); gone.register(1, 0); gone.poll()\n"  # POLLERR needs no asking
        "try: os.write(1, b'x')\n"
        "except BrokenPipeError: os._exit(33)"
    )
    with launched(
        launcher, run_dir, python(code), "--drain", "0", "--capture", stdout=subprocess.PIPE
    ) as ran:
        ran.wait_for_attempt()
        assert ran.process.stdout is not None
        ran.process.stdout.close()
        assert ran.wait() == 33


def test_a_reader_that_does_not_read_holds_the_trainer_as_it_would_bare(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    progress = tmp_path / "progress"
    code = (
        "import os, sys\n"
        f"note = os.open({str(progress)!r}, os.O_WRONLY | os.O_CREAT)\n"
        "for i in range(1024): os.write(1, b'x' * 4096); os.pwrite(note, b'%d' % i, 0)"
    )
    with launched(
        launcher, run_dir, python(code), "--drain", "0", "--capture", stdout=subprocess.PIPE
    ) as ran:
        settled = _settled(progress)
        assert 16 <= settled < 100  # three pipes' worth: the reader's, the trainer's, one chunk
        assert len(ran.stream("out")) < 100 * 4096
        output, _ = ran.process.communicate()
        assert len(output) == 1024 * 4096
        assert ran.stream("out") == output


def _settled(progress: Path) -> int:
    """Wait until a counter has not moved for a while; returns it."""
    wait_for(lambda: progress.exists() and progress.read_bytes())
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.3:
        now = int(progress.read_bytes() or b"0")
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.01)
    return last


def test_a_signal_ends_a_trainer_whose_output_is_not_read(
    launcher: Launcher, run_dir: Path
) -> None:
    with launched(
        launcher, run_dir, ["yes"], "--grace", "2", "--capture", stdout=subprocess.PIPE
    ) as ran:
        ran.wait_for_attempt()
        assert ran.process.stdout is not None
        wait_for(lambda: len(ran.stream("out")) >= 65536)
        ran.process.terminate()
        assert ran.wait_for_record()["signal"] == signal.SIGTERM
        assert ran.wait() == 128 + signal.SIGTERM


def test_a_stream_that_the_trainer_closes_ends_for_the_reader(
    launcher: Launcher, run_dir: Path
) -> None:
    command = ["sh", "-c", "echo last; exec >&- 2>&-; exec sleep 60"]
    with launched(
        launcher, run_dir, command, "--capture", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ran:
        assert ran.process.stdout is not None
        assert ran.process.stderr is not None
        assert ran.process.stdout.read() == b"last\n"
        assert ran.process.stderr.read() == b""
        assert ran.process.poll() is None


@pytest.mark.parametrize("capture", [["--capture"], []], ids=["capture", "file"])
def test_the_hold_keeps_no_stream_open(
    launcher: Launcher, run_dir: Path, capture: list[str]
) -> None:
    with launched(
        launcher, run_dir, ["echo", "done"], *capture, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as ran:
        assert ran.process.stdout is not None
        assert ran.process.stdout.read() == b"done\n"
        ran.wait_for_record()
        assert ran.process.poll() is None
        assert ran.process.stdin is not None
        with pytest.raises(BrokenPipeError):
            os.write(ran.process.stdin.fileno(), b"not read")


def test_a_daemon_that_keeps_stdout_open_does_not_delay_the_end(
    launcher: Launcher, run_dir: Path
) -> None:
    code = (
        "import os, sys, time\n"
        "if os.fork(): os.write(1, b'last line\\n'); os._exit(4)\n"
        "os.setsid()\n"
        "os.write(2, b'%d' % os.getpid())\n"
        "time.sleep(600)"
    )
    with launched(
        launcher,
        run_dir,
        python(code),
        "--drain",
        "0",
        "--capture",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as ran:
        output, errors = ran.process.communicate(timeout=30)
        assert ran.wait() == 4
        assert output == ran.stream("out") == b"last line\n"
        assert ran.record()["leftovers"] == 1
        assert not errors or not exists(int(errors))


def test_output_of_the_last_moment_is_kept_and_forwarded(launcher: Launcher, run_dir: Path) -> None:
    command = python("import os; os.write(1, b'x' * 65536); os.kill(os.getpid(), 9)")
    with launched(
        launcher, run_dir, command, "--drain", "0", "--capture", stdout=subprocess.PIPE
    ) as ran:
        output, _ = ran.process.communicate()
        assert ran.wait() == 137
        assert output == ran.stream("out") == b"x" * 65536


def test_a_large_pipe_of_the_trainer_is_emptied_at_its_end(
    launcher: Launcher, run_dir: Path
) -> None:
    size = 1 << 20
    code = (
        f"import fcntl, os; fcntl.fcntl(1, {fcntl.F_SETPIPE_SZ}, {size})\n"
        f"left = {size}\n"
        "while left: left -= os.write(1, b'x' * left)"
    )
    with launched(
        launcher, run_dir, python(code), "--drain", "0", "--capture", stdout=subprocess.PIPE
    ) as ran:
        output, _ = ran.process.communicate()
        assert len(output) == len(ran.stream("out")) == size


def test_segments_that_cannot_grow_end_the_capture_and_not_the_training(
    launcher: Launcher, run_dir: Path
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = ["sh", "-c", "head -c 300000 /dev/zero; exit 6"]
    with launched(
        launcher,
        run_dir,
        command,
        "--drain",
        "0",
        "--capture",
        stdout=subprocess.PIPE,
        preexec_fn=limit,
    ) as ran:
        output, _ = ran.process.communicate()
        assert ran.wait() == 6
        assert len(output) == 300_000
        record = ran.record()
        assert (record["complete"], record["cause"]) == (False, "File too large")
        assert ran.stream("out") == output[:100_000]


def test_a_full_disk_behind_stdout_does_not_stop_the_capture(
    launcher: Launcher, run_dir: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = finished(launcher, run_dir, ["echo", "loss=1"], "--capture", stdout=full)
    assert ran.stream("out") == b"loss=1\n"
    assert ran.wait() == 0
