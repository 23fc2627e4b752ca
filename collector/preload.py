"""Load what each collector needs, in a process that forks collectors.

A collector of its own compiles the pattern of its metrics for about 10 ms, and loads gRPC for about
60 ms. A fork has both already.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import suppress

from api.errors import TrialwatchError
from api.sidecar import from_argv
from collector.app import plan_of
from filters.extractor import Extractor

_LOADED_LATE = (
    "collector.grpc_clients",
    "filters.likeness",
    # `grpc` loads it with the first channel; here no channel may be opened, because its threads do
    # not survive a fork.
    "grpc._channel",
)
"""What a collector of its own loads only when it needs it."""

for module in _LOADED_LATE:
    importlib.import_module(module)


def compile_patterns(argv: Sequence[str]) -> None:
    """Compile the patterns of a collector's flags; its fork finds them in the cache of `re`."""
    with suppress(TrialwatchError):  # the collector itself reports a wrong flag
        Extractor(plan_of(from_argv(argv)).extraction)
