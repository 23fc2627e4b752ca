"""Where experiments are looked at: kept on this machine by `trialwatch run`, or in a cluster.

    --state-dir DIR                       this machine
    --kubeconfig FILE, --context NAME     the cluster that they name
    none of them                          .trialwatch in this directory, where there is one;
                                          else the cluster that kubectl would ask

Nothing is mixed, and an answer never comes from a place that was not meant without a word: where
both could have been meant, standard error says which it was.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from api.errors import SetupError, UserError
from api.objects.faults import nearest
from api.types import JsonObject
from runner.state.directory import DEFAULT
from trialwatch.documents import name_of
from trialwatch.kept import Kept

if TYPE_CHECKING:
    import argparse

KINDS: Final = ("experiments", "trials", "suggestions")
_CHOICE: Final = f"""\
where: --state-dir is a place of this machine, --kubeconfig and --context mean a cluster. Without
them it is {DEFAULT} in this directory, where there is one, else the cluster that kubectl would
ask."""
_FEW = 5
"""Names that a message lists."""
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


class Source(Protocol):
    """Experiments with what belongs to them, in the namespaces that are looked at."""

    where: str
    """`in .trialwatch`, or `in the namespace team of the context here`."""
    makes: str
    """How experiments come there, as a sentence."""

    def objects(self, kind: str, name: str = "") -> list[JsonObject]:
        """Read all objects of a kind of `KINDS`, or the one of a name, the oldest first.

        Trials and suggestions may be chosen by their experiment's name too.
        """

    def trial(self, name: str) -> JsonObject:
        """Read a trial.

        Raises:
            UserError: there is none, or there are several.
        """

    def trials_of(self, experiment: JsonObject) -> list[JsonObject]:
        """Read an experiment's trials."""

    def report_of(self, experiment: JsonObject) -> Path:
        """Return where its report is written unless told otherwise."""

    def print_log(
        self, trial: JsonObject, wanted: LogWanted, write: Callable[[bytes], None]
    ) -> None:
        """Give what a container of a trial printed.

        Raises:
            UserError: there is no such log; the message says what there is.
        """


class LogWanted(Protocol):
    """Which log, as the command line has it."""

    container: str
    follow: bool
    previous: bool


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments by which a source is chosen."""
    parser.epilog = _CHOICE
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        metavar="NAME",
        help="of one namespace; without it all that are kept here, or the context's own",
    )
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help=f"where experiments of this machine are kept ({DEFAULT})",
    )
    add_cluster(parser)


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments by which a cluster is named."""
    parser.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="how to reach the cluster; else $KUBECONFIG, ~/.kube/config, or this pod's account",
    )
    parser.add_argument(
        "--context", default="", metavar="NAME", help="which context of the kubeconfig"
    )


def source_of(arguments: argparse.Namespace) -> Source:
    """Return the source that is meant.

    Raises:
        UserError: two were named, or the context is not there.
        SetupError: no cluster can be asked from here.
    """
    named = [flag for flag in ("kubeconfig", "context") if getattr(arguments, flag)]
    if arguments.state_dir and named:
        raise UserError(
            f"--state-dir is a place of this machine, --{named[0]} means a cluster:"
            " give one of them"
        )
    if arguments.state_dir:
        return _kept(arguments.state_dir, arguments)
    usual = usual_kubeconfig(os.environ)
    if not named and DEFAULT.is_dir():
        if usual:
            _tell(arguments, f"showing what is kept in {DEFAULT}; --context NAME asks a cluster")
        return _kept(DEFAULT, arguments)
    if named or usual or _ACCOUNT.exists():
        return _cluster(arguments, arguments.kubeconfig or usual)
    return _kept(DEFAULT, arguments)


def usual_kubeconfig(environ: Mapping[str, str]) -> Path | None:
    """Return the kubeconfig that kubectl would take, several with a `:` between; None: none."""
    if named := environ.get("KUBECONFIG"):
        return Path(named)
    usual = Path("~/.kube/config").expanduser()
    return usual if usual.exists() else None


def _kept(root: Path, arguments: argparse.Namespace) -> Source:
    return Kept(root, "" if arguments.all_namespaces else arguments.namespace)


def _cluster(arguments: argparse.Namespace, kubeconfig: Path | None) -> Source:
    # By name: who runs experiments on this machine need not install the client of a cluster.
    try:
        module = importlib.import_module("trialwatch.cluster")
    except ModuleNotFoundError as error:
        missing = (error.name or "its client").partition(".")[0]
        raise SetupError(
            f"a cluster cannot be asked, for {missing} is not installed:"
            " pip install 'trialwatch[cluster]'"
        ) from None
    source: Source = module.source(
        kubeconfig, arguments.context, arguments.namespace, everywhere=arguments.all_namespaces
    )
    return source


def _tell(arguments: argparse.Namespace, text: str) -> None:
    print(f"trialwatch {arguments.command}: {text}", file=sys.stderr)


def nothing_called(source: Source, kind: str, name: str) -> UserError:
    """Make the error of a name that nothing has; it says the name that comes nearest."""
    known = dict.fromkeys(name_of(one) for one in source.objects(kind))
    if not known:
        hint = f"; {source.makes}"
    elif not (hint := nearest(name, known)):
        few, more = list(known)[:_FEW], " and others" if len(known) > _FEW else ""
        hint = f"; there are {', '.join(few)}{more}"
    return UserError(f"there is no {kind[:-1]} {name} {source.where}{hint}")
