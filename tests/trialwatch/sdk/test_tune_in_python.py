"""`trialwatch.tune` in scripts of users: commands, functions, mistakes, interruptions."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trialwatch.sdk.python_project import Project, wait_until

SLOW = """
    import signal, sys, time
    import trialwatch

    def train(lr):
        trialwatch.report(loss=lr)
        if lr > 0.2:
            time.sleep(600)

    result = trialwatch.tune(
        train, {"lr": [0.1, 0.5]}, minimize="loss", algorithm="grid", parallel=2
    )
    print(result.state, result.best and result.best.parameters, [t.state for t in result.records])
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()


def test_a_command_is_tuned_and_the_result_has_values_of_python(project: Project) -> None:
    project.write(
        "search.py",
        """
        import trialwatch

        result = trialwatch.tune(
            "sh -c 'echo loss={lr} layers {layers}'",
            {"lr": trialwatch.Float(1e-3, 1, log=True), "layers": [2, 4]},
            minimize="loss", trials=3, parallel=3,
        )
        best = result.best
        assert best.parameters["lr"] == best.metrics["loss"]
        assert best.parameters["layers"] in (2, 4)
        assert best.metrics["loss"] == min(t.metrics["loss"] for t in result.records)
        print(result.state, len(result.records), result.report)
        """,
    )

    status, out, err = project.call("search.py")

    assert (status, err) == (0, "")
    assert "3 trials: 3 succeeded" in out
    state, number, report = out.splitlines()[-1].split()
    assert (state, number) == ("succeeded", "3")
    assert Path(report).stat().st_size > 1 << 20


def test_a_function_of_the_script_is_tuned_and_the_same_call_continues(project: Project) -> None:
    project.write(
        "search.py",
        """
        import os, trialwatch
        EPOCHS = 2
        make = lambda factor: lambda lr: lr * factor
        scaled = make(10)

        def train(lr, layers, opt):
            for epoch in range(EPOCHS):
                trialwatch.report(loss=scaled(lr), step=epoch)
            print("types", type(lr), type(layers), opt)
            return {"accuracy": 1 - lr}

        print("once")
        result = trialwatch.tune(
            train,
            {"lr": (0.001, 0.1), "layers": range(2, 6), "opt": [None, True]},
            maximize="accuracy", also=["loss"], trials=int(os.environ["TRIALS"]),
        )
        best = result.best
        assert best.metrics["accuracy"] == 1 - best.parameters["lr"], best
        assert best.metrics["loss"] == 10 * best.parameters["lr"], best
        assert {t.parameters["opt"] for t in result.records} <= {None, True}
        print(result.name, len(result.records))
        """,
    )

    status, out, err = project.call("search.py", TRIALS="2")
    assert (status, err) == (0, ""), out
    assert out.count("once\n") == 1
    for log in project.logs():
        assert "types <class 'float'> <class 'int'>" in log
        assert " step=0 loss=" in log
    name = out.split()[-2]
    assert name.startswith("train-")

    status, out, err = project.call("search.py", TRIALS="3")
    assert (status, err) == (0, "")
    assert "continuing with 2 trials" in out
    assert out.split()[-2:] == [name, "3"]


def test_a_function_of_a_module_is_imported_in_the_trial(project: Project) -> None:
    project.write("training/__init__.py", "")
    project.write(
        "training/model.py",
        """
        import sys
        def train(lr):
            print(__name__, "train" in globals())
            return lr
        """,
    )
    project.write(
        "search.py",
        """
        import trialwatch
        from training.model import train
        print(trialwatch.tune(train, {"lr": (0.1, 0.5)}, minimize="loss", trials=1).best.metrics)
        """,
    )

    status, out, err = project.call("search.py")

    assert (status, err) == (0, ""), out
    assert "{'loss': 0." in out
    [log] = project.logs()
    assert log.startswith("training.model True\n")


def test_an_exception_is_the_failure_of_its_trial(project: Project) -> None:
    project.write(
        "search.py",
        """
        import trialwatch

        def train(lr):
            raise ValueError(f"the rate {lr} is bad")

        try:
            trialwatch.tune(train, {"lr": (0.1, 0.5)}, minimize="loss", trials=1)
        except trialwatch.TuneError as error:
            print("ERROR", error)
        """,
    )

    status, out, _ = project.call("search.py")

    assert status == 0
    message = out.partition("ERROR ")[2]
    assert message.startswith("the only trial failed, so the search was ended: ")
    assert "its last output:\n    ValueError: the rate 0." in message
    assert "then call trialwatch.tune again" in message
    [log] = project.logs()
    assert log.startswith('Traceback (most recent call last):\n  File "')
    assert log.count("  File ") == 1
    assert 'search.py", line 5, in train' in log


