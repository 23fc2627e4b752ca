"""Brings the operators to a cluster: an image of each program alone, and its own manifests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.cluster.binaries import note
from tests.cluster.client import Cluster, until
from tests.cluster.go_programs import program
from tests.cluster.images import scratch
from tests.cluster.operators.manifests import (
    EXECUTOR,
    OPERATORS,
    Operator,
    deployments,
    rendered,
    runtime_of,
)
from tests.cluster.operators.programs import OperatorProgram

_APPLY = ("apply", "--server-side", "--force-conflicts", "--filename=-")


def archives(operators: Mapping[str, OperatorProgram], folder: Path) -> list[Path]:
    """Write the archives of the operators' images, and of Argo's executor."""
    executor = {"bin/argoexec": program("argoexec").read_bytes()}
    settings = {"User": "65532", "Env": ["PATH=/bin"]}
    return [
        scratch(folder / "argoexec.tar", EXECUTOR, executor, settings),
        *_operators(operators, folder),
    ]


def _operators(operators: Mapping[str, OperatorProgram], folder: Path) -> list[Path]:
    return [
        scratch(
            folder / f"{operator.name}.tar",
            operator.image,
            {operator.program.lstrip("/"): operators[operator.name].program.read_bytes()},
            {"User": "65532"},
        )
        for operator in OPERATORS
    ]


def install_operators(cluster: Cluster, operators: Mapping[str, OperatorProgram]) -> None:
    """Apply the operators; return when all are ready."""
    awaited = []
    for operator in OPERATORS:
        _make_namespace(cluster, operator)
        objects = rendered(operator, operators[operator.name].source, cluster.argv()[0])
        cluster.kubectl(*_APPLY, objects=objects)
        awaited += [*deployments(objects)]
    for namespace, name in awaited:
        note(f"waiting for {name}")
        where = (f"deployment/{name}", f"--namespace={namespace}")
        cluster.kubectl("rollout", "status", *where, "--timeout=300s")
    for operator in OPERATORS:
        if runtimes := runtime_of(operator, operators[operator.name].source):
            cluster.kubectl(*_APPLY, objects=runtimes)


def _make_namespace(cluster: Cluster, operator: Operator) -> None:
    name = operator.namespace
    if cluster.get("namespaces", "", name) is None:
        cluster.create("namespaces", "", {"metadata": {"name": name}})
    until("its account", lambda: cluster.get("serviceaccounts", name, "default"))
