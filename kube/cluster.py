"""The port: the calls that a program makes to a cluster, and their values.

Documents are plain JSON objects, as in the API. A returned document belongs to the caller, and no
later call changes it. No call changes a document that it receives.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from api.documents import mapping_at, text_at
from api.types import JsonObject

Patch: TypeAlias = JsonObject | Sequence[JsonObject]
"""A mapping is a JSON merge patch (RFC 7386), a sequence of operations a JSON patch (RFC 6902)."""

Labels: TypeAlias = Mapping[str, str | None]
"""Wanted labels; None: any value of the label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of objects, as in documents."""

    api_version: str
    """`v1`, `batch/v1`, `kubeflow.org/v1beta1`."""
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.api_version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind's resource in the API."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    status: bool = False
    """Whether the kind has a status subresource; discovery does not set it."""

    @property
    def of(self) -> Kind:
        """The kind."""
        return Kind(api_version=self.api_version, kind=self.kind)

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One object; `namespace` is empty for cluster-wide kinds."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    @property
    def of(self) -> Kind:
        """Its kind."""
        return Kind(api_version=self.api_version, kind=self.kind)

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {name} ({self.api_version})"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects a list or a watch covers."""

    kind: Kind
    namespace: str = ""
    """Empty: all namespaces."""
    _: KW_ONLY
    name: str = ""
    """Empty: any name."""
    labels: Labels = field(default_factory=dict)
    """Empty: any labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The objects of a scope at one moment, and that moment's version: a watch starts there."""

    items: tuple[JsonObject, ...]
    version: str


class ChangeType(StrEnum):
    """What happened to an object, in the API's words."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """No change up to the version in the document, which has only that version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event of a watch."""

    type: ChangeType
    document: JsonObject
    """The object now; for a deleted object, its last state."""

    @property
    def version(self) -> str:
        """The version up to which the watcher has seen all changes."""
        return version_of(self.document)


class Propagation(StrEnum):
    """What happens to the objects that a deleted object owns, in the API's words."""

    BACKGROUND = "Background"
    """They are deleted afterwards."""
    FOREGROUND = "Foreground"
    """They are deleted first."""
    ORPHAN = "Orphan"
    """They stay."""


class Cluster(Protocol):
    """Objects of any kind, by (apiVersion, kind, namespace, name).

    Every call may raise these errors of `kube.errors`, beside those that it names itself:

        UnknownKind: the cluster does not serve this kind.
        Forbidden: credentials are missing or refused, or they do not allow this.
        Unavailable: no answer in time, or the server is overloaded; ask again.

    No call repeats a request; the caller decides how often to repeat it. Each call may be cancelled
    at any moment.
    """

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object.

        Raises:
            NotFound: it does not exist.
        """

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a scope, in any order.

        Each item has `apiVersion` and `kind`, which the API's own lists leave out.
        """

    def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read what `list` reads, page by page, so that it is never in memory as a whole.

        There is at least one page. All pages show the same moment; the last one has its version.

        Raises:
            Gone: the server forgot that moment before the last page was read; begin again.
        """

    def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow the changes after a version, in order, each once; close the generator when done.

        It ends without an error when the server ends the watch: go on from the last version seen.
        An object that starts to match the scope's labels is ADDED; one that stops matching is
        DELETED. A bookmark has only a version.

        Raises:
            Gone: the server has forgotten the version `since`, or a later one; list again.
            Unavailable: the connection broke; go on from the last version seen.
        """

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object, and return it as stored: with uid and version.

        The document has its name, or `metadata.generateName`: then the cluster completes the name.

        Raises:
            AlreadyExists: an object of this name exists.
            NotFound: its namespace does not exist.
            Invalid: the document is wrong.
        """

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Replace an object, and return it as stored.

        The document replaces the version in its `metadata.resourceVersion`. For kinds with a status
        subresource, `status` writes the status alone; without it the status stays. A write that
        changes nothing makes no new version.

        Raises:
            NotFound: the object does not exist.
            Conflict: it has changed since that version, or is another object (`metadata.uid`).
            Invalid: the document is wrong, or has no version.
        """

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        """Change an object, and return it as stored.

        A merge patch with `metadata.resourceVersion` changes only that version, and one with
        `metadata.uid` only that object. `status` as in `replace`.

        Raises:
            NotFound: the object does not exist.
            Conflict: it has changed since that version.
            Invalid: the patch does not apply (or its `test` fails), its result is wrong, or the
                object is another one (`metadata.uid`).
        """

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        """Delete an object; with `uid` only that object, not a newer one of the same name.

        An object with finalizers is marked, and deleted when the last finalizer is removed.

        Raises:
            NotFound: it does not exist.
            Conflict: the object of this name has another uid.
        """

    async def resource_of(self, kind: Kind) -> Resource:
        """Return the resource of a kind: its plural, and whether its objects have a namespace.

        Raises:
            UnknownKind: the cluster does not serve it.
        """

    async def close(self) -> None:
        """Close connections; open watches end or fail."""


class PodLogs(Protocol):
    """The logs of containers; a cluster with nodes has them."""

    def pod_log(
        self, pod: Ref, container: str = "", *, follow: bool = False, previous: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Read the log of a container, in pieces of any length; close the generator when done.

        An empty `container` means the only one of the pod. With `follow` the log goes on until the
        container ends; with `previous` it is the log of the container's previous run in the pod.
        Beside the errors of `Cluster`:

        Raises:
            NotFound: the pod does not exist.
            Invalid: the container does not exist, has no previous run, or has not started.
            Unavailable: the connection broke.
        """


def ref_of(document: JsonObject) -> Ref:
    """Return the reference of a document's object."""
    return Ref(
        api_version=str(document.get("apiVersion", "")),
        kind=str(document.get("kind", "")),
        namespace=text_at(document, "metadata", "namespace"),
        name=text_at(document, "metadata", "name"),
    )


def version_of(document: JsonObject) -> str:
    """Return a document's resourceVersion; empty if it has none."""
    return text_at(document, "metadata", "resourceVersion")


def uid_of(document: JsonObject) -> str:
    """Return a document's uid; empty if it has none."""
    return text_at(document, "metadata", "uid")


def labels_of(document: JsonObject) -> Mapping[str, str]:
    """Return a document's labels; values that are not text are left out."""
    labels = mapping_at(document, "metadata", "labels")
    return {key: value for key, value in labels.items() if isinstance(value, str)}
