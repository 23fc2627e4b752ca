"""The searches and stops that we bring, by the names that users write as `algorithmName`.

Who judges an experiment need not be able to run it: the webhook's image has no search in it. A test
holds these names to those of `suggestion`.
"""

from __future__ import annotations

from typing import Final

ALGORITHMS: Final = (
    "random",
    "grid",
    "sobol",
    "tpe",
    "multivariate-tpe",
    "cmaes",
    "bayesianoptimization",
)
"""Of `spec.algorithm`."""

EARLY_STOPPING: Final = ("medianstop",)
"""Of `spec.earlyStopping`."""
