"""Where a training has ended and its objective was never found: the lines that came nearest."""

from __future__ import annotations

import json
from pathlib import Path

from api.errors import TrialwatchError
from api.types import LogFormat, Trial
from filters.extractor import Extractor, reading
from filters.nearest import LOOKED_AT, NearMisses


def with_nearest(words: str, trial: Trial, log: Path) -> str:
    """Add to a collector's last words what a user should see beside them, as `nearest`.

    Words that have the objective, or are none, stay as they are.
    """
    objective, collector = trial.spec.objective, trial.spec.collector
    try:
        told = json.loads(words)
        if objective is None or objective.metric in told["metrics"]:
            return words
        form = (collector.format if collector else None) or LogFormat.TEXT
        wanted = reading(objective.metrics, form, collector.filters if collector else ())
        near = NearMisses(objective.metrics, wanted.how)
        extractor = Extractor(wanted, near_misses=near)
        with log.open("rb") as file:
            extractor.feed(file.read(LOOKED_AT))
        extractor.finish()
    except (ValueError, TypeError, KeyError, OSError, TrialwatchError):
        return words
    lines = [f"{miss.text} ({miss.why})" for miss in near.of(objective.metric)]
    return json.dumps({**told, "nearest": lines})
