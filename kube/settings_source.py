"""The settings in force: katib-config from the cluster or from a file, read again when it changes.

The program gives the function that parses their text. After an invalid change the previous
settings stay in force, and the error is logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from api import names
from api.errors import SetupError
from api.objects.yamlout import dump_objects
from api.types import JsonObject
from kube.cluster import Cluster, Kind, Ref, Scope
from kube.watch_cache import Pace, WatchCache
from serving.logs import get_logger

_CONFIG_MAP: Final = Kind(api_version="v1", kind="ConfigMap")
_LOOK_SECONDS: Final = 5.0
_log = get_logger(__name__)
Config = TypeVar("Config")
_Config_co = TypeVar("_Config_co", covariant=True)


class ConfigSource(Protocol[_Config_co]):
    """A source of settings."""

    @property
    def config(self) -> _Config_co:
        """The settings in force; the defaults until settings were read."""

    @property
    def trouble(self) -> str:
        """Why no settings were read yet; empty after the first were read."""

    async def run(self) -> None:
        """Keep the settings up to date until cancelled."""


class _InForce(Generic[Config]):
    """The last valid settings."""

    def __init__(self, parse: Callable[[str], Config]) -> None:
        self.trouble = f"{names.CONFIG_MAP} was not read yet"
        self.config = parse("")
        self._parse = parse

    def take(self, text: str) -> None:
        """Parse new settings; an empty text means the defaults."""
        try:
            config = self._parse(text)
        except SetupError as error:
            _log.error("invalid settings; keeping the previous ones", cause=str(error))
            if self.trouble:
                self.trouble = str(error)
            return
        if self.trouble or config != self.config:
            _log.info("read the settings", defaults=not text)
        self.config, self.trouble = config, ""


class ConfigMapSource(Generic[Config]):
    """katib-config of the cluster; the defaults if the ConfigMap does not exist."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        parse: Callable[[str], Config],
        *,
        pace: Pace | None = None,
    ) -> None:
        """`parse` reads the text of the settings ("": the defaults); raises SetupError."""
        self._in_force = _InForce(parse)
        self._cache = WatchCache(
            cluster,
            Scope(_CONFIG_MAP, namespace, name=names.CONFIG_MAP),
            keep=text_of,
            changed=self._take,
            pace=pace,
        )
        self._namespace = namespace

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._in_force.config

    @property
    def trouble(self) -> str:
        """Why no settings were read yet."""
        return self._in_force.trouble and (self._cache.trouble or self._in_force.trouble)

    async def run(self) -> None:
        """Keep the settings up to date until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._cache.run())
            await self._cache.synced()
            if len(self._cache) == 0:
                self._in_force.take("")

    def _take(self, ref: Ref) -> None:
        # After a deletion the defaults are in force.
        self._in_force.take(self._cache.get(ref.namespace, ref.name) or "")


class FileSource(Generic[Config]):
    """katib-config as a file, such as a mounted ConfigMap."""

    def __init__(self, path: Path, parse: Callable[[str], Config]) -> None:
        """Read the file; `parse` as in ConfigMapSource.

        Raises:
            SetupError: the file cannot be read, or its settings are invalid.
        """
        self._path, self._in_force, self._text = path, _InForce(parse), ""
        self._take(_read(path))
        if self.trouble:
            raise SetupError(f"--katib-config: {self.trouble}")

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._in_force.config

    @property
    def trouble(self) -> str:
        """Why no settings were read yet."""
        return self._in_force.trouble

    async def run(self) -> None:
        """Read the file every few seconds."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read the file now; if that fails, the previous settings stay."""
        try:
            text = _read(self._path)
        except SetupError as error:
            _log.warning("cannot read the settings; keeping the previous ones", cause=str(error))
        else:
            self._take(text)

    def _take(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._in_force.take(text)


def text_of(document: JsonObject) -> str:
    """Return the data of a ConfigMap as a YAML document of kind ConfigMap."""
    data = document.get("data")
    return dump_objects([{"kind": "ConfigMap", "data": data if isinstance(data, dict) else {}}])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        why = f"cannot read {path} ({error.strerror})"
    except UnicodeDecodeError:
        why = f"{path} is not UTF-8 text"
    raise SetupError(f"--katib-config: {why}")
