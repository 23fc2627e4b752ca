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
    "pbt",
    "qmc",
    "gp",
    "auto",
)
"""Names for `spec.algorithm`."""

WITH_CHECKPOINTS: Final = ("pbt",)
"""Those whose trials have checkpoints: on a cluster, each experiment needs its own service and
volume."""

KATIB_ONLY: Final = ("enas", "darts")
"""Katib's names for `spec.algorithm` that trialwatch does not have."""

EARLY_STOPPING: Final = (
    "medianstop",
    "asha",
    "hyperband-stop",
    "percentile",
    "patience",
    "threshold",
)
"""Names for `spec.earlyStopping`."""
