"""The wheel in a fresh environment: all commands work, in a project that has our packages' names."""

from __future__ import annotations

import json
import shutil
import textwrap
import zipfile
from pathlib import Path

import pytest

from api.objects.yamlout import dump_objects
from tests.architecture.tree import packages
from tests.installation.installed_wheel import Environment, build_wheel, environment
from tests.runner.experiment_runs import experiment
from trialwatch.command_line.parser import COMMANDS

STARTS = (("trialwatch",), ("python", "-m", "trialwatch"))
TOPS = sorted({name.split(".")[0] for name in packages()} - {"trialwatch"})

TRAIN = """
    import os, sys
    import api, collector.core, filters
    print("modules", api.WHOSE, collector.core.WHOSE, filters.WHOSE)
    print("launcher", os.readlink(f"/proc/{os.getppid()}/exe"))
    print("path", *[folder for folder in sys.path if "/_packages" in folder])
    print("PYTHONPATH", os.environ.get("PYTHONPATH"))
    print(f"loss={float(sys.argv[1])}")
"""

PLUGIN = """
    import dataclasses
    from suggestion.algorithms.random_search import ALGORITHM as RANDOM
    from suggestion.core.algorithm import Algorithm
    ALGORITHM = dataclasses.replace(RANDOM)
    assert isinstance(ALGORITHM, Algorithm)
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc) here: the wheel is that of the other tests")
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def plain_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a machine without a C compiler."""
    return build_wheel(tmp_path_factory.mktemp("dist"), CC="no-such-compiler")


