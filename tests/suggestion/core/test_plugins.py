"""Algorithms of other packages, found by an entry point."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.errors import SetupError, SpecError
from api.types import Setting
from suggestion.core.registry import GROUP, find, names
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import EVERYTHING, built, fits

PLUGIN = Path(__file__).parents[3] / "examples" / "hyperopt-plugin"
QUIET = pytest.mark.filterwarnings("ignore")  # of hyperopt itself


@pytest.fixture
def hyperopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package of the example, as pip installs it."""
    _install(
        tmp_path,
        "trialwatch_hyperopt",
        "hyperopt-tpe = trialwatch_hyperopt:TPE\nhyperopt-anneal = trialwatch_hyperopt:ANNEAL",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PLUGIN))
    yield
    sys.modules.pop("trialwatch_hyperopt", None)


def test_the_entry_points_of_the_example_are_those_tested_here() -> None:
    text = (PLUGIN / "pyproject.toml").read_text()

    assert f'[project.entry-points."{GROUP}"]' in text
    for name in ("TPE", "ANNEAL"):
        assert f'hyperopt-{name.lower()} = "trialwatch_hyperopt:{name}"' in text


@pytest.mark.usefixtures("hyperopt")
def test_the_names_contain_a_plug_in() -> None:
    assert names()[-2:] == ("hyperopt-anneal", "hyperopt-tpe")
    assert names()[0] == "random"


@QUIET
@pytest.mark.usefixtures("hyperopt")
@pytest.mark.parametrize("name", ["hyperopt-tpe", "hyperopt-anneal"])
def test_a_plug_in_suggests_points_of_the_space(name: str) -> None:
    space, search = built(*EVERYTHING), find(name).make()
    history: History = ()
    for number in range(25):
        (point,) = search.suggest(space, history, 1, 7)
        assert all(fits(spec, a.value) for spec, a in zip(EVERYTHING, point, strict=True))
        history = (*history, PastTrial(assignments=point, loss=float(number % 7)))

    assert search.suggest(space, history, 2, 7) == find(name).make().suggest(space, history, 2, 7)
    assert len({past.assignments for past in history}) == 25


@QUIET
@pytest.mark.usefixtures("hyperopt")
def test_the_settings_of_a_plug_in_are_checked() -> None:
    with pytest.raises(SpecError, match="n_startup_trials should not be below zero"):
        find("hyperopt-tpe").read("x", [Setting(name="n_startup_trials", value="-1")])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module:X", 'cannot load algorithm "mine" from no_such_module:X: No module named'),
        ("json:no_such_name", 'cannot load algorithm "mine" from json:no_such_name'),
        ("json:dumps", "json:dumps is a function, not a suggestion.core.algorithm.Algorithm"),
    ],
)
def test_the_error_for_a_broken_plug_in_names_it_and_the_remedy(
    value: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, "broken", f"mine = {value}")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(SetupError, match=words):
        find("mine")


def test_a_plug_in_cannot_replace_an_algorithm_of_trialwatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, "thief", "random = json:dumps")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert find("random").make().__class__.__name__ == "RandomSearch"


def _install(folder: Path, name: str, entry_points: str) -> None:
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry_points}\n")