def test_a_trial_that_fails_among_others_is_in_the_result(project: Project) -> None:
    project.write(
        "search.py",
        """
        import trialwatch

        def train(lr):
            if lr == 0.5:
                raise ValueError("too high")
            return lr

        result = trialwatch.tune(train, {"lr": [0.1, 0.5]}, minimize="loss", algorithm="grid")
        print({t.parameters["lr"]: (t.state, dict(t.metrics)) for t in result.records})
        print([t.cause.endswith("ValueError: too high") for t in result.records])
        """,
    )

    status, out, err = project.call("search.py")

    assert (status, err) == (0, "")
    assert "0.1: ('succeeded', {'loss': 0.1})" in out
    assert "0.5: ('failed', {})" in out
    assert sorted(out.splitlines()[-1].strip("[]").split(", ")) == ["False", "True"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('("pyton {lr}", {"lr": (0, 1)}, minimize="loss")', "no program 'pyton'; did you mean"),
        ('("sh {lrr}", {"lr": (0, 1)}, minimize="loss")', "{lrr} in the command is not in the"),
        ('("sh {lr}", {"lr": "1..0"}, minimize="loss")', '{"lr": "1..0"}: the first bound is'),
        ('(3, {"lr": (0, 1)}, minimize="loss")', "3 cannot be tuned: give a command as a text or"),
        ('("sh {lr}", ["lr"], minimize="loss")', "the space ['lr'] is not a dict: write one such"),
        ('("sh", {}, minimize="loss")', "the space is empty: name a parameter"),
        ('("sh {lr}", {"lr": (0, 1)}, minimize="a", algorithm="x")', "unknown algorithm name x"),
        ('("sh {lr}", {"lr": (0, 1)}, minimize="a", trials=0)', "trials 0 is too small"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_exception_without_our_frames(
    project: Project, call: str, words: str
) -> None:
    project.write(
        "search.py",
        f"""
        import trialwatch
        try:
            trialwatch.tune{call}
        except trialwatch.TuneError as error:
            assert error.__cause__ is None and error.__context__ is None
            print(error)
        """,
    )

    status, out, err = project.call("search.py")

    assert (status, err) == (0, "")
    assert words in out
    assert not (project.folder / ".trialwatch").exists()


def test_ctrl_c_ends_the_trials_and_returns_the_result_so_far(project: Project) -> None:
    project.write("search.py", SLOW)
    process = project.start("search.py")
    wait_until(lambda: len(project.logs()) == 2 and all(project.logs()) and _one_ended(project))

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)

    assert (process.returncode, err) == (0, "")
    assert "was interrupted; to continue: call trialwatch.tune again" in out
    state, rest = out.splitlines()[-1].split(" ", 1)
    assert state == "interrupted"
    assert rest.startswith("{'lr': 0.1} ")
    assert "'interrupted'" in rest
    assert project.processes() == []


def test_a_killed_script_leaves_no_process_behind(project: Project) -> None:
    project.write("search.py", SLOW)
    process = project.start("search.py")
    wait_until(lambda: len(project.logs()) == 2 and all(project.logs()))
    assert len(project.processes()) > 2

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    wait_until(lambda: project.processes() == [])


def test_a_killed_search_is_an_error_and_the_next_call_continues(project: Project) -> None:
    project.write("search.py", SLOW.replace("600", "2"))
    process = project.start("search.py")
    wait_until(lambda: len(project.logs()) == 2 and all(project.logs()))
    [search] = project.processes_of("trialwatch.search_process")

    search.kill()
    _, err = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "TuneError: the process that searches was killed by SIGKILL: call tune again" in err
    status, out, _ = project.call("search.py")
    assert status == 0
    assert "succeeded {'lr': 0.1} ['succeeded', 'succeeded']" in out


def test_a_project_may_have_packages_with_our_names(project: Project) -> None:
    for name in ("api", "filters", "runner", "serving"):
        project.write(f"{name}/__init__.py", "WHOSE = 'the project'\n")
    project.write(
        "search.py",
        """
        import sys
        import trialwatch

        def train(lr):
            import api, filters
            print(api.WHOSE, filters.WHOSE)
            return lr

        result = trialwatch.tune(train, {"lr": (0.1, 0.5)}, minimize="loss", trials=1)
        assert not {"api", "filters", "runner", "serving", "rich", "numpy"} & {*sys.modules}
        import api
        print(result.state, api.WHOSE)
        """,
    )

    status, out, err = project.call("search.py")

    assert (status, err) == (0, ""), out
    assert out.endswith("succeeded the project\n")
    [log] = project.logs()
    assert log.startswith("the project the project\n")


HINT = "trialwatch: result.trials is a list of records; for a DataFrame: pip install pandas\n"


@pytest.mark.parametrize(
    ("pandas", "kind", "hint"),
    [("class DataFrame(list): pass", "DataFrame", ""), ("raise ImportError", "list", HINT)],
)
def test_trials_are_a_data_frame_if_pandas_is_there(
    project: Project, pandas: str, kind: str, hint: str
) -> None:
    project.write("pandas.py", pandas)
    project.write(
        "search.py",
        """
        import trialwatch
        call = ("sh -c 'echo loss={lr}'", {"lr": (0.1, 0.5)})
        result = trialwatch.tune(*call, minimize="loss", trials=1)
        print(type(result.trials).__name__, *result.trials[0])
        """,
    )

    status, out, err = project.call("search.py")

    assert (status, err) == (0, hint)
    assert out.splitlines()[-1] == f"{kind} name state lr loss seconds cause"


def _one_ended(project: Project) -> bool:
    trials = project.folder.glob(".trialwatch/default/*/trials/*.yaml")
    return any("type: Succeeded" in path.read_text() for path in trials)
