"""Which plain YAML scalars are not strings, by the rules of Kubernetes' YAML reader.

They differ from PyYAML's: `1e-3` is a number, `12:30:45` and `2024-01-01` are strings, `y` and `on`
are booleans, 0777 is octal, and underscores may separate digits.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from yaml.resolver import BaseResolver

Resolvers: TypeAlias = dict[str, list[tuple[str, re.Pattern[str]]]]

TAG = "tag:yaml.org,2002:"

_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"),
    ("null", r"|~|null|Null|NULL"),
    ("merge", r"<<"),
    ("int", r"[-+]?(0[bB][01_]+|0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)"),
    ("float", r"[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
)


def resolve_as_kubernetes(resolver: type[BaseResolver]) -> None:
    """Add the rules to a loader or dumper class; the first match counts."""
    for name, pattern in _SCALARS:
        resolver.add_implicit_resolver(TAG + name, re.compile(f"(?:{pattern})\\Z"), None)