@pytest.fixture(scope="session", params=["wheel", "plain_wheel"])
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """An environment with the launcher in C, and one with that in Python."""
    wheel = request.getfixturevalue(request.param)
    made = environment(tmp_path_factory.mktemp("venv"), wheel)
    _package(made.packages / "filters", "installed")
    _package(made.packages / "api", "hidden by the project's own")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a training and packages of its own, and an experiment with it."""
    _package(tmp_path / "api", "project")
    _package(tmp_path / "collector" / "core", "project")
    _package(tmp_path / "collector", "project")
    (tmp_path / "train.py").write_text(textwrap.dedent(TRAIN))
    _write(tmp_path / "e.yaml")
    return tmp_path


def _package(folder: Path, whose: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(f"WHOSE = {whose!r}\n")


def _write(path: Path, algorithm: str = "random") -> None:
    command = ["python", "train.py", "${trialParameters.lr}"]
    algorithms = {"algorithmName": algorithm}
    document = experiment(command=command, maxTrialCount=2, algorithm=algorithms)
    path.write_text(dump_objects([document]))


# -- what is in the wheel ---------------------------------------------------------------------


def test_the_wheel_has_one_package_at_the_top(plain_wheel: Path) -> None:
    with zipfile.ZipFile(plain_wheel) as archive:
        names = archive.namelist()

    tops = {name.split("/")[0] for name in names}
    assert tops == {"trialwatch", "trialwatch-0.1.0.data", "trialwatch-0.1.0.dist-info"}
    below = {Path(name).parts[2] for name in names if name.startswith("trialwatch/_packages/")}
    assert sorted(below) == TOPS


def test_the_wheel_has_no_tests_and_no_sources_of_other_languages(plain_wheel: Path) -> None:
    with zipfile.ZipFile(plain_wheel) as archive:
        code = [name for name in archive.namelist() if name.startswith("trialwatch/")]

    pages = "trialwatch/_packages/ui/dist/"  # there if `make ui` was called before
    others = [name for name in code if not name.endswith(".py") and not name.startswith(pages)]
    assert sorted(others) == ["trialwatch/experiment.schema.json", "trialwatch/py.typed"]
    assert not any({"testing", "tests"} & set(Path(name).parts) for name in code)


def test_without_a_compiler_the_wheel_is_for_any_machine(plain_wheel: Path) -> None:
    assert plain_wheel.name.endswith("-py3-none-any.whl")


def test_with_a_compiler_the_wheel_has_the_launcher_and_the_tag_of_the_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        launcher = archive.getinfo("trialwatch/_packages/launcher/launch")

    assert "-py3-none-manylinux_2_17_" in wheel.name
    assert launcher.external_attr >> 16 & 0o111 == 0o111


def test_the_wheel_has_a_manual_page_with_all_commands(plain_wheel: Path) -> None:
    with zipfile.ZipFile(plain_wheel) as archive:
        page = archive.read("trialwatch-0.1.0.data/data/share/man/man1/trialwatch.1").decode()

    for name in COMMANDS:
        assert f"'trialwatch {name}'" in page
    # A line that begins with a dot is an instruction to roff; if it is text, it is lost.
    requests = {line.split()[0] for line in page.splitlines() if line[:1] in (".", "'")}
    assert requests <= {".B", ".I", ".PP", ".SH", ".SS", ".TH", ".TP"}


# -- an environment with it ------------------------------------------------------------------


@pytest.mark.parametrize("command", STARTS, ids=" ".join)
def test_a_project_with_packages_of_our_names_trains_with_its_own(
    installed: Environment, project: Path, command: tuple[str, ...]
) -> None:
    done = installed.call(*command, "run", "e.yaml", cwd=project)

    assert done.returncode == 0, done.stderr
    logs = list(project.glob(".trialwatch/default/quick/logs/*/*/main.log"))
    assert len(logs) == 2
    for log in logs:
        modules, launcher, path, variable, _ = log.read_text().splitlines()
        assert modules == "modules project project installed"
        has_static = installed.packages.joinpath("trialwatch/_packages/launcher/launch").exists()
        assert ("/launcher/launch" in launcher) == has_static, launcher
        assert (path, variable) == ("path", "PYTHONPATH None")


@pytest.mark.parametrize("command", STARTS, ids=" ".join)
def test_the_other_commands_work_there_too(
    installed: Environment, project: Path, command: tuple[str, ...]
) -> None:
    def call(*words: str) -> str:
        done = installed.call(*command, *words, cwd=project)
        assert done.returncode == 0, done.stderr
        return done.stdout

    result = json.loads(call("run", "e.yaml", "--output", "json"))
    best = result["status"]["currentOptimalTrial"]["bestTrialName"]
    assert best in call("get", "trials")
    log = call("logs", best)
    (project / "train.log").write_text(log)
    assert f"loss={json.loads(call('extract', '--metrics', 'loss', 'train.log'))['value']}" in log
    assert Path(call("plot").strip()).stat().st_size > 1 << 20
    assert "metrics-logger-and-collector" in call("inject", "-f", "e.yaml")
    assert "run an experiment" in call("--help")
    assert call("--version") == "trialwatch 0.1.0\n"
    assert "--parallel" in call("completion", "bash")
    space = ("--minimize", "loss", "--param", "lr=0.1..0.2", "--trials", "2")
    assert "2 succeeded" in call("tune", *space, "--", "python", "train.py", "{lr}")


def test_an_algorithm_of_another_package_imports_ours(
    installed: Environment, project: Path
) -> None:
    info = installed.packages / "plugin-1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[trialwatch.algorithms]\nmine = plugin:ALGORITHM\n")
    (installed.packages / "plugin.py").write_text(textwrap.dedent(PLUGIN))
    _write(project / "e.yaml", "mine")

    done = installed.call("trialwatch", "run", "e.yaml", cwd=project)

    assert done.returncode == 0, done.stderr


def test_explain_needs_the_extra_of_clusters_and_says_so_in_one_line(
    installed: Environment, project: Path
) -> None:
    done = installed.call("trialwatch", "explain", "a-pod", cwd=project)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "pip install 'trialwatch[cluster]'" in done.stderr


def test_importing_trialwatch_leaves_a_users_process_as_it_is(
    installed: Environment, project: Path
) -> None:
    script = (
        "import sys; before = [*sys.path], {*sys.modules}\n"
        "import trialwatch\n"
        "assert sys.path == before[0]\n"
        "tops = {name.partition('.')[0] for name in {*sys.modules} - before[1]}\n"
        "print(*tops - sys.stdlib_module_names)\n"
        "import api, filters; print(api.WHOSE, filters.WHOSE)"
    )
    done = installed.call("python", "-c", script, cwd=project)

    assert done.stdout == "trialwatch\nproject installed\n", done.stderr


def test_a_function_is_tuned_in_python_with_packages_of_our_names(
    installed: Environment, project: Path
) -> None:
    (project / "search.py").write_text(
        textwrap.dedent("""
            import trialwatch

            def train(lr):
                import api, collector.core
                assert api.WHOSE == collector.core.WHOSE == "project"
                return lr

            result = trialwatch.tune(train, {"lr": (0.1, 0.5)}, minimize="loss", trials=2)
            import api
            print(result.state, len(result.records), api.WHOSE)
        """)
    )

    done = installed.call("python", "search.py", cwd=project)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("succeeded 2 project\n")


def test_the_wheel_has_the_plugin_of_kubectl_and_its_completion(
    installed: Environment, tmp_path: Path
) -> None:
    help_text = installed.call("kubectl-trialwatch", "get", "--help", cwd=tmp_path).stdout
    offered = installed.call("kubectl_complete-trialwatch", "ge", cwd=tmp_path)

    assert help_text.startswith("usage: kubectl trialwatch get ")
    assert [line.split("\t")[0] for line in offered.stdout.splitlines()] == ["get", ":4"]
