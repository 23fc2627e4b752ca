"""Files with all parameters of a trial, for programs that read a configuration file.

`{params.json}` and `{params.yaml}` in a command are paths of such files. A shell writes each file
before it starts the program, so this works in a cluster without another image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.errors import UserError
from api.types import ParameterSpec, ParameterType
from trialwatch.tuning.command import PARAMS_JSON, PARAMS_YAML, Command

FOLDER: Final = "/srv/trialwatch"
"""Nearly every machine and image has an empty /srv; only this subdirectory belongs to the trial."""
_WRITE_JSON: Final = 'printf "%s\\n" "$1" >"$2" && shift 2 && exec "$@"'
# YAML 1.1 reads 1e-05 as a text, and 1.0e-05 as a number.
_WRITE_YAML: Final = (
    'printf "%s\\n" "$1" | sed -E "s/^([^ ]*: -?[0-9]+)e/\\1.0e/" >"$2" && shift 2 && exec "$@"'
)
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

_TRUTH: Final = {"true", "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamsFile:
    """One file with all parameters."""

    placeholder: str
    path: str
    as_yaml: bool


def params_files_of(command: Command) -> tuple[ParamsFile, ...]:
    """Return the files of parameters that a command uses."""
    return tuple(
        ParamsFile(placeholder=name, path=f"{FOLDER}/{name}", as_yaml=name == PARAMS_YAML)
        for name in (PARAMS_JSON, PARAMS_YAML)
        if name in command.placeholders
    )


def with_params_files(
    words: Sequence[str], files: Sequence[ParamsFile], parameters: Sequence[ParameterSpec]
) -> tuple[str, ...]:
    """Return a command that writes the files and then runs `words` in the same process.

    The contents have the placeholders of a trial's template.

    Raises:
        UserError: a value needs an escape, which a template cannot give.
    """
    words = tuple(words)
    for file in files:
        script = _WRITE_YAML if file.as_yaml else _WRITE_JSON
        content = file_content(file, parameters)
        words = ("sh", "-c", script, "sh", content, file.path, *words)
    return words


def file_content(file: ParamsFile, parameters: Sequence[ParameterSpec]) -> str:
    """Return the text of a file, with `${trialParameters.NAME}` in the place of each value."""
    entries = [
        (json.dumps(parameter.name) if not file.as_yaml else parameter.name, _place(parameter))
        for parameter in parameters
    ]
    if file.as_yaml:
        return "\n".join(f"{name}: {place}" for name, place in entries)
    return f"{{{', '.join(f'{name}: {place}' for name, place in entries)}}}"


def _place(parameter: ParameterSpec) -> str:
    place = f"${{trialParameters.{parameter.name}}}"
    if parameter.type not in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        return place
    values = parameter.space.list
    if all(_JSON_NUMBER.fullmatch(value) for value in values) or set(values) <= _TRUTH:
        return place
    odd = next(
        (value for value in values if json.dumps(value, ensure_ascii=False) != f'"{value}"'), None
    )
    if odd is not None:
        raise UserError(
            f"--param {parameter.name}: the value {odd!r} has a character that a file of parameters"
            " cannot hold: pass the value as an argument or a variable, {" + parameter.name + "}"
        )
    return f'"{place}"'
