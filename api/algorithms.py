"""The search and early-stopping algorithms of trialwatch, as users write them in `algorithmName`.

They are listed here because the webhook validates experiments, and its image does not contain the
algorithms. A test compares these names with those of `suggestion`.
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
    "hyperband",
)
"""Names for `spec.algorithm`."""

KATIB_ONLY: Final = ("pbt", "enas", "darts")
"""Katib's names for `spec.algorithm` that trialwatch does not have."""

EARLY_STOPPING: Final = ("medianstop",)
"""Names for `spec.earlyStopping`."""
