"""The command line: `trialwatch COMMAND`. For Python: `trialwatch.tune`.

    __main__ ──> command_line ──> commands ──┬─> sources      experiments of a machine or a cluster
                                             ├─> output       tables of them
                                             ├─> screens      the terminal of a run
                                             ├─> checks       is an Experiment valid, can it run?
                                             ├─> admission    what the webhook decides on it
                                             └─> own_program  a program without an Experiment
    sdk ──> search_process ──> commands.tune
    without I/O: tuning (one line to an Experiment), view (an experiment to text and plots)

An installed trialwatch has this package at the top and all others below `_packages`, so that their
names are free for a user's project. Two entry points find them (`own_packages`): `__main__`, and
`program`, which starts our other programs in a Python of their own. `import trialwatch` in a user's
process imports nothing; the names of `sdk` are imported on use, and `sdk` starts `search_process`.

Belongs here: arguments, output, exit statuses. Commands are imported on use, so that
`trialwatch --help` is quick.
Does not belong here: anything that another program could use.
May import: everything. May be imported by: nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialwatch.sdk.errors import TuneError
    from trialwatch.sdk.reporting import report
    from trialwatch.sdk.results import Result, Trial
    from trialwatch.sdk.spaces import Float, Int
    from trialwatch.sdk.tuning import tune

__all__ = ["Float", "Int", "Result", "Trial", "TuneError", "report", "tune"]

_MODULES = {
    "Float": "spaces",
    "Int": "spaces",
    "Result": "results",
    "Trial": "results",
    "TuneError": "errors",
    "report": "reporting",
    "tune": "tuning",
}


def __getattr__(name: str) -> object:
    """Import a name of `sdk` on its first use, so that the command line starts quickly."""
    if name not in _MODULES:
        raise AttributeError(f"module 'trialwatch' has no attribute {name!r}")
    found: object = getattr(import_module(f"trialwatch.sdk.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of this module, with those that are not imported yet."""
    return sorted({*globals(), *__all__})
