"""Which cluster, and as whom: from a kubeconfig, or from where this program runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import kubernetes.aio.config
import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException

from api.errors import SetupError
from kube.client import KubernetesCluster

_config: Any = kubernetes.aio.config  # its functions have no types
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@asynccontextmanager
async def connected(kubeconfig: Path | None = None) -> AsyncIterator[KubernetesCluster]:
    """Give a cluster, and close it afterwards; nothing is asked of it yet.

    Raises:
        SetupError: there are no credentials, or they cannot be read.
    """
    cluster = KubernetesCluster(await _configuration(kubeconfig))
    try:
        yield cluster
    finally:
        await cluster.close()


def own_namespace(default: str = "default") -> str:
    """Return the namespace of the pod that this program runs in, if it runs in one."""
    try:
        return _OWN_NAMESPACE.read_text(encoding="utf-8").strip() or default
    except OSError:
        return default


async def _configuration(kubeconfig: Path | None) -> Configuration:
    configuration = Configuration()
    try:
        if kubeconfig is None:
            # Renews the token by itself: it reads the file again every minute.
            _config.load_incluster_config(configuration)
        else:
            await _read(kubeconfig, configuration)
    except (ConfigException, OSError, ValueError, TypeError, yaml.YAMLError) as error:
        where = f"--kubeconfig: {kubeconfig}" if kubeconfig else "the cluster"
        raise SetupError(
            f"{where} cannot be used: {error}; run in a cluster, or give --kubeconfig FILE"
        ) from None
    return configuration


async def _read(kubeconfig: Path, configuration: Configuration) -> None:
    if not await asyncio.to_thread(kubeconfig.exists):
        raise ConfigException("there is no such file")
    loader = await _config.load_kube_config(
        config_file=str(kubeconfig), client_configuration=configuration, persist_config=False
    )

    async def renew(configuration: Configuration) -> None:
        await loader.load_from_exec_plugin()  # runs it only when the last token has expired
        configuration.api_key["BearerToken"] = loader.token

    if hasattr(loader, "exec_plugin_expiry"):
        hooked: Any = configuration  # its hook is declared as None
        hooked.refresh_api_key_hook = renew
