"""Whether command and parameters fit: each `{name}` needs a `--param`, and the reverse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from api.faults import nearest
from trialwatch.tuning.command import FILE, PARAMS_JSON, PARAMS_YAML, Command, command_line
from trialwatch.tuning.space import Space

_ALL = (PARAMS_JSON, PARAMS_YAML)


def misfits(command: Command, spaces: Mapping[str, Space], *, has_file: bool) -> tuple[str, ...]:
    """Return what does not fit, one sentence each, with what to write.

    `has_file` says whether the user has named a file with metrics, so that `{file}` has a value.
    """
    known = {*spaces, *_ALL, *([FILE] if has_file else ())}
    unknown = [name for name in command.placeholders if name not in known]
    unused = [name for name in spaces if name not in command.placeholders]
    if any(name in command.placeholders for name in _ALL):
        unused = []
    return (
        *(_unknown(name, spaces, unused) for name in unknown),
        *(
            _unused(name, command, spaces[name])
            for name in unused
            if not any(_alike(name, other) for other in unknown)
        ),
    )


def _unknown(name: str, spaces: Mapping[str, Space], unused: list[str]) -> str:
    if name == FILE:
        return (
            "{file} in the command is the path of the file with the metrics:"
            " add --file NAME, such as --file metrics.log"
        )
    similar = next((other for other in unused if _alike(name, other)), None)
    if similar is not None:
        return (
            f"{{{name}}} in the command has no --param, and --param {similar} is not used:"
            f" write {{{similar}}} in the command, or --param {name}={spaces[similar]}"
        )
    return (
        f"{{{name}}} in the command has no --param: add --param {name}=SPACE, such as"
        f" --param {name}=0.001..0.1:log, --param {name}=2..5 or --param {name}=adam,sgd;"
        f" for the text {{{name}}} itself, write {{{{{name}}}}}"
    )


def _alike(name: str, other: str) -> bool:
    return bool(nearest(name, [other]))


def _unused(name: str, command: Command, space: Space) -> str:
    use = next(_uses(name, command), f"--{name}={{{name}}}")
    return (
        f"--param {name} has no effect, because the command has no {{{name}}}:"
        f" write {{{name}}} where its value belongs, such as {use},"
        f" or delete --param {name}={space}"
    )


def _uses(name: str, command: Command) -> Iterator[str]:
    """Yield the part of the command that is probably meant, with the placeholder in it."""
    place = f"{{{name}}}"
    flag = re.compile(rf"(-{{1,2}}{re.escape(name)}|{re.escape(name)})(=.*)?", re.IGNORECASE)
    for variable, _ in command.variables:
        if variable.lower() == name.lower():
            yield f"{variable}={place}"
    for word, following in zip(command.words, (*command.words[1:], "-"), strict=True):
        found = flag.fullmatch(word.replace("_", "-")) or flag.fullmatch(word)
        if found and found[2]:
            yield f"{word.partition('=')[0]}={place}"
        elif found and word.startswith("-") and not following.startswith("-"):
            yield command_line([word, place])
        shell = re.search(rf"\$(?:\{{{re.escape(name)}\}}|{re.escape(name)}\b)", word)
        if shell:
            yield f"{place} in the place of {shell[0]}"
