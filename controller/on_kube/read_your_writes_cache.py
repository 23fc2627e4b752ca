"""Objects of one kind from a watch, or as they were written here: the newer of the two.

A watch is always a little behind, but the core must never decide on less than what this program
wrote. So the result of a write is kept until the watch has caught up with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from api.errors import RemoteError, SetupError, SpecError, Unavailable, UserError
from api.types import Experiment, JsonObject, Suggestion, Trial
from controller.driver.ports import Conflict
from controller.reconcile.views import Key, key_of
from kube import errors
from kube.cluster import Cluster, Ref, Scope, ref_of, uid_of, version_of
from kube.watch_cache import Pace, WatchCache
from serving.logs import get_logger

_log = get_logger(__name__)
Item = TypeVar("Item", Experiment, Suggestion, Trial)
_Result = TypeVar("_Result")


class AbsentError(Exception):
    """The object does not exist."""


class UnservedError(Unavailable):
    """The cluster does not serve the kind: no such object exists, but one may be created later."""


class ReadYourWritesCache(Generic[Item]):
    """The objects of a scope. Run the watch `cache`."""

    def __init__(
        self,
        cluster: Cluster,
        scope: Scope,
        parse: Callable[[JsonObject], Item],
        changed: Callable[[Key], None],
        pace: Pace | None = None,
    ) -> None:
        """Call `changed` for each object after it was created, changed or deleted."""
        self._parse: Callable[[JsonObject], Item] = parse
        self._changed = changed
        self._written: dict[Key, Item] = {}
        self.scope = scope
        self.cache: WatchCache[Item | None] = WatchCache(
            cluster, scope, keep=self._keep, changed=self._seen, pace=pace
        )

    def get(self, key: Key) -> Item | None:
        """Return the newest known version of an object."""
        seen, written = self.cache.get(key.namespace, key.name), self._written.get(key)
        return written if written is not None and _is_later(written, seen) else seen

    def note(self, document: JsonObject) -> Item | None:
        """Keep the result of a write, or what was read just now."""
        item = self._read(document)
        if item is not None:
            self._written[key_of(item)] = item
            self._changed(key_of(item))
        return item

    def forget(self, key: Key) -> None:
        """Trust the watch again: another writer has changed the object, or it was deleted."""
        self._written.pop(key, None)

    def _keep(self, document: JsonObject) -> Item | None:
        """Parse an object from the watch, unless a write returned the same version before."""
        ref = ref_of(document)
        written = self._written.get(Key(namespace=ref.namespace, name=ref.name))
        identity = (uid_of(document), version_of(document))
        if written is not None and identity == _identity_of(written):
            return written
        return self._read(document)

    def _read(self, document: JsonObject) -> Item | None:
        """Parse a document; one that is not valid is logged and counts as absent."""
        try:
            return self._parse(document)
        except SpecError as error:
            _log.warning("skipping an invalid object", kind=self.scope.kind.kind, cause=str(error))
            return None

    def _seen(self, ref: Ref) -> None:
        key = Key(namespace=ref.namespace, name=ref.name)
        seen, written = self.cache.get(key.namespace, key.name), self._written.get(key)
        if written is not None and (seen is None or not _is_later(written, seen)):
            del self._written[key]
        self._changed(key)


def _identity_of(item: Item) -> tuple[str, str]:
    return item.metadata.uid, item.metadata.resource_version


def _is_later(written: Item, seen: Item | None) -> bool:
    """Return whether the watch lacks a write. An object with another uid is not the written one."""
    if seen is None:
        return True
    if seen.metadata.uid != written.metadata.uid:
        return False
    versions = (written.metadata.resource_version, seen.metadata.resource_version)
    if all(version.isascii() and version.isdigit() for version in versions):
        return int(versions[0]) > int(versions[1])
    return False


async def with_port_errors(call: Awaitable[_Result]) -> _Result:
    """Await a call to the cluster; raise its errors as errors of the ports.

    Raises:
        AbsentError: the object does not exist.
        UnservedError: the cluster does not serve the kind now.
        Conflict: the object has changed, or another object has its name.
        RemoteError: the cluster refused.
        Unavailable: it did not answer, or a right is missing that may be granted at any time.
    """
    try:
        return await call
    except errors.UnknownKind as error:
        raise UnservedError(str(error)) from None
    except errors.NotFound as error:
        raise AbsentError(str(error)) from None
    except errors.Conflict as error:
        raise Conflict(str(error)) from None
    except SetupError as error:
        raise Unavailable(str(error)) from None
    except UserError as error:
        raise RemoteError(str(error)) from None
