"""A function as a program: which functions fit, and what is returned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trialwatch.sdk.errors import TuneError
from trialwatch.sdk.function_trial import report_returned, values_of
from trialwatch.sdk.functions import check_arguments, store_function
from trialwatch.sdk.spaces import Decoder

SPACE = {"lr": (0.1, 0.5)}


async def coroutine(lr: float) -> float:
    return lr


def two(lr: float, layers: int) -> float:
    return lr * layers


def nothing() -> float:
    return 0.0


def defaults(lr: float, layers: int = 3) -> float:
    return lr * layers


def any_names(**values: float) -> float:
    return sum(values.values())


def reported(returned: object) -> dict[str, float]:
    found: dict[str, float] = {}
    report_returned(returned, "accuracy", found.update)
    return found


@pytest.mark.parametrize(
    ("returned", "metrics"),
    [(None, {}), (0.5, {"accuracy": 0.5}), (3, {"accuracy": 3.0}), ({"a": 1}, {"a": 1})],
)
def test_a_number_is_the_objective_and_a_dict_has_names(
    returned: object, metrics: dict[str, float]
) -> None:
    assert reported(returned) == metrics


def test_another_returned_value_is_refused() -> None:
    with pytest.raises(TypeError, match="returned list: return a number, which is accuracy, or"):
        reported([0.5])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (nothing, "of the space, lr: got an unexpected keyword argument 'lr'"),
        (two, "missing a required argument: 'layers'"),
        (coroutine, "coroutine() is a coroutine: write a plain function"),
    ],
)
def test_a_function_that_does_not_take_the_parameters_is_refused(
    function: Callable[..., Any], words: str
) -> None:
    with pytest.raises(TuneError) as caught:
        check_arguments(function, SPACE)

    assert words in str(caught.value)


def test_functions_with_defaults_and_any_names_fit() -> None:
    check_arguments(defaults, SPACE)
    check_arguments(any_names, SPACE)


def test_a_function_that_cannot_be_pickled_is_refused(tmp_path: Path) -> None:
    lock = threading.Lock()

    def train(lr: float) -> object:
        return lock, lr

    with pytest.raises(TuneError) as caught:
        store_function(train, SPACE, "loss", tmp_path)

    assert str(caught.value).startswith("train() cannot be sent to the processes of the trials: ")
    assert "create such objects inside of the function" in str(caught.value)


def test_the_script_of_an_unchanged_function_is_not_written_again(tmp_path: Path) -> None:
    def train(lr: float) -> float:
        return lr

    *_, script, place = store_function(train, SPACE, "loss", tmp_path)
    before = Path(script).stat()
    assert store_function(train, SPACE, "loss", tmp_path)[-2] == script

    assert (Path(script).name, place) == ("train.py", "lr={lr}")
    assert Path(script).stat() == before
    assert sorted(path.name for path in Path(script).parent.iterdir()) == ["train.pkl", "train.py"]


def test_each_value_arrives_as_python_has_it() -> None:
    decoders: dict[str, Decoder] = {"lr": "float", "layers": "int", "opt": {"none": None}}
    words = ["lr=1", "layers=3", "opt=none", "other=a=b"]

    assert values_of(words, decoders) == {"lr": 1.0, "layers": 3, "opt": None, "other": "a=b"}
