"""What all tests share: no test leaves anything behind, goldens are renewed by one flag.

Variables: `TRIALWATCH_EXAMPLES` (examples for each property that does not say its own number) and
`TRIALWATCH_FUZZ_SECONDS` (how long each fuzz test keeps at it).
"""

from __future__ import annotations

import asyncio
import difflib
import os
import signal
from typing import TYPE_CHECKING, Literal, get_args

import hypothesis
import pytest
import pytest_asyncio

from tests.leaks import KINDS, Holding, clear_frames, held_now, new_since, tasks_since

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from pathlib import Path

    Golden = Callable[[Path, str], None]

_LoopScope = Literal["function", "class", "module", "package", "session"]

_shared = pytest.StashKey[Holding]()
_failure = pytest.StashKey[BaseException]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the code gives into the golden files; review the diff as code",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"leaves_behind(*kinds, reason): this test may leave {', '.join(KINDS)}, and says why",
    )
    config.stash[_shared] = Holding()
    _take_interrupts()
    _choose_hypothesis_profile()


def _take_interrupts() -> None:
    """Let the keyboard's signals mean something to the programs that are tested.

    What a script starts with `&` ignores both, and so would all that it starts in its turn.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def _choose_hypothesis_profile() -> None:
    """Take `long` where examples were asked for, `ci` on a build machine, else `default`."""
    # No deadline and no complaint of slowness: both would blame a test for a busy machine.
    common = hypothesis.settings(
        deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.register_profile("default", common, derandomize=False)
    # A build goes red for what was committed, never for the dice; and it leaves no database.
    hypothesis.settings.register_profile("ci", common, derandomize=True, database=None)
    examples = os.environ.get("TRIALWATCH_EXAMPLES")
    long = bool(examples or os.environ.get("TRIALWATCH_FUZZ_SECONDS"))
    hypothesis.settings.register_profile(
        "long", common, derandomize=False, max_examples=int(examples or 2_000)
    )
    profile = "long" if long else "ci" if os.environ.get("CI") else "default"
    hypothesis.settings.load_profile(profile)


@pytest.fixture(scope="session")
def fuzz_seconds() -> float:
    """How long a fuzz test keeps at it: a moment, or what `TRIALWATCH_FUZZ_SECONDS` says."""
    return float(os.environ.get("TRIALWATCH_FUZZ_SECONDS", "3"))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with a golden file; `--update-golden` writes the file instead."""
    update = request.config.getoption("--update-golden")

    def compare(path: Path, actual: str) -> None:
        if update:
            path.write_text(actual, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run `make golden` and review what it writes"
        expected = path.read_text(encoding="utf-8")
        difference = difflib.unified_diff(
            expected.splitlines(keepends=True),
            actual.splitlines(keepends=True),
            fromfile=str(path),
            tofile="what the code gives",
        )
        assert actual == expected, f"run `make golden` if this is meant:\n{''.join(difference)}"

    return compare


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each asynchronous test be watched from within the loop in which it runs."""
    for item in items:
        if isinstance(item, pytest.Function) and pytest_asyncio.is_async_test(item):
            names = item.fixturenames
            # Behind the outermost watch, so that the loop is closed when that one looks.
            names.insert(names.index("nothing_left_behind") + 1, f"_no_task_{_loop_scope(item)}")


def _loop_scope(item: pytest.Item) -> str:
    marker = item.get_closest_marker("asyncio")
    default = str(item.config.getini("asyncio_default_test_loop_scope"))
    return str(marker.kwargs.get("loop_scope", default)) if marker else default


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Note what a fixture of wider scope opens: it is shared, and outlives the test."""
    if fixturedef.scope == "function":
        return (yield)
    before = held_now()
    try:
        return (yield)
    finally:
        stash = request.config.stash
        stash[_shared] = stash[_shared] | held_now().beyond(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the error of a failed test until the guard looks at what the test left behind."""
    report = yield
    if call.excinfo is not None:
        item.stash[_failure] = call.excinfo.value
    return report


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a child process or an open file descriptor behind."""
    before = held_now()
    yield
    if failure := request.node.stash.get(_failure, None):
        clear_frames(failure)
    stash = request.config.stash
    _refuse(new_since(lambda: before | stash[_shared], excused=_excused(request)))


def _watch_of_tasks(loop_scope: _LoopScope) -> object:
    """Make the fixture that fails a test which leaves a task behind in a loop of this scope."""

    async def watch(request: pytest.FixtureRequest) -> AsyncIterator[None]:
        before = asyncio.all_tasks()
        yield
        if "task" not in _excused(request):
            _refuse(await tasks_since(before))

    return pytest_asyncio.fixture(watch, loop_scope=loop_scope, name=f"_no_task_{loop_scope}")


globals().update({f"_no_task_{scope}": _watch_of_tasks(scope) for scope in get_args(_LoopScope)})


def _excused(request: pytest.FixtureRequest) -> frozenset[str]:
    """Return the kinds that the test's marks excuse; each mark gives its reason."""
    marks = list(request.node.iter_markers("leaves_behind"))
    kinds = frozenset(kind for mark in marks for kind in mark.args)
    assert all(mark.kwargs.get("reason") for mark in marks), "leaves_behind(...) needs a reason="
    assert kinds <= set(KINDS), f"leaves_behind knows {KINDS}, not {sorted(kinds - set(KINDS))}"
    return kinds


def _refuse(left: Holding) -> None:
    if left:
        pytest.fail(f"this test left behind:\n{left}", pytrace=False)
