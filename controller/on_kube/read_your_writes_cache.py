"""Objects of one kind as a watch has them, and as they were written here: the later of the two.

A watch lags behind, and the core must never decide on less than what was written by this program.
So what a write gave back is kept until the watch has caught up with it.
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
from kube.watching import Pace, WatchCache
from serving.logs import get_logger

_log = get_logger(__name__)
Item = TypeVar("Item", Experiment, Suggestion, Trial)
_Result = TypeVar("_Result")


class AbsentError(Exception):
    """The object is not there."""


class UnservedError(Unavailable):
    """The cluster has no such kind: no such object is there, and one may be created later."""


class ReadYourWritesCache(Generic[Item]):
    """The objects of a scope. `cache` is to be run."""

    def __init__(
        self,
        cluster: Cluster,
        scope: Scope,
        parse: Callable[[JsonObject], Item],
        changed: Callable[[Key], None],
        pace: Pace | None = None,
    ) -> None:
        """`changed` is told of each object that came, changed or went, after it did."""
        self._parse: Callable[[JsonObject], Item] = parse
        self._changed = changed
        self._written: dict[Key, Item] = {}
        self.scope = scope
        self.cache: WatchCache[Item | None] = WatchCache(
            cluster, scope, keep=self._keep, changed=self._seen, pace=pace
        )

    def get(self, key: Key) -> Item | None:
        """Return an object as it is, for all that is known here."""
        seen, written = self.cache.get(key.namespace, key.name), self._written.get(key)
        return written if written is not None and _is_later(written, seen) else seen

    def note(self, document: JsonObject) -> Item | None:
        """Keep what a write gave back, or what was read just now."""
        item = self._read(document)
        if item is not None:
            self._written[key_of(item)] = item
            self._changed(key_of(item))
        return item

    def forget(self, key: Key) -> None:
        """Trust the watch again: somebody else has changed the object, or it is gone."""
        self._written.pop(key, None)

    def _keep(self, document: JsonObject) -> Item | None:
        """Read what the watch has, unless it is what a write gave back already."""
        ref = ref_of(document)
        written = self._written.get(Key(namespace=ref.namespace, name=ref.name))
        told = (uid_of(document), version_of(document))
        if written is not None and told == _told_by(written):
            return written
        return self._read(document)

    def _read(self, document: JsonObject) -> Item | None:
        """Read a document; one that nobody can read is told of, and counts as absent."""
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


def _told_by(item: Item) -> tuple[str, str]:
    return item.metadata.uid, item.metadata.resource_version


def _is_later(written: Item, seen: Item | None) -> bool:
    """Say whether a write is news to the watch. Another object of the name is no longer ours."""
    if seen is None:
        return True
    if seen.metadata.uid != written.metadata.uid:
        return False
    versions = (written.metadata.resource_version, seen.metadata.resource_version)
    if all(version.isascii() and version.isdigit() for version in versions):
        return int(versions[0]) > int(versions[1])
    return False


async def with_port_errors(call: Awaitable[_Result]) -> _Result:
    """Ask a cluster, and name its refusals as the ports do.

    Raises:
        AbsentError: the object is not there.
        UnservedError: nor can it be, for now.
        Conflict: it has changed, or another one has its name.
        RemoteError: the cluster refused.
        Unavailable: it did not answer, or rights are missing, which may be given at any time.
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
