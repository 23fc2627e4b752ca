"""Where the DB manager of an installation is."""

from __future__ import annotations

from collections.abc import Mapping

from api import names


def db_manager_of(environment: Mapping[str, str]) -> str:
    """Return the DB manager's address as Katib's controller makes it: set but empty is empty."""
    host = environment.get(names.DB_MANAGER_HOST_ENV, names.DB_MANAGER_SERVICE)
    core = environment.get(names.CORE_NAMESPACE_ENV, names.CORE_NAMESPACE)
    namespace = environment.get(names.DB_MANAGER_NAMESPACE_ENV, core)
    port = environment.get(names.DB_MANAGER_PORT_ENV, str(names.DB_MANAGER_PORT))
    return f"{host}.{namespace}:{port}" if namespace else f"{host}:{port}"
