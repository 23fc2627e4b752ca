"""Signals at random moments: the status is the trainer's decision, or 128 + N.

`TRIALWATCH_FAULT_RUNS` says how many seeded runs there are.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.contracts.launcher.launcher_process import Launcher, launched, python, wait_for

_RUNS = int(os.environ.get("TRIALWATCH_FAULT_RUNS", "500"))
_FATAL: list[int] = [
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    40,
]
_HARMLESS: list[int] = [signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGCHLD]
_START = {"launch": 0.005, "python -m launcher": 0.12}
"""How long a launcher may take until its trainer runs: signals are sent from before to after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What happens in one run; times in seconds from the start."""

    wait: float
    status: int
    caught: tuple[int, int] | None
    """The signal that the trainer catches, and the status that it then ends with."""
    sent: tuple[tuple[float, int], ...]

    @classmethod
    def of(cls, seed: int, start: float) -> _Plan:
        dice = random.Random(seed)
        wait = dice.uniform(0, 0.01)
        number = dice.choice(_FATAL + _HARMLESS if dice.random() < 0.8 else [signal.SIGQUIT])
        # Near the start, near the end, or anywhere between and beyond.
        first = dice.choice(
            [
                dice.uniform(0, 0.005),
                start + wait + dice.uniform(-0.005, 0.005),
                dice.uniform(0, start + wait + 0.003),
            ]
        )
        sent = [(max(0.0, first), number)]
        if dice.random() < 0.5:  # twice, the same or another
            second = number if dice.random() < 0.7 else dice.choice(_FATAL)
            sent.append((max(0.0, first) + dice.uniform(0, 0.003), second))
        caught = (int(number), dice.randrange(100, 120)) if dice.random() < 0.4 else None
        return cls(wait=wait, status=dice.randrange(100), caught=caught, sent=tuple(sent))


def _command(victim: Path, truth: Path, plan: _Plan) -> list[str]:
    words = [str(victim), str(truth), str(int(plan.wait * 1e6)), str(plan.status)]
    return words + [str(word) for word in plan.caught or ()]


def _send(process: subprocess.Popen[bytes], plan: _Plan, began: float) -> None:
    for at, number in plan.sent:
        while time.monotonic() - began < at:
            time.sleep(0.0002)
        process.send_signal(number)


def _right(truth: Path, plan: _Plan) -> set[int]:
    """The possible statuses: the trainer's decision, or each signal if it has not decided."""
    if truth.exists() and truth.read_text(encoding="utf-8"):
        return {int(truth.read_text(encoding="utf-8"))}
    return {128 + number for _, number in plan.sent if number in _FATAL}


@pytest.mark.parametrize("capture", [["--capture"], []], ids=["capture", "file"])
def test_the_status_is_right_whenever_signals_come(
    launcher: Launcher, victim: Path, capture: list[str]
) -> None:
    # The start of an interpreter takes ten times as long as a run of the C program.
    runs = _RUNS // 2 if launcher.name == "launch" else max(1, _RUNS // 20)
    flags = ["--drain", "0", *capture]
    for seed in range(runs):
        plan = _Plan.of(seed, _START[launcher.name])
        with tempfile.TemporaryDirectory() as scratch:
            truth = Path(scratch) / "truth"
            command = _command(victim, truth, plan)
            with launched(
                launcher, Path(scratch) / "run", command, *flags, stderr=subprocess.DEVNULL
            ) as ran:
                _send(ran.process, plan, ran.started)
                status = ran.wait()
            run = f"seed {seed}: {plan}"
            assert status in _right(truth, plan), run
            if (ran.folder / "exit").exists():
                record = ran.record()
                number = record["signal"]
                assert (record["status"] if number is None else 128 + number) == status, run
            else:  # it died before it had looked, and nothing was started
                assert not truth.exists(), run


def test_every_signal_that_can_be_caught_arrives(launcher: Launcher, run_dir: Path) -> None:
    note = run_dir.with_name("note")
    numbers = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    code = (
        "import os, signal\n"
        f"note = os.open({str(note)!r}, os.O_WRONLY | os.O_CREAT)\n"
        f"numbers = {[int(number) for number in numbers]}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, numbers)\n"
        "os.write(note, b'ready\\n')\n"
        "for _ in numbers: os.write(note, b'%d\\n' % signal.sigwait(numbers))\n"
    )
    with launched(launcher, run_dir, python(code), "--drain", "0") as ran:
        wait_for(lambda: note.exists() and note.read_bytes() == b"ready\n")
        for count, number in enumerate(numbers, start=2):
            ran.process.send_signal(number)  # one by one: equal ones would merge, as everywhere
            wait_for(partial(_has_lines, note, count))
        assert ran.wait() == 0
    assert note.read_text(encoding="utf-8").split() == ["ready", *(str(int(n)) for n in numbers)]


def _has_lines(note: Path, count: int) -> bool:
    return note.read_bytes().count(b"\n") == count


def test_the_value_that_comes_with_a_signal_arrives(launcher: Launcher, run_dir: Path) -> None:
    note = run_dir.with_name("note")
    value = 0x1234_5678
    code = (
        "import ctypes, os, signal\n"
        "libc = ctypes.CDLL(None)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [40])\n"
        "mask = ctypes.create_string_buffer(b'\\xff' * 128, 128)\n"
        "info = ctypes.create_string_buffer(128)\n"
        f"os.mkdir({str(note)!r})\n"
        "libc.sigwaitinfo(mask, info)\n"
        "os.write(1, info.raw)\n"
    )
    with launched(
        launcher,
        run_dir,
        [sys.executable, "-I", "-c", code],
        "--drain",
        "0",
        stdout=subprocess.PIPE,
    ) as ran:
        wait_for(note.exists)
        send = "import ctypes; ctypes.CDLL(None).sigqueue({}, 40, ctypes.c_void_p({}))"
        words = [sys.executable, "-I", "-c", send.format(ran.process.pid, value)]
        subprocess.run(words, check=True)
        output, _ = ran.process.communicate(timeout=30)
        assert int.from_bytes(output[24:32], sys.byteorder) == value
        assert ran.wait() == 0
