"""`darts`: each trial gets the settings and the names of the operations, as from Katib's service."""

from __future__ import annotations

import json

import pytest

from api.errors import SpecError
from suggestion.core.search_task import search_task_of
from tests.suggestion.network_spaces import NETWORKS, searched
from tests.suggestion.search_spaces import categorical, integer, values

KATIBS_DEFAULTS = {
    "num_epochs": 50,
    "w_lr": 0.025,
    "w_lr_min": 0.001,
    "w_momentum": 0.9,
    "w_weight_decay": 0.0003,
    "w_grad_clip": 5.0,
    "alpha_lr": 0.0003,
    "alpha_weight_decay": 0.001,
    "batch_size": 128,
    "num_workers": 4,
    "init_channels": 16,
    "print_step": 50,
    "num_nodes": 4,
    "stem_multiplier": 3,
}


def suggested(**settings: str) -> dict[str, str]:
    task = search_task_of(searched("darts", settings))
    (point,) = task.suggest((), 0, 1, 0)
    return values(point)


def test_the_defaults_are_katibs() -> None:
    assert suggested()["algorithm-settings"] == str(KATIBS_DEFAULTS)


def test_settings_are_passed_on_as_texts_and_none_as_null() -> None:
    found = suggested(num_epochs="7", batch_size="None", num_epoch="3", random_state="11")
    settings = json.loads(found["algorithm-settings"].replace("'", '"'))

    assert settings == KATIBS_DEFAULTS | {
        "num_epochs": "7",
        "batch_size": None,
        "num_epoch": "3",
        "random_state": 11,
    }


def test_the_space_has_a_name_for_each_value_of_the_first_parameter() -> None:
    kinds = (
        NETWORKS.operations[0],
        type(NETWORKS.operations[0])(type="skip_connection"),
        type(NETWORKS.operations[0])(
            type="max_pooling", parameters=(integer("size", "2", "3"), categorical("other", "a"))
        ),
    )
    config = type(NETWORKS)(graph=NETWORKS.graph, operations=kinds)
    task = search_task_of(searched("darts", config=config))
    (point,) = task.suggest((), 0, 1, 0)

    names = ("convolution_3x3", "convolution_5x5", "skip_connection")
    assert values(point)["search-space"] == str([*names, "max_pooling_2x2", "max_pooling_3x3"])
    assert values(point)["num-layers"] == "3"


def test_all_trials_get_the_same() -> None:
    task = search_task_of(searched("darts"))

    assert len(set(task.suggest((), 0, 3, 0))) == 1
    assert len(task.suggest((), 0, 3, 0)) == 3


@pytest.mark.parametrize(
    ("name", "text", "start"),
    [
        ("num_epochs", "0", "num_epochs should be greater than zero"),
        ("num_epochs", "x", "failed to validate num_epochs(x)"),
        *(
            (name, "-0.1", f"{name} should be greater than or equal to zero")
            for name in ("w_lr", "w_lr_min", "alpha_lr", "w_weight_decay", "alpha_weight_decay")
        ),
        ("w_momentum", "-1", "w_momentum should be greater than or equal to zero"),
        ("w_grad_clip", "nan", "w_grad_clip should be greater than or equal to zero"),
        ("batch_size", "0", "batch_size should be greater than or equal to one"),
        ("batch_size", "none", "failed to validate batch_size(none)"),
        ("num_workers", "-1", "num_workers should be greater than or equal to zero"),
        *(
            (name, "0", f"{name} should be greater than or equal to one")
            for name in ("init_channels", "print_step", "num_nodes", "stem_multiplier")
        ),
        ("num_nodes", "None", "failed to validate num_nodes(None)"),
    ],
)
def test_a_setting_out_of_bounds(name: str, text: str, start: str) -> None:
    with pytest.raises(SpecError) as refused:
        suggested(**{name: text})

    assert f'Invalid value: "{text}": {start}' in str(refused.value)
