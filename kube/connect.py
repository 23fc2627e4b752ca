"""Connects to a cluster: by a kubeconfig, or by the service account of the program's pod."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import kubernetes.aio.config
import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.kube_config import KubeConfigMerger

from api.errors import SetupError, UserError
from api.faults import nearest
from kube.client import KubernetesCluster

_config: Any = kubernetes.aio.config  # its functions have no types
_merger: Any = KubeConfigMerger  # the same
_UNREADABLE: Final = (ConfigException, OSError, ValueError, TypeError, KeyError, yaml.YAMLError)
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Context:
    """A context of a kubeconfig, and its default namespace."""

    name: str
    namespace: str


@asynccontextmanager
async def connected(
    kubeconfig: Path | None = None, context: str = ""
) -> AsyncIterator[KubernetesCluster]:
    """Give a cluster, and close it afterwards; no request is sent yet.

    Args:
        kubeconfig: one file, or several with `:` between, as in $KUBECONFIG; None: the cluster in
            which the program runs.
        context: of the kubeconfig; empty: its current context.

    Raises:
        UserError: a context is named without a kubeconfig.
        SetupError: there are no credentials, or they cannot be read.
    """
    cluster = KubernetesCluster(await _configuration(kubeconfig, context))
    try:
        yield cluster
    finally:
        await cluster.close()


def own_namespace(default: str = "default") -> str:
    """Return the namespace of the program's pod; `default` outside of a pod."""
    try:
        return _OWN_NAMESPACE.read_text(encoding="utf-8").strip() or default
    except OSError:
        return default


def context_of(kubeconfig: Path, name: str = "") -> Context:
    """Return a context of a kubeconfig by its name, or the current one.

    Raises:
        UserError: there is no context of this name.
        SetupError: the kubeconfig cannot be read, or has no current context.
    """
    try:
        _check_there(kubeconfig)
        merged = _merger(str(kubeconfig)).config
        contexts = {entry["name"]: entry["context"] for entry in merged["contexts"].value}
        wanted = name or merged["current-context"]
    except _UNREADABLE as error:
        raise _unusable(kubeconfig, error) from None
    if wanted not in contexts:
        hint = nearest(wanted, contexts) or f"; it has {', '.join(contexts) or 'none'}"
        raise UserError(f"there is no context {wanted} in {kubeconfig}{hint}")
    return Context(wanted, contexts[wanted].safe_get("namespace") or "default")


async def _configuration(kubeconfig: Path | None, context: str) -> Configuration:
    configuration = Configuration()
    if context and kubeconfig is None:
        raise UserError(f"--context {context} needs a kubeconfig: give --kubeconfig FILE")
    try:
        if kubeconfig is None:
            # It renews the token: it reads the file again every minute.
            _config.load_incluster_config(configuration)
        else:
            await _read(kubeconfig, context, configuration)
    except _UNREADABLE as error:
        raise _unusable(kubeconfig, error) from None
    return configuration


def _unusable(kubeconfig: Path | None, error: Exception) -> SetupError:
    cause = str(error).rstrip(".")
    if kubeconfig:
        return SetupError(
            f"--kubeconfig: cannot use {kubeconfig}: {cause}; give the path of a valid kubeconfig"
        )
    return SetupError(
        "cannot find a cluster: the program has no kubeconfig, and the service account of a pod "
        f"cannot be read ({cause}); run in a cluster, or give --kubeconfig FILE"
    )


def _check_there(kubeconfig: Path) -> None:
    files = (Path(part).expanduser() for part in str(kubeconfig).split(os.pathsep) if part)
    if not any(file.exists() for file in files):
        raise ConfigException("the file does not exist")


async def _read(kubeconfig: Path, context: str, configuration: Configuration) -> None:
    await asyncio.to_thread(_check_there, kubeconfig)
    loader = await _config.load_kube_config(
        config_file=str(kubeconfig),
        context=context or None,
        client_configuration=configuration,
        persist_config=False,
    )

    async def renew(configuration: Configuration) -> None:
        await loader.load_from_exec_plugin()  # runs it only when the last token has expired
        configuration.api_key["BearerToken"] = loader.token

    if hasattr(loader, "exec_plugin_expiry"):
        hooked: Any = configuration  # the types declare its hook as None
        hooked.refresh_api_key_hook = renew
