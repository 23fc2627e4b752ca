"""Values of flags as users write them: `NAME=SPACE`, `tpe:gamma=0.3`, and faults named by flags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from api.errors import Fault, UserError
from api.objects.enqueued import PATH as ENQUEUE_PATH
from api.types import Setting
from suggestion.core.algorithm import RANDOM_STATE
from trialwatch.tuning.command import PARAMETER_NAME
from trialwatch.tuning.corrections import LineError, param_instead, param_left_out
from trialwatch.tuning.guess import usual_space
from trialwatch.tuning.space import Space, read_space
from trialwatch.tuning.space_mistakes import SpaceError

_NAME = re.compile(PARAMETER_NAME)
_GLUED = re.compile(rf"({PARAMETER_NAME})[:\s]+(\S.*)")


def read_params(texts: Iterable[str]) -> Mapping[str, Space]:
    """Read all `--param`s; the order stays.

    Raises:
        LineError: one of them is wrong, or a name occurs twice.
    """
    spaces: dict[str, Space] = {}
    for text in texts:
        name, space = read_param(text)
        if name in spaces:
            raise LineError(
                f"--param {name} is given twice: keep one of {spaces[name]} and {space}",
                param_left_out(text),
            )
        spaces[name] = space
    return MappingProxyType(spaces)


def read_param(text: str) -> tuple[str, Space]:
    """Read `NAME=SPACE`.

    Raises:
        LineError: the text is wrong; says what to write.
    """
    name, equals, space = text.partition("=")
    if not equals or ":" in name or ".." in name:
        raise _without_equals(text)
    name = name.strip()
    if not _NAME.fullmatch(name):
        plain = re.sub(r"[^\w.-]+", "_", name.strip("-{}$")).lstrip("-.0123456789") or "lr"
        raise LineError(
            f"--param {text}: the name {name!r} may have only letters, digits, '_', '-' and '.':"
            f" write --param {plain}={space}, and {{{plain}}} in the command",
            param_instead(text, f"{plain}={space}"),
        )
    try:
        return name, read_space(space)
    except SpaceError as error:
        raise _with_name(name, text, error) from None


def _without_equals(text: str) -> LineError:
    glued = _GLUED.fullmatch(text.strip())
    if glued:
        right = f"{glued[1]}={glued[2]}"
        why = f"--param {text}: the = after the name is missing: write --param {right}"
        return LineError(why, param_instead(text, right))
    name = text if _NAME.fullmatch(text) and ".." not in text else "NAME"
    space = usual_space(name) if name == text else text
    why = (
        f"--param {text}: a parameter needs a name and a space:"
        f" write --param {name}={space}, and {{{name}}} in the command"
    )
    if name != text:
        return LineError(why)
    why += f"; for a flag without a value, write {{--{name}}} in the command, without --param"
    return LineError(why, param_instead(text, f"{name}={space}"))


def _with_name(name: str, text: str, error: SpaceError) -> LineError:
    if not error.instead:
        return LineError(f"--param {text}: {error.why}")
    instead = " or ".join(f"--param {name}={space}" for space in error.instead)
    right = f"{name}={error.instead[0]}"
    return LineError(f"--param {text}: {error.why}: write {instead}", param_instead(text, right))


def read_algorithm(
    flag: str, text: str, seed: int | None = None
) -> tuple[str, tuple[Setting, ...]]:
    """Read `NAME` or `NAME:SETTING=VALUE:...`; return the name and the settings.

    Raises:
        UserError: a setting has no value.
    """
    name, *settings = text.split(":")
    pairs = [setting.partition("=") for setting in settings]
    wrong = next((key for key, equals, _ in pairs if not equals), None)
    if wrong is not None:
        raise UserError(
            f"{flag} {text}: the setting {wrong!r} has no value: write {flag} {name}:{wrong}=VALUE"
        )
    read = [Setting(name=key, value=value) for key, _, value in pairs]
    if seed is not None:
        read.append(Setting(name=RANDOM_STATE, value=str(seed)))
    return name, tuple(read)


# -- faults of an Experiment, named by the flags that caused them --------------------------

_GPUS: Final = (
    "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].resources.limits[nvidia.com/gpu]"
)
_FLAGS: Final = (
    # the beginning of a field's path, and the flag
    ("spec.objective.additionalMetricNames", "--also"),
    ("spec.objective.goal", "--goal"),
    ("spec.objective", "--maximize or --minimize"),
    ("spec.algorithm", "--algorithm"),
    ("spec.earlyStopping", "--early-stopping"),
    ("spec.maxTrialCount", "--trials"),
    (ENQUEUE_PATH, "--enqueue"),
    ("spec.parallelTrialCount", "--parallel"),
    ("spec.metricsCollectorSpec.source.filter", "--metrics-format"),
    ("spec.metricsCollectorSpec", "--file"),
    ("metadata.name", "--name"),
    (_GPUS, "--gpus-per-trial"),
    ("spec.trialTemplate", "the command"),
    ("spec.parameters", "--param"),
)
_IN_SENTENCES: Final = (
    # a field in a sentence, and what it is on the command line
    (", spec.maxFailedTrialCount", ""),
    ("metadata.name", "--name"),
    *((path, flag) for path, flag in _FLAGS if path != "metadata.name"),
)
_PARAMETER = re.compile(r"spec\.parameters\[(\d+)\]")


def in_flags(faults: Iterable[Fault], parameters: Sequence[str]) -> str:
    """Return the faults of an Experiment, one a line, each with the flag in place of its path."""
    return "\n".join(dict.fromkeys(_in_flags(fault, parameters) for fault in faults))


def _in_flags(fault: Fault, parameters: Sequence[str]) -> str:
    message = with_flags(fault.message)
    found = _PARAMETER.match(fault.path)
    if found and int(found[1]) < len(parameters):
        return f"--param {parameters[int(found[1])]}: {message}"
    flag = next((flag for path, flag in _FLAGS if fault.path.startswith(path)), fault.path)
    return f"{flag}: {message}"


def with_flags(message: str) -> str:
    """Return a message with flags in the place of an Experiment's fields."""
    for path, flag in _IN_SENTENCES:
        message = message.replace(path, flag)
    return message
