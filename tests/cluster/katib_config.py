"""Changes katib-config on the node, for several tests at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from api.installation.trial_kinds import DEFAULT_KINDS
from api.names import CONFIG_MAP, CONFIG_MAP_KEY
from tests.cluster.client import Cluster, RefusedError, until
from tests.cluster.installation import NAMESPACE

_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{CONFIG_MAP}"


@contextmanager
def trial_kind(cluster: Cluster, kind: str) -> Iterator[None]:
    """Let an administrator allow one more kind of trials: `Kind.version.group`."""
    edit_katib_config(cluster, lambda config: _kinds(config).append(kind))
    try:
        yield
    finally:
        edit_katib_config(cluster, lambda config: _kinds(config).remove(kind))


def _kinds(config: Any) -> list[str]:  # noqa: ANN401 - YAML
    controller = config.setdefault("init", {}).setdefault("controller", {})
    kinds: list[str] = controller.setdefault("trialResources", _defaults())
    return kinds


def _defaults() -> list[str]:
    """Return the kinds that are allowed where the list is missing: other tests need them, too."""
    return [f"{one.kind}.{one.version}.{one.group}" for one in DEFAULT_KINDS]


def edit_katib_config(cluster: Cluster, change: Callable[[Any], object]) -> None:
    """Change katib-config, beside others who do so."""

    def written() -> bool:
        found = cluster.request("GET", _PATH)
        config = yaml.safe_load(found["data"][CONFIG_MAP_KEY])
        change(config)
        found["data"][CONFIG_MAP_KEY] = yaml.safe_dump(config)
        try:
            cluster.request("PUT", _PATH, found)
        except RefusedError as error:
            if error.status != 409:
                raise
            return False
        return True

    until("katib-config to be written", written)
