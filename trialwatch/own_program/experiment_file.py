"""Write the file of an Experiment, for `trialwatch run` and `kubectl apply`."""

from __future__ import annotations

from pathlib import Path

from api.errors import UserError
from api.types import Experiment
from trialwatch.tuning.commented import commented_yaml
from trialwatch.tuning.explained import FileNotes, explain


def write_experiment(path: Path, experiment: Experiment, notes: FileNotes, *, force: bool) -> None:
    """Write an Experiment with comments; replace another file only with `force`.

    Raises:
        UserError: the file exists with another content, or cannot be written.
    """
    text = commented_yaml(experiment, explain(experiment, notes))
    try:
        if not force and path.exists() and path.read_text("utf-8", "replace") != text:
            raise UserError(
                f"{path} exists with another content: add --force to replace it, or --save FILE to"
                " write another file"
            )
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; write --save FILE") from None
