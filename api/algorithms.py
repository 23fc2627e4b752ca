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
    "enas",
    "darts",
)
"""Names for `spec.algorithm`."""

WITH_CHECKPOINTS: Final = ("pbt",)
"""Those whose trials have checkpoints: on a cluster, each experiment needs its own service and
volume."""

NETWORK_OUTPUTS: Final = {
    "enas": ("architecture", "nn_config"),
    "auto": ("architecture", "nn_config"),
    "darts": ("algorithm-settings", "search-space", "num-layers"),
}
"""The algorithms that search `spec.nasConfig`, each with the parameters that its trials get."""

WITH_SIZES: Final = ("enas", "auto")
"""Those of them that need the sizes of inputs and outputs."""

EARLY_STOPPING: Final = (
    "medianstop",
    "asha",
    "hyperband-stop",
    "percentile",
    "patience",
    "threshold",
)
"""Names for `spec.earlyStopping`."""
