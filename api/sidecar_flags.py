"""The collector's flags: as they are written, and the sentence that `--help` has for each.

What their values must be is said in `api.sidecar`, which writes and reads them.
"""

from __future__ import annotations

from api import names
from api.goflags import Flag

TRIAL = Flag(name="-t", value="NAME", sentence="The trial's name. Needed.")
METRICS = Flag(
    name="-m",
    value="NAME;NAME...",
    sentence="The metrics to collect, joined by `;`, the objective's first. Needed.",
)
OBJECTIVE_TYPE = Flag(
    name="-o-type",
    value="minimize|maximize",
    sentence="Which way is better; stop rules hold the objective's best value so far.",
)
DB_MANAGER = Flag(name="-s-db", value="HOST:PORT", sentence="The DB manager. Needed.")
PATH = Flag(
    name="-path",
    value="FILE",
    sentence="The metrics file. Needed, except with `--source stdout`.",
)
FILTERS = Flag(
    name="-f",
    value="REGEX;REGEX...",
    sentence="Regexes that find metrics, joined by `;`: so one that has a `;` needs `--filter`."
    " Without any, metrics are found by their names.",
)
FORMAT = Flag(
    name="-format", value="TEXT|JSON", sentence="How the metrics are written; TEXT if not given."
)
WAIT_ALL = Flag(
    name="-w",
    value="true|false",
    sentence="Taken for Katib's sake and of no effect: other containers are never waited for.",
)
STOP_RULE = Flag(
    name="-stop-rule",
    value="NAME;VALUE;COMPARISON;START_STEP",
    sentence="Stop the trainer when the metric is `less`, `greater` or `equal`, from its"
    " START_STEP-th value on. May be repeated: all rules must be met.",
)
EARLY_STOPPING = Flag(
    name="-s-earlystop",
    value="HOST:PORT",
    sentence="The early-stopping service that is told when a stop rule has ended the trainer.",
)
POLL_INTERVAL = Flag(
    name="-p", value="DURATION", sentence="How often the trainer's process is looked for; 1s."
)
TIMEOUT = Flag(
    name="-timeout",
    value="DURATION",
    sentence="Give up when the trainer has not ended by then; 0s, the default, is never.",
)
RUN_DIR = Flag(
    name="--run-dir",
    value="DIR",
    sentence="The directory that is shared with the launcher; without it, Katib's protocol holds.",
)
SOURCE = Flag(
    name="--source",
    value="stdout|file",
    sentence="Read what the launcher captured, or the file of `-path`. Needed with `--run-dir`.",
)
NATIVE = Flag(
    name="--native",
    sentence="This is a native sidecar: stay until SIGTERM, whatever happens.",
)
UNWRAPPED = Flag(
    name="--unwrapped",
    sentence="There is no launcher: SIGTERM says that the trainer has ended."
    " Needs `--native` and `--source file`, and rules out stop rules.",
)
FILTER = Flag(
    name="--filter",
    value="REGEX",
    sentence="One regex, verbatim. May be repeated; they come after those of `-f`.",
)
ECHO = Flag(
    name="--echo",
    sentence="Repeat the trainer's lines on standard output; `--echo=false` turns it off.",
)
NAMESPACE = Flag(name="--namespace", value="NAME", sentence="The trial's namespace.")
DRAIN = Flag(
    name="--drain",
    value="DURATION",
    sentence="How long the launcher waits for delivery when the trainer has ended; 300s.",
)
TERMINATION_LOG = Flag(
    name="--termination-log",
    value="FILE",
    sentence=f"Where the summary is left, if the file is there; {names.TERMINATION_LOG}.",
)

FLAGS = (
    TRIAL,
    METRICS,
    OBJECTIVE_TYPE,
    DB_MANAGER,
    PATH,
    FILTERS,
    FORMAT,
    WAIT_ALL,
    STOP_RULE,
    EARLY_STOPPING,
    POLL_INTERVAL,
    TIMEOUT,
    RUN_DIR,
    SOURCE,
    NATIVE,
    UNWRAPPED,
    FILTER,
    ECHO,
    NAMESPACE,
    DRAIN,
    TERMINATION_LOG,
)
"""All flags, Katib's first, in the order in which the webhook writes them."""
