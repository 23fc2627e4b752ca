"""The settings of the injection, with the authorities of the servers that sidecars call."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from kube.settings_source import ConfigSource
from webhook.model.config import Config


class AuthoritySource(Protocol):
    """Knows the authorities of the certificates of servers."""

    @property
    def trouble(self) -> str:
        """Why there are none yet; empty: there are."""

    def bundle_for(self, host: str) -> str:
        """Return the authorities (PEM) of the DB manager at a host; "": it has none from here."""

    def issued_to(self, host: str) -> str:
        """Return the authorities (PEM) of another server at a host; "": it has none from here."""

    async def run(self) -> None:
        """Keep them up to date until cancelled."""


class InjectedConfig:
    """A `ConfigSource` whose settings have the authorities, unless katib-config names its own."""

    def __init__(self, base: ConfigSource[Config], authorities: AuthoritySource) -> None:
        self._base, self._authorities = base, authorities
        self._made: tuple[Config, tuple[str, str], Config] | None = None

    @property
    def config(self) -> Config:
        """The settings in force."""
        base = self._base.config
        store, search = _host(base.db_manager), _host(base.ours.early_stopping)
        bundles = (
            base.db_manager_ca or self._authorities.bundle_for(store),
            base.suggestion_ca or self._authorities.issued_to(search),
        )
        if bundles == (base.db_manager_ca, base.suggestion_ca):
            return base
        made = self._made
        if made is None or made[0] is not base or made[1] != bundles:
            config = replace(base, db_manager_ca=bundles[0], suggestion_ca=bundles[1])
            made = self._made = (base, bundles, config)
        return made[2]

    @property
    def trouble(self) -> str:
        """Why pods cannot be injected yet."""
        return self._base.trouble or self._authorities.trouble

    async def run(self) -> None:
        """Keep the settings up to date until cancelled; the authorities have their own task."""
        await self._base.run()


def _host(address: str) -> str:
    return address.rpartition(":")[0]
