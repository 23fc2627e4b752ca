"""`python -m bench.record_curves`: train for real, and write bench/learning_curves.json.

Networks (`MLPClassifier`, `MLPRegressor`) and gradient boosting of scikit-learn train on its
bundled data sets, each with random settings. The table has the loss on held-out data after each of
32 steps: epochs of a network, further trees of a boosting. `noise` is how much the best value of
the best settings varies if only the seed of the training differs.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

FILE: Final = Path(__file__).parent / "learning_curves.json"
STEPS: Final = 32
_SETTINGS = 60
"""Per task."""
_REPEATS = 6
_WORST = 99.0
"""A training that diverged has this loss."""

Curve = list[float]
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A data set, a model, and the distribution of its settings."""

    name: str
    load: Callable[..., Any]
    draw: Callable[[random.Random], Settings]
    train: Callable[[Settings, int, Sequence[Any]], Curve]


def _network_settings(dice: random.Random) -> Settings:
    return {
        "hidden_layer_sizes": [dice.choice([8, 16, 32, 64])] * dice.choice([1, 1, 2]),
        "learning_rate_init": 10 ** dice.uniform(-4, -0.5),
        "alpha": 10 ** dice.uniform(-6, 0),
        "batch_size": dice.choice([32, 64, 128, 256]),
        "solver": dice.choice(["adam", "sgd"]),
        "activation": dice.choice(["relu", "tanh"]),
    }


def _boosting_settings(dice: random.Random) -> Settings:
    return {
        "learning_rate": 10 ** dice.uniform(-2.5, 0),
        "max_depth": dice.randint(1, 6),
        "subsample": dice.uniform(0.4, 1),
        "min_samples_leaf": dice.randint(1, 20),
        "max_features": dice.uniform(0.1, 1),
    }


def _network(*, classes: bool) -> Callable[[Settings, int, Sequence[Any]], Curve]:
    def train(settings: Settings, seed: int, data: Sequence[Any]) -> Curve:
        x, held_x, y, held_y = data
        kind = MLPClassifier if classes else MLPRegressor
        model = kind(**settings, random_state=seed)
        known = {"classes": np.unique(y)} if classes else {}
        curve: Curve = []
        for _ in range(STEPS):
            try:
                model.partial_fit(x, y, **known)
                curve.append(_loss(model, held_x, held_y, classes=classes))
            except ValueError:  # the weights are not finite any more
                curve.append(_WORST)
        return curve

    return train


def _boosting(*, classes: bool) -> Callable[[Settings, int, Sequence[Any]], Curve]:
    def train(settings: Settings, seed: int, data: Sequence[Any]) -> Curve:
        x, held_x, y, held_y = data
        kind = GradientBoostingClassifier if classes else GradientBoostingRegressor
        model = kind(**settings, n_estimators=4, warm_start=True, random_state=seed)
        curve: Curve = []
        for step in range(1, STEPS + 1):
            model.set_params(n_estimators=4 * step)
            model.fit(x, y)
            curve.append(_loss(model, held_x, held_y, classes=classes))
        return curve

    return train


def _loss(model: Any, x: Any, y: Any, *, classes: bool) -> float:  # noqa: ANN401 - scikit-learn has no types
    if classes:
        value = log_loss(y, model.predict_proba(x), labels=model.classes_)
    else:
        value = math.sqrt(mean_squared_error(y, model.predict(x)))
    return min(float(value), _WORST) if math.isfinite(value) else _WORST


TASKS: Final = (
    Task("network on digits", load_digits, _network_settings, _network(classes=True)),
    Task("network on cancer", load_breast_cancer, _network_settings, _network(classes=True)),
    Task("network on diabetes", load_diabetes, _network_settings, _network(classes=False)),
    Task("boosting on wine", load_wine, _boosting_settings, _boosting(classes=True)),
    Task("boosting on cancer", load_breast_cancer, _boosting_settings, _boosting(classes=True)),
    Task("boosting on diabetes", load_diabetes, _boosting_settings, _boosting(classes=False)),
)


def record(task: Task) -> dict[str, Any]:
    """Train all settings of a task, and the best ones again with other seeds."""
    x, y = task.load(return_X_y=True)
    if task.load is load_diabetes:
        y = (y - y.mean()) / y.std()
    x, held_x, y, held_y = train_test_split(x, y, test_size=0.3, random_state=1)
    scale = StandardScaler().fit(x)
    data = (scale.transform(x), scale.transform(held_x), y, held_y)
    dice = random.Random(task.name)  # noqa: S311 - settings, no secrets
    drawn = [task.draw(dice) for _ in range(_SETTINGS)]
    curves = [task.train(settings, 0, data) for settings in drawn]
    best = min(range(_SETTINGS), key=lambda i: min(curves[i]))
    again = [min(task.train(drawn[best], seed, data)) for seed in range(_REPEATS)]
    return {
        "noise": float(f"{statistics.stdev(again):.4g}"),
        "curves": [[float(f"{value:.4g}") for value in curve] for curve in curves],
    }


def main() -> None:
    """Write the table; a task that it already has is not trained again."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    np.seterr(all="ignore")
    table = json.loads(FILE.read_text()) if FILE.exists() else {}
    for task in TASKS:
        if task.name not in table:
            table[task.name] = record(task)
            rows = [
                f'"{n}": {json.dumps(one)}'.replace("], [", "],\n[") for n, one in table.items()
            ]
            FILE.write_text("{" + ",\n".join(rows) + "}\n")
            print(task.name, "noise", table[task.name]["noise"], file=sys.stderr)


if __name__ == "__main__":
    main()
