"""The settings of the injection, with the authorities of the DB manager's certificate."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from kube.settings_source import ConfigSource
from webhook.model.config import Config


class AuthoritySource(Protocol):
    """Knows the authorities of the DB manager's certificate."""

    @property
    def trouble(self) -> str:
        """Why there are none yet; empty: there are."""

    def bundle_for(self, host: str) -> str:
        """Return the authorities (PEM) of a host's certificate; "": it has none from here."""

    async def run(self) -> None:
        """Keep them up to date until cancelled."""


class InjectedConfig:
    """A `ConfigSource` whose settings have the authorities, unless katib-config names its own."""

    def __init__(self, base: ConfigSource[Config], authorities: AuthoritySource) -> None:
        self._base, self._authorities = base, authorities
        self._made: tuple[Config, str, Config] | None = None

    @property
    def config(self) -> Config:
        """The settings in force."""
        base = self._base.config
        if base.db_manager_ca:
            return base
        bundle = self._authorities.bundle_for(base.db_manager.rpartition(":")[0])
        made = self._made
        if made is None or made[0] is not base or made[1] != bundle:
            made = self._made = (base, bundle, replace(base, db_manager_ca=bundle))
        return made[2]

    @property
    def trouble(self) -> str:
        """Why pods cannot be injected yet."""
        return self._base.trouble or self._authorities.trouble

    async def run(self) -> None:
        """Keep the settings up to date until cancelled; the authorities have their own task."""
        await self._base.run()
