"""The Dockerfiles copy and install what exists, and their images run without root."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from api import names
from tests.architecture.tree import packages, pyproject
from tests.manifests.kustomize import ROOT

DOCKERFILES = sorted(ROOT.glob("Dockerfile.*"))
GROUPS = pyproject()["dependency-groups"]
PORTS = {
    "dbmanager": {names.DB_MANAGER_PORT, names.METRICS_PORT},
    "webhook": {names.WEBHOOK_PORT, names.METRICS_PORT},
    "suggestion": {names.SUGGESTION_PORT, names.EARLY_STOPPING_PORT, names.METRICS_PORT},
    "collector": set(),
    "controller": {names.METRICS_PORT},
}


class Line(NamedTuple):
    """One instruction, continued lines joined."""

    word: str
    rest: str


def lines(path: Path) -> list[Line]:
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    split = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [Line(word, rest) for word, rest in split]


def program(path: Path) -> str:
    return path.suffix.removeprefix(".")


@pytest.fixture(params=DOCKERFILES, ids=program)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_every_program_with_an_image_has_a_dockerfile() -> None:
    assert {program(path) for path in DOCKERFILES} == PORTS.keys()


def test_both_bases_can_be_chosen_and_have_a_default(path: Path) -> None:
    arguments = dict(
        line.rest.split("=", 1) for line in lines(path) if line.word == "ARG" and "=" in line.rest
    )
    stages = [line.rest.split(" AS ") for line in lines(path) if line.word == "FROM"]
    own = {stage[1] for stage in stages if len(stage) > 1}

    assert arguments["BUILD_BASE"] == arguments["BASE"]
    # The same everywhere: they share their layers.
    assert arguments["BASE"] == "python:3.11-slim"
    assert {stage[0] for stage in stages} - own == {"${BUILD_BASE}", "${BASE}"}


def test_it_copies_what_is_there(path: Path) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in lines(path):
        if line.word == "COPY" and not line.rest.startswith("--from"):
            for source in line.rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert not any(fnmatch(source, pattern) for pattern in ignored if source != ".")


def test_it_installs_the_locks_of_the_build_and_of_its_program_by_hash_and_keeps_no_cache(
    path: Path,
) -> None:
    runs = [line.rest for line in lines(path) if line.word == "RUN"]
    installs = [step.split() for run in runs for step in run.split("&&") if "pip install" in step]
    own = [words for words in installs if words[-1] == "."]
    others = [words for words in installs if words[-1] != "."]

    assert len(own) == 1
    assert {"--no-deps", "--no-build-isolation"} <= set(own[0])
    assert [words[-2:] for words in others] == [
        ["-r", "images/locks/build.txt"],
        ["-r", f"images/locks/{program(path)}.txt"],
    ]
    for words in others:
        assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(words)
    assert any("PIP_NO_CACHE_DIR=1" in line.rest for line in lines(path) if line.word == "ENV")


def test_it_writes_what_it_has_installed_into_the_image(path: Path) -> None:
    (run,) = (line.rest for line in lines(path) if "images/sbom.py" in line.rest)

    assert f"images/sbom.py trialwatch-{program(path)} /install >/sbom.cdx.json" in run
    assert run.index("-r images/locks/") < run.index("images/sbom.py")


def test_its_last_stage_removes_pip_and_the_shells_before_anything_else(path: Path) -> None:
    stages = "\n".join(f"{line.word} {line.rest}" for line in lines(path)).split("FROM ")
    (stage,) = (stage for stage in stages if stage.startswith("${BASE}"))

    assert stage.splitlines()[1:3] == [
        "COPY --from=build /src/images/strip.py /strip.py",
        'RUN ["python", "/strip.py"]',
    ]
    # Without a shell, only the form of a list can run.
    assert all(line.startswith("RUN [") for line in stage.splitlines() if line.startswith("RUN"))


def test_python_finds_the_packages_of_the_wheel(path: Path) -> None:
    wheel = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]
    (environment,) = (line.rest for line in lines(path) if "PYTHONUNBUFFERED" in line.rest)
    folder = wheel["sources"][program(path)].removesuffix(f"/{program(path)}")

    assert f"PYTHONPATH=/install/{folder}:/install" in environment.split()


def test_it_starts_its_program_as_a_numbered_user(path: Path) -> None:
    arguments = dict(line.rest.split("=", 1) for line in lines(path) if line.word == "ARG")
    users = [line.rest for line in lines(path) if line.word == "USER"]
    starts = [line.rest for line in lines(path) if line.word == "ENTRYPOINT"]

    (user,) = (re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], user) for user in users)
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", user)
    (start,) = starts
    assert re.search(rf'"python", "-m", "{program(path)}"\]$', start)
    assert (ROOT / program(path) / "__main__.py").exists()


def test_it_says_which_ports_it_serves(path: Path) -> None:
    exposed = {
        int(port) for line in lines(path) if line.word == "EXPOSE" for port in line.rest.split()
    }

    assert exposed == PORTS[program(path)]


def test_the_last_stage_has_no_sources(path: Path) -> None:
    last = [i for i, line in enumerate(lines(path)) if line.rest.startswith("${BASE}")][-1]

    for line in lines(path)[last:]:
        if line.word == "COPY":
            assert line.rest.startswith("--from=build ")


@pytest.mark.parametrize("package", packages())
def test_no_package_is_kept_out_of_the_builds(package: str) -> None:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()[1:]

    assert not any(fnmatch(package.split(".", maxsplit=1)[0], pattern) for pattern in patterns)


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "hatch_build.py", "images", "README.md", "LICENSE"]
)
def test_nor_is_what_an_installation_reads(name: str) -> None:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()[1:]

    assert (ROOT / name).exists()
    assert not any(fnmatch(name, pattern) for pattern in patterns)
