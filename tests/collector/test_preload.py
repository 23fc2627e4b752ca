"""A process that forks collectors prepares what all of them need."""

from __future__ import annotations

import subprocess
import sys

from collector.preload import compile_patterns

FLAGS = [
    "-t",
    "t",
    "-m",
    "preloaded-loss;acc",
    "-o-type",
    "minimize",
    "-path",
    "/x",
    "-s-db",
    "d:1",
]
COMPILED_ONCE = f"""
import re
from api.sidecar import from_argv
from collector.app import plan_of
from collector.preload import compile_patterns
from filters.extractor import Extractor

compile_patterns({FLAGS})
re._compiler.compile = None  # nothing may be compiled from here on
extractor = Extractor(plan_of(from_argv({FLAGS})).extraction)
print([point.value for point in extractor.feed(b"preloaded-loss=0.5\\n")])
"""
WITHOUT_THREADS = "import collector.preload, threading; print(threading.active_count())"


def output_of(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_fork_finds_the_patterns_of_its_metrics_compiled() -> None:
    assert output_of(COMPILED_ONCE) == "['0.5']\n"


def test_wrong_flags_are_left_to_the_collector() -> None:
    compile_patterns(["--no-such-flag"])


def test_loading_opens_no_channel_because_its_threads_do_not_survive_a_fork() -> None:
    assert output_of(WITHOUT_THREADS) == "1\n"
