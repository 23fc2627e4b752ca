"""Choose the source of experiments: this machine (`trialwatch run`), or a cluster.

    --state-dir DIR                       this machine
    --kubeconfig FILE, --context NAME     this cluster
    none of them                          .trialwatch in the current directory, if it exists;
                                          else the cluster that kubectl would use
    none of them, as `kubectl trialwatch` the cluster that kubectl would use

The sources are never mixed. If both are possible, standard error says which one is used.
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
from trialwatch.command_line.plugin import PLUGIN
from trialwatch.sources.local_source import LocalSource
from trialwatch.sources.source import Source

if TYPE_CHECKING:
    import argparse
    from types import ModuleType

_CHOICE: Final = f"""\
source: --state-dir selects this machine, --kubeconfig and --context select a cluster. Without
them, the source is {DEFAULT} in the current directory, if it exists, else the cluster that kubectl
would use."""
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that select a source."""
    parser.epilog = f"{parser.epilog or ''}\n\n{_CHOICE}"
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        metavar="NAME",
        help="the namespace; default: all on this machine, or the one of the context",
    )
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="show all namespaces")
    parser.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help=f"the directory with the experiments of this machine (default {DEFAULT})",
    )
    add_cluster(parser)


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that select a cluster."""
    parser.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="the kubeconfig; default: $KUBECONFIG, ~/.kube/config, or this pod's service account",
    )
    parser.add_argument(
        "--context",
        default="",
        metavar="NAME",
        help="the context of the kubeconfig (default: the current one)",
    )


def source_of(arguments: argparse.Namespace) -> Source:
    """Return the selected source.

    Raises:
        UserError: two sources are selected, or the context does not exist.
        SetupError: the cluster cannot be accessed from here.
    """
    named = [flag for flag in ("kubeconfig", "context") if getattr(arguments, flag)]
    if arguments.state_dir and named:
        raise UserError(
            f"--state-dir selects this machine, and --{named[0]} selects a cluster:"
            " use only one of them"
        )
    if arguments.state_dir:
        _check_state_dir(arguments.state_dir)
        return _kept(arguments.state_dir, arguments)
    usual, is_plugin = usual_kubeconfig(os.environ), arguments.prog == PLUGIN
    if not named and not is_plugin and DEFAULT.is_dir():
        if usual:
            _tell(arguments, f"showing {DEFAULT}; use --context NAME for a cluster")
        return _kept(DEFAULT, arguments)
    if named or usual or _ACCOUNT.exists():
        return _cluster(arguments, arguments.kubeconfig or usual)
    if is_plugin:
        raise SetupError(
            "no cluster is configured: write --kubeconfig FILE, set KUBECONFIG, or --state-dir DIR"
            " for the experiments of this machine"
        )
    return _kept(DEFAULT, arguments)


def named_source_of(arguments: argparse.Namespace) -> Source:
    """Return the selected source; without a flag, this machine, or for the plugin the cluster.

    Raises:
        UserError: two sources are selected, or the context does not exist.
        SetupError: the cluster cannot be accessed from here.
    """
    named = arguments.state_dir or arguments.kubeconfig or arguments.context
    if named or arguments.prog == PLUGIN:
        return source_of(arguments)
    return _kept(DEFAULT, arguments)


def usual_kubeconfig(environ: Mapping[str, str]) -> Path | None:
    """Return the kubeconfig that kubectl would use, or several separated by `:`; None if none."""
    if named := environ.get("KUBECONFIG"):
        return Path(named)
    usual = Path("~/.kube/config").expanduser()
    return usual if usual.exists() else None


def _check_state_dir(root: Path) -> None:
    if (root / "experiment.yaml").exists():
        raise UserError(
            f"--state-dir: {root} is the directory of one experiment: write the directory above its"
            f" namespace, {root.absolute().parent.parent}"
        )
    if not root.is_dir():
        problem = "is a file" if root.exists() else "does not exist"
        raise UserError(
            f"--state-dir: {root} {problem}: write the directory that was the --state-dir of"
            f" `trialwatch run`, or leave the flag out for {DEFAULT} in the current directory"
        )


def cluster_module(name: str) -> ModuleType:
    """Import a module of `trialwatch` that needs the client of Kubernetes, an optional dependency.

    `name` is the module below `trialwatch`, such as `sources.cluster_source`.

    Raises:
        SetupError: the client is not installed.
    """
    try:
        return importlib.import_module(f"trialwatch.{name}")
    except ModuleNotFoundError as error:
        missing = (error.name or "its client").partition(".")[0]
        raise SetupError(
            f"cannot access a cluster: the package {missing} is not installed;"
            " pip install 'trialwatch[cluster]'"
        ) from None


def _kept(root: Path, arguments: argparse.Namespace) -> Source:
    return LocalSource(root, "" if arguments.all_namespaces else arguments.namespace)


def _cluster(arguments: argparse.Namespace, kubeconfig: Path | None) -> Source:
    source: Source = cluster_module("sources.cluster_source").source(
        kubeconfig, arguments.context, arguments.namespace, everywhere=arguments.all_namespaces
    )
    return source


def _tell(arguments: argparse.Namespace, text: str) -> None:
    print(f"{arguments.prog} {arguments.command}: {text}", file=sys.stderr)
