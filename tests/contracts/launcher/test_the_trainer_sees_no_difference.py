"""A trainer under the launcher inherits and ends as without it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from launcher import linux
from tests.contracts.launcher.launcher_process import Facts, Launcher, as_in_a_shell, finished

_texts = st.binary(max_size=40).map(lambda text: text.replace(b"\0", b"\n"))
_names = st.one_of(
    st.sampled_from(
        [b"a.b.c", b"with space", b"ends.", b"-dash", b"1digit", b"LC_ALL", b"\xff\xfe"]
    ),
    st.binary(min_size=1, max_size=12).map(
        lambda text: text.replace(b"\0", b".").replace(b"=", b"_")
    ),
)
_statuses = st.one_of(
    st.integers(0, 255),
    st.sampled_from([-signal.SIGTERM, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGPIPE, -34, -64]),
)
# Python changes SIGPIPE and SIGXFSZ at its start, and does not provide the old dispositions.
_signals = st.sampled_from(
    sorted(
        signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    arguments: Sequence[bytes]
    environment: dict[bytes, bytes]
    folder: str
    stdin: bytes
    umask: int
    blocked: set[int]
    ignored: set[int]
    status: int
    closed: set[int]

    def prepare(self) -> None:
        os.umask(self.umask)
        for number in self.ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        for descriptor in self.closed:
            os.close(descriptor)


_given = st.builds(
    _Given,
    arguments=st.lists(_texts, max_size=6),
    environment=st.dictionaries(_names, _texts, max_size=6),
    folder=st.sampled_from(["/", "/tmp", "/proc", "/usr/bin"]),
    stdin=st.binary(max_size=2000),
    umask=st.sampled_from([0, 0o022, 0o077, 0o777]),
    blocked=st.sets(_signals, max_size=4),
    ignored=st.sets(_signals, max_size=4),
    status=_statuses,
    closed=st.sets(st.sampled_from([2]), max_size=1),
)


def _start(words: Sequence[str | bytes], inherited: _Given) -> tuple[int, bytes, bytes]:
    ran = subprocess.run(
        words,
        input=inherited.stdin,
        capture_output=True,
        env=inherited.environment,
        cwd=inherited.folder,
        preexec_fn=inherited.prepare,
        start_new_session=True,
        check=False,
    )
    return as_in_a_shell(ran.returncode), ran.stdout, ran.stderr


@pytest.mark.parametrize("capture", [["--capture"], []], ids=["capture", "file"])
def test_the_same_facts_output_and_status_as_bare(
    launcher: Launcher, probe: Path, capture: list[str]
) -> None:
    @settings(max_examples=60 if launcher.name == "launch" else 25)
    @given(_given)
    def as_bare(inherited: _Given) -> None:
        command: list[str | bytes] = [str(probe), str(int(inherited.status)), *inherited.arguments]
        with tempfile.TemporaryDirectory() as scratch:
            run_dir = Path(scratch) / "run"
            flags = ["--drain", "0", *capture]
            bare = _start(command, inherited)
            assert _start([*launcher.run(run_dir, *flags), *command], inherited) == bare
            if capture:
                assert (run_dir / "attempts/1/out-00000001").read_bytes() == bare[1]
                assert (run_dir / "attempts/1/err-00000001").read_bytes() == bare[2]

    as_bare()


def _facts(launcher: Launcher, run_dir: Path, words: Sequence[str]) -> Facts:
    output = subprocess.run(
        [*launcher.run(run_dir, "--drain", "0"), *words], capture_output=True, check=False
    ).stdout
    found: Facts = json.loads(output)
    return found


def test_an_environment_that_is_not_a_mapping_is_unchanged(
    launcher: Launcher, probe: Path, run_dir: Path
) -> None:
    environment = [b"A=1", b"A=2", b"NO_EQUALS_SIGN", b"=nameless", b"", b"B="]
    words = [os.fsencode(word) for word in [*launcher.run(run_dir, "--drain", "0"), str(probe)]]
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writer, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        linux.execute_exactly(words[0], words, environment)
        os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as output:
        facts = json.loads(output.read())
    os.waitpid(child, 0)
    assert [bytes.fromhex(entry) for entry in facts["environ"]] == environment


def test_no_descriptor_of_the_launcher_reaches_the_trainer(
    launcher: Launcher, probe: Path, run_dir: Path
) -> None:
    reader, writer = os.pipe()
    try:
        words = [*launcher.run(run_dir, "--drain", "0", "--capture"), str(probe)]
        ran = subprocess.run(words, capture_output=True, pass_fds=[writer], check=True)
        assert json.loads(ran.stdout)["open"] == [0, 1, 2, writer]
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("closed", [{0}, {1}, {2}, {1, 2}, {0, 1, 2}], ids=str)
def test_a_closed_standard_stream_stays_closed(
    launcher: Launcher, run_dir: Path, tmp_path: Path, closed: set[int]
) -> None:
    facts = tmp_path / "facts"
    code = (
        "import os,sys; fds=[]\n"
        "for fd in range(20):\n"
        " try: os.fstat(fd); fds.append(fd)\n"
        " except OSError: pass\n"
        f"os.write(os.open({str(facts)!r}, os.O_WRONLY|os.O_CREAT), repr(fds).encode())"
    )
    command = [sys.executable, "-I", "-S", "-c", code]

    def prepare() -> None:
        for descriptor in closed:
            os.close(descriptor)

    ran = finished(launcher, run_dir, command, "--capture", preexec_fn=prepare)
    assert ran.wait() == 0
    assert json.loads(facts.read_text(encoding="utf-8")) == sorted({0, 1, 2} - closed)


def test_the_program_is_found_as_the_image_finds_it(
    launcher: Launcher, run_dir: Path, tmp_path: Path, probe: Path
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    (tmp_path / "first" / "trainer").write_text("not to be run", encoding="utf-8")
    (tmp_path / "second" / "trainer").symlink_to(probe)
    path = f"{tmp_path}/none:{tmp_path}/first:{tmp_path}/second"
    ran = finished(launcher, run_dir, ["trainer", "7"], env={"PATH": path}, stdout=subprocess.PIPE)
    assert ran.wait() == 7


@pytest.mark.parametrize(
    ("make", "status", "said"),
    [
        (None, 127, "No such file or directory (the file, or the interpreter that it names)"),
        (b"#!/no/such/interpreter\n", 127, "No such file or directory (the file, or the inter"),
        (b"neither a program nor a script\n", 126, "Exec format error"),
    ],
    ids=["missing", "no-interpreter", "no-format"],
)
def test_the_message_names_a_program_that_cannot_be_run(
    launcher: Launcher, tmp_path: Path, make: bytes | None, status: int, said: str
) -> None:
    program = tmp_path / "trainer"
    if make is not None:
        program.write_bytes(make)
        program.chmod(0o755)
    with tempfile.TemporaryFile() as errors:
        run_dir = tmp_path / "run"
        ran = finished(launcher, run_dir, [str(program)], "--capture", stderr=errors)
        errors.seek(0)
        message = errors.read().decode()
    assert ran.wait() == ran.record()["status"] == status
    assert str(program) in message
    assert said in message


@pytest.mark.parametrize("name", ["nowhere", ""])
def test_a_program_that_is_not_in_the_path_is_127(
    launcher: Launcher, run_dir: Path, name: str
) -> None:
    with tempfile.TemporaryFile() as errors:
        ran = finished(launcher, run_dir, [name], env={"PATH": "/a:/b"}, stderr=errors)
        errors.seek(0)
        assert b"not found in PATH=/a:/b" in errors.read()
    assert ran.wait() == 127


def test_a_program_without_permission_is_126(
    launcher: Launcher, run_dir: Path, tmp_path: Path
) -> None:
    program = tmp_path / "trainer"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o644)
    assert finished(launcher, run_dir, [str(program)], stderr=subprocess.DEVNULL).wait() == 126
