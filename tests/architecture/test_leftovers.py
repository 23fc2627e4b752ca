"""The guard against leftovers of tests: what it catches, and what it lets pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

SAMPLE = """
import asyncio, os, subprocess, sys, threading, time
import grpc, pytest, pytest_asyncio

stop = threading.Event()

@pytest.fixture(scope="module")
def server():
    ours, theirs = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    thread = threading.Thread(target=stop.wait, name="shared"); thread.start()
    yield
    stop.set(); thread.join(); os.close(ours); os.close(theirs); process.communicate(b"")

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def grpc_port():
    server = grpc.aio.server(); port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(None)

@pytest.fixture(scope="module")
def short_process():
    with subprocess.Popen(["sleep", "0.2"]) as process:
        yield process

@pytest.fixture
async def ticking():
    task = asyncio.create_task(asyncio.sleep(60))
    yield
    task.cancel()

@pytest.fixture
def file(tmp_path):
    with open(tmp_path / "f", "w") as file:
        yield file

def test_bad_descriptor(tmp_path):
    os.open(tmp_path / "f", os.O_CREAT)

def test_bad_pipe():
    os.pipe()

def test_bad_thread():
    threading.Thread(target=lambda: time.sleep(4), daemon=True, name="worker").start()

def test_bad_process():
    global process
    process = subprocess.Popen(["sleep", "4"])

def test_bad_zombie():
    global zombie
    zombie = subprocess.Popen(["true"])

async def test_bad_task():
    asyncio.create_task(asyncio.sleep(60), name="forgotten")

@pytest.mark.asyncio(loop_scope="module")
async def test_bad_task_in_a_wider_loop():
    asyncio.create_task(asyncio.sleep(60), name="forgotten")

@pytest.mark.leaves_behind("descriptor")
def test_bad_excuse():
    pass

def test_good_static(server):
    pass

def test_good_after_a_shared_server(file):
    pass

def test_good_shared_process_that_ends_meanwhile(short_process):
    os.waitid(os.P_PID, short_process.pid, os.WEXITED | os.WNOWAIT)

async def test_good_ticking_fixture(ticking):
    await asyncio.sleep(0)

def test_good_fixture_which_closes(file):
    file.write("x")

def test_good_thread_that_ends_soon():
    threading.Thread(target=lambda: time.sleep(0.2)).start()

@pytest.mark.asyncio(loop_scope="module")
async def test_good_in_a_wider_loop():
    assert await asyncio.to_thread(lambda: 1) == 1

@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("call", range(2))
async def test_good_call_of_a_shared_grpc_server(grpc_port, call):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        with pytest.raises(grpc.RpcError):
            await channel.unary_unary("/no/such")(b"")

async def test_bad_grpc_server_never_stopped():
    global forgotten
    forgotten = grpc.aio.server()
    forgotten.add_insecure_port("127.0.0.1:0")
    await forgotten.start()

class Opened:
    def __init__(self, path):
        self.number = os.open(path, os.O_CREAT)
    def __del__(self):
        os.close(self.number)

def test_failed_with_an_open_file(tmp_path):
    opened = Opened(tmp_path / "f")
    try:
        raise OSError("first")
    except OSError:
        raise AssertionError("the only error of the report")

@pytest.mark.leaves_behind("descriptor", reason="the table shows that a reason is enough")
def test_good_excuse():
    os.pipe()
"""

DYNAMIC = """
import os
import pytest

@pytest.fixture(scope="session")
def late():
    return os.pipe()

def test_good_wider_fixture_asked_for_in_the_middle(request):
    request.getfixturevalue("late")
"""

# Half a second for the bad samples, of which there are many and nothing ends soon; the good ones get
# what they need on a machine that has much else to do.
HASTE = """
import pytest
import tests.leaks

@pytest.fixture(autouse=True)
def patience(request):
    tests.leaks.PATIENCE_SECONDS = 0.5 if request.node.name.startswith("test_bad") else 20.0
"""

CONFIG = """
[pytest]
asyncio_default_fixture_loop_scope = function
asyncio_mode = auto
pythonpath = {root}
addopts = --import-mode=importlib -p no:cacheprovider
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the samples with our conftest in a process; return the verdict on each test by its name."""
    folder = tmp_path_factory.mktemp("leftovers")
    (folder / "pytest.ini").write_text(CONFIG.format(root=TESTS.parent))
    (folder / "conftest.py").write_text(f"{(TESTS / 'conftest.py').read_text()}\n{HASTE}\n")
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "test_dynamic.py").write_text(DYNAMIC)
    command = [sys.executable, "-m", "pytest", "-rA", "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    passed = dict.fromkeys(re.findall(r"^PASSED \S+::(\w+)", run.stdout, re.MULTILINE), "passed")
    headed = r"_ ERROR at teardown of (\w+)\S* _+\n(.*?)(?=\n[_=]{5})"
    errors = re.findall(headed, run.stdout, re.DOTALL)
    assert passed, run.stdout + run.stderr
    return {**passed, **dict(errors), "output": run.stdout}


@pytest.mark.parametrize(
    "name", re.findall(r"def (test_bad_\w+)", SAMPLE), ids=lambda name: name[5:]
)
def test_a_test_that_leaves_something_behind_fails(verdicts: dict[str, str], name: str) -> None:
    expected = "needs a reason" if name == "test_bad_excuse" else "this test left behind"

    assert expected in verdicts[name], verdicts["output"]


@pytest.mark.parametrize(
    "name", re.findall(r"def (test_good_\w+)", SAMPLE + DYNAMIC), ids=lambda name: name[5:]
)
def test_a_test_that_tidies_up_passes(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name] == "passed", verdicts["output"]


def test_a_failed_test_is_not_blamed_for_what_its_traceback_keeps(
    verdicts: dict[str, str],
) -> None:
    assert "FAILED test_sample.py::test_failed_with_an_open_file" in verdicts["output"]
    assert "test_failed_with_an_open_file" not in verdicts


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("descriptor", r"descriptor \d+ -> .*/f\b"),
        ("pipe", r"descriptor \d+ -> pipe:"),
        ("thread", r"thread <Thread\(worker"),
        ("process", r"process \d+ sleep 4"),
        ("zombie", r"process \d+ \(ended, and never waited for\)"),
        ("task", r"task <Task pending name='forgotten'"),
    ],
)
def test_the_message_says_what_was_left(verdicts: dict[str, str], kind: str, words: str) -> None:
    assert re.search(words, verdicts["output"]), kind
