"""Sentences of the command line, as a user of Python would write the values in them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Final

_PARAM = re.compile(r"--param (?P<name>[A-Za-z_][\w.-]*?)=(?P<space>\S+?)(?=[:,;]?(?:\s|$))")
_NAMED = re.compile(r"--param ([A-Za-z_][\w.-]*)")
_LINE = re.compile(r"write\n  trialwatch tune (?:.* )?--(maximize|minimize)[ =](\S+)(?: .*)?")
_SWITCH = re.compile(r"--(fresh|retry-failed|pin)(?![\w-])")
_FLAG: Final = re.compile(
    r"--(maximize|minimize|trials|parallel|gpus-per-trial|gpus|goal|also|algorithm|seed|early-stopping|metrics-format"
    r"|file|name|state-dir|database)(?![\w-])"
)


def in_python(text: str, words: Sequence[str]) -> str:
    """Return a message with the arguments of `trialwatch.tune` in the place of flags.

    Args:
        text: a message of the command line.
        words: those of the command line, `tune` first; the message may contain the whole line.
    """
    rest = shlex.join(words[1:])
    text = text.replace(f"trialwatch tune --fresh {rest}", "trialwatch.tune(..., fresh=True)")
    text = _LINE.sub(lambda found: f"write {found[1]}={json.dumps(shlex.split(found[2])[0])}", text)
    text = _PARAM.sub(lambda found: f'{{"{found["name"]}": {json.dumps(found["space"])}}}', text)
    text = _NAMED.sub(lambda found: f'the parameter "{found[1]}"', text)
    text = text.replace("has no --param", "is not in the space")
    text = text.replace("write the same line again", "call trialwatch.tune again")
    text = _SWITCH.sub(lambda found: f"{found[1].replace('-', '_')}=True", text)
    return _FLAG.sub(lambda found: found[1].replace("-", "_"), text)
