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
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.errors import SetupError, UserError
from runner.state.directory import DEFAULT
from trialwatch.kept import Kept
from trialwatch.source import Source

if TYPE_CHECKING:
    import argparse

_CHOICE: Final = f"""\
where: --state-dir is a place of this machine, --kubeconfig and --context mean a cluster. Without
them it is {DEFAULT} in this directory, where there is one, else the cluster that kubectl would
ask."""
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


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
