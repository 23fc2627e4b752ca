"""The command line: `trialwatch COMMAND`, a module for each command. For Python: `trialwatch.tune`.

    tune              makes an Experiment of one line with `tuning`, and runs it as `run` does
    init              writes a commented Experiment for a command, also with `tuning`
    run               runs an experiment with `runner` and shows it with `screen` and `view`
    get, logs, plot   read experiments from one of two sources (`source_choice`): this machine
                      (`local_source`) or a cluster (`cluster_source`; it is imported only on use,
                      because the client of Kubernetes is an optional dependency)
    extract           finds metrics in a log with `filters`
    completion        prints the completion for a shell, from the parsers of all commands
    inject, explain   show decisions of the webhook, with the webhook's own code

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
