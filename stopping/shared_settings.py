"""Settings that several rules have."""

from __future__ import annotations

from typing import Final

from api.algorithm_settings import whole

MIN_TRIALS: Final = whole(
    "min_trials_required",
    least=1,
    why="min_trials_required must be greater than zero (>0)",
)
START_STEP: Final = whole(
    "start_step", least=1, why="start_step must be greater or equal than one (>=1)"
)
