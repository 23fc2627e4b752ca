"""The settings in force: from katib-config in the cluster or in a file, renewed while we run.

What they mean is the program's to say: it gives the function that reads their text. A change that
cannot be used changes nothing: it is logged, and the settings of before stay.
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
from kube.watching import Pace, WatchCache
from serving.logs import get_logger

_CONFIG_MAP: Final = Kind(api_version="v1", kind="ConfigMap")
_LOOK_SECONDS: Final = 5.0
_log = get_logger(__name__)
Config = TypeVar("Config")
_Config_co = TypeVar("_Config_co", covariant=True)


class ConfigSource(Protocol[_Config_co]):
    """Where the settings come from."""

    @property
    def config(self) -> _Config_co:
        """The settings in force; before there are some, the defaults."""

    @property
    def trouble(self) -> str:
        """Why there are none in force yet; empty once there are some."""

    async def run(self) -> None:
        """Keep them up to date until cancelled."""


class _InForce(Generic[Config]):
    """The last settings that could be used."""

    def __init__(self, parse: Callable[[str], Config]) -> None:
        self.trouble = f"{names.CONFIG_MAP} was not read yet"
        self.config = parse("")
        self._parse = parse

    def take(self, text: str) -> None:
        """Read the settings anew; an empty text stands for our own defaults."""
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
    """katib-config as it is in the cluster; our own defaults where there is none."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        parse: Callable[[str], Config],
        *,
        pace: Pace | None = None,
    ) -> None:
        """`parse` reads their text, raises SetupError, and takes "" for the defaults."""
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
        """Why there are none yet."""
        return self._in_force.trouble and (self._cache.trouble or self._in_force.trouble)

    async def run(self) -> None:
        """Keep them up to date until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._cache.run())
            await self._cache.synced()
            if len(self._cache) == 0:
                self._in_force.take("")

    def _take(self, ref: Ref) -> None:
        # Who deletes it means that the defaults are to hold.
        self._in_force.take(self._cache.get(ref.namespace, ref.name) or "")


class FileSource(Generic[Config]):
    """katib-config as a file, such as a ConfigMap that is mounted."""

    def __init__(self, path: Path, parse: Callable[[str], Config]) -> None:
        """Read it, by the same `parse`.

        Raises:
            SetupError: it cannot be read, or not be used.
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
        """Why there are none yet."""
        return self._in_force.trouble

    async def run(self) -> None:
        """Look every few seconds whether it has changed."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Take what is in the file now; one that cannot be read stays as it was."""
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
    """Write a ConfigMap as a text of its own: a document of the kind ConfigMap."""
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
