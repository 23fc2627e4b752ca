"""The contract of every `kube.cluster.Cluster`. A subclass gives the fixture `cluster`.

It asks only for kinds that every API server has, so a real one can be held to it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from api.errors import UserError
from api.types import JsonObject
from kube.cluster import (
    Change,
    ChangeType,
    Cluster,
    Kind,
    Propagation,
    Ref,
    Scope,
    uid_of,
    version_of,
)
from kube.errors import AlreadyExists, Conflict, Gone, Invalid, NotFound, UnknownKind

CONFIG_MAP = Kind(api_version="v1", kind="ConfigMap")
SECONDS = 20
"""After which a watch that says nothing is taken for broken."""


def ref(name: str = "settings", kind: str = "ConfigMap", namespace: str = "team") -> Ref:
    return Ref(api_version="v1", kind=kind, namespace=namespace, name=name)


def config_map(name: str = "settings", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of the metadata
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "team", **fields},
        "data": {"colour": "red"},
    }


def service() -> dict[str, Any]:
    """Return an object whose kind has a status subresource that no controller writes."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "team", "labels": {"app": "web"}},
        "spec": {"ports": [{"port": 80}], "clusterIP": "None"},
        "status": {"conditions": [condition("TooEarly")]},
    }


def condition(reason: str) -> JsonObject:
    moment = "2026-01-31T12:00:00Z"
    said = {"type": "Fit", "status": "True", "message": "", "lastTransitionTime": moment}
    return {**said, "reason": reason}


def reasons(document: JsonObject) -> list[str]:
    status: Any = document.get("status", {})
    return [one["reason"] for one in status.get("conditions", [])]


def data(document: JsonObject) -> Any:  # noqa: ANN401 - the document's own
    return document.get("data")


def metadata(document: JsonObject) -> dict[str, Any]:
    found = document["metadata"]
    assert isinstance(found, dict)
    return found


def names(documents: tuple[JsonObject, ...]) -> list[str]:
    return sorted(metadata(document)["name"] for document in documents)


async def heard(changes: AsyncGenerator[Change, None], count: int) -> list[tuple[str, str, Any]]:
    """Return the first changes as (type, name, data), without bookmarks."""
    found: list[tuple[str, str, Any]] = []
    async with asyncio.timeout(SECONDS), aclosing(changes):
        async for change in changes:
            if change.type is not ChangeType.BOOKMARK:
                document = change.document
                found.append((change.type.value, metadata(document)["name"], data(document)))
            if len(found) == count:
                break
    return found


async def rewritten(cluster: Cluster, wanted: Ref, colour: str) -> JsonObject:
    document = await cluster.get(wanted)
    return await cluster.replace({**document, "data": {"colour": colour}})


class ClusterContract:
    # --- kinds ---

    @pytest.mark.parametrize(
        ("api_version", "kind", "plural", "namespaced"),
        [
            ("v1", "ConfigMap", "configmaps", True),
            ("batch/v1", "Job", "jobs", True),
            ("v1", "PersistentVolume", "persistentvolumes", False),
            ("v1", "Namespace", "namespaces", False),
        ],
    )
    async def test_a_kind_says_where_it_is_and_whether_its_objects_are_in_a_namespace(
        self, cluster: Cluster, api_version: str, kind: str, plural: str, *, namespaced: bool
    ) -> None:
        found = await cluster.resource_of(Kind(api_version=api_version, kind=kind))

        assert (found.plural, found.namespaced) == (plural, namespaced)

    async def test_a_kind_that_is_not_served_is_nowhere(self, cluster: Cluster) -> None:
        with pytest.raises(UnknownKind):
            await cluster.resource_of(Kind(api_version="example.org/v1", kind="Nothing"))

    # --- create and get ---

    async def test_what_is_created_has_an_identity_and_a_version(self, cluster: Cluster) -> None:
        made = await cluster.create(config_map())

        assert uid_of(made)
        assert version_of(made)
        assert metadata(made)["creationTimestamp"].endswith("Z")
        assert await cluster.get(ref()) == made

    async def test_a_document_is_read_as_it_was_written(self, cluster: Cluster) -> None:
        odd = {"empty": "", "lines": "a\nb\r\n", "unicode": "ß🦊\u2028", "quoted": '"\\'}

        await cluster.create({**config_map(), "data": odd})

        assert data(await cluster.get(ref())) == odd

    async def test_a_name_is_taken_once(self, cluster: Cluster) -> None:
        await cluster.create(config_map())

        with pytest.raises(AlreadyExists):
            await cluster.create(config_map())

    async def test_the_cluster_chooses_the_end_of_a_name(self, cluster: Cluster) -> None:
        document = config_map()
        document["metadata"] = {"generateName": "drawn-", "namespace": "team"}

        made = [metadata(await cluster.create(document))["name"] for _ in range(3)]

        assert len(set(made)) == 3
        assert all(name.startswith("drawn-") and len(name) > 6 for name in made)

    @pytest.mark.parametrize("name", ["", "UPPER", "a b", "-a", "x" * 254])
    async def test_what_is_no_name_is_refused(self, cluster: Cluster, name: str) -> None:
        with pytest.raises(Invalid):
            await cluster.create(config_map(name))

    async def test_an_object_without_its_namespace_is_refused(self, cluster: Cluster) -> None:
        document = config_map()
        del document["metadata"]["namespace"]

        with pytest.raises(Invalid):
            await cluster.create(document)

    async def test_nothing_can_be_created_in_a_namespace_that_is_not_there(
        self, cluster: Cluster
    ) -> None:
        with pytest.raises(NotFound):
            await cluster.create(config_map(namespace="nowhere"))

    async def test_what_is_not_there_is_not_found(self, cluster: Cluster) -> None:
        with pytest.raises(NotFound):
            await cluster.get(ref())
        with pytest.raises(NotFound):
            await cluster.get(ref(namespace="nowhere"))

    @pytest.mark.parametrize(
        "kind",
        [
            Kind(api_version="v1", kind="Unicorn"),
            Kind(api_version="v9", kind="Pod"),
            Kind(api_version="zoo.example/v1", kind="Lion"),
            Kind(api_version="../../etc", kind="Passwd"),
            Kind(api_version="", kind=""),
            Kind(api_version="a" * 100_000, kind="Long"),
        ],
    )
    async def test_a_kind_that_is_not_served_is_unknown(self, cluster: Cluster, kind: Kind) -> None:
        wanted = Ref(api_version=kind.api_version, kind=kind.kind, namespace="team", name="x")

        with pytest.raises(UnknownKind):
            await cluster.get(wanted)
        with pytest.raises(UnknownKind):
            await cluster.list(Scope(kind))
        with pytest.raises(UnknownKind):
            await heard(cluster.watch(Scope(kind), since="1"), 1)
        with pytest.raises(UnknownKind):
            await cluster.delete(wanted)

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "a/b", "a%2fb", "../../pods", "a?b", "a#b", "a" * 100_000]
    )
    async def test_a_name_never_leads_elsewhere(self, cluster: Cluster, name: str) -> None:
        with pytest.raises(UserError):
            await cluster.get(ref(name))
        with pytest.raises(UserError):
            await cluster.delete(ref("kube-root-ca.crt", namespace=name))

    async def test_what_was_handed_out_or_in_is_the_callers_own(self, cluster: Cluster) -> None:
        document = config_map()
        made = await cluster.create(document)
        listed = await cluster.list(Scope(CONFIG_MAP, "team", name="settings"))

        document["data"]["colour"] = "blue"
        for own in (made, listed.items[0]):
            data(own)["colour"] = "green"

        assert data(await cluster.get(ref())) == {"colour": "red"}

    async def test_an_object_of_the_cluster_has_no_namespace(self, cluster: Cluster) -> None:
        team = Ref(api_version="v1", kind="Namespace", name="team")

        assert "namespace" not in metadata(await cluster.get(team))
        listed = await cluster.list(Scope(Kind(api_version="v1", kind="Namespace"), name="team"))
        assert names(listed.items) == ["team"]

    # --- list ---

    async def test_a_list_of_nothing_has_a_version_to_go_on_from(self, cluster: Cluster) -> None:
        listed = await cluster.list(Scope(CONFIG_MAP, "team", labels={"there": "none"}))

        assert listed.items == ()
        assert listed.version

    async def test_a_list_can_be_narrowed(self, cluster: Cluster) -> None:
        await cluster.create(config_map("one", labels={"colour": "red", "size": "s"}))
        await cluster.create(config_map("two", labels={"colour": "red", "size": "l"}))
        await cluster.create(config_map("three", labels={"colour": "blue"}, namespace="other"))

        async def found(namespace: str = "", **narrow: Any) -> list[str]:  # noqa: ANN401 - of list
            return names((await cluster.list(Scope(CONFIG_MAP, namespace, **narrow))).items)

        assert await found("other", name="three") == ["three"]
        assert await found("other", name="one") == []
        assert await found(name="three") == ["three"]
        assert await found(labels={"colour": "red"}) == ["one", "two"]
        assert await found("team", labels={"colour": "red", "size": "l"}) == ["two"]
        assert await found("team", labels={"colour": "blue"}) == []
        assert await found(labels={"colour": None}) == ["one", "three", "two"]
        assert await found(labels={"colour": None, "size": "l"}) == ["two"]
        assert await found(labels={"shape": None}) == []

    async def test_the_items_of_a_list_say_what_they_are(self, cluster: Cluster) -> None:
        await cluster.create(config_map())

        (item,) = (await cluster.list(Scope(CONFIG_MAP, "team", name="settings"))).items

        assert item == await cluster.get(ref())

    async def test_a_long_list_is_whole(self, cluster: Cluster) -> None:
        wanted = [f"n{number:04}" for number in range(620)]
        for start in range(0, len(wanted), 20):
            some = wanted[start : start + 20]
            await asyncio.gather(
                *(cluster.create(config_map(n, labels={"many": ""})) for n in some)
            )

        listed = await cluster.list(Scope(CONFIG_MAP, "team", labels={"many": ""}))

        assert names(listed.items) == wanted
        pages = [
            page async for page in cluster.pages(Scope(CONFIG_MAP, "team", labels={"many": ""}))
        ]
        assert names(tuple(item for page in pages for item in page.items)) == wanted
        assert pages[-1].version

    # --- replace ---

    async def test_a_replaced_object_has_a_new_version_and_the_same_identity(
        self, cluster: Cluster
    ) -> None:
        made = await cluster.create(config_map())

        after = await rewritten(cluster, ref(), "blue")

        assert data(after) == {"colour": "blue"}
        assert uid_of(after) == uid_of(made)
        assert int(version_of(after)) > int(version_of(made))
        assert await cluster.get(ref()) == after

    async def test_who_read_too_early_must_read_again(self, cluster: Cluster) -> None:
        made = await cluster.create(config_map())
        await rewritten(cluster, ref(), "blue")

        with pytest.raises(Conflict):
            await cluster.replace({**made, "data": {"colour": "green"}})

        assert data(await cluster.get(ref())) == {"colour": "blue"}

    async def test_an_object_that_was_made_anew_is_another_one(self, cluster: Cluster) -> None:
        first = await cluster.create(config_map())
        await cluster.delete(ref())
        second = await cluster.create(config_map())
        mixed = {**metadata(second), "uid": uid_of(first)}

        with pytest.raises(Conflict):
            await cluster.replace({**second, "metadata": mixed})
        with pytest.raises(Conflict):
            await cluster.delete(ref(), uid=uid_of(first))

        assert await cluster.get(ref()) == second

    async def test_a_document_without_a_version_replaces_nothing(self, cluster: Cluster) -> None:
        await cluster.create(config_map())

        with pytest.raises(Invalid):
            await cluster.replace(config_map())

    async def test_what_is_not_there_cannot_be_changed(self, cluster: Cluster) -> None:
        made = await cluster.create(config_map())
        await cluster.delete(ref())

        with pytest.raises((NotFound, Conflict)):
            await cluster.replace({**made, "data": {}})
        with pytest.raises(NotFound):
            await cluster.patch(ref(), {"data": {"colour": "blue"}})
        with pytest.raises(NotFound):
            await cluster.delete(ref())

    async def test_what_changes_nothing_makes_no_version(self, cluster: Cluster) -> None:
        made = await cluster.create(config_map())

        assert version_of(await cluster.replace(made)) == version_of(made)
        again = await cluster.patch(ref(), {"data": {"colour": "red"}})
        assert version_of(again) == version_of(made)

    async def test_of_many_that_count_at_once_none_is_lost(self, cluster: Cluster) -> None:
        await cluster.create({**config_map(), "data": {"count": "0"}})

        async def count() -> None:
            while True:
                document = await cluster.get(ref())
                more = str(int(data(document)["count"]) + 1)
                try:
                    await cluster.replace({**document, "data": {"count": more}})
                except Conflict:
                    continue
                return

        await asyncio.gather(*(count() for _ in range(12)))

        assert data(await cluster.get(ref())) == {"count": "12"}

    # --- patch ---

    async def test_a_merge_patch_adds_changes_and_takes_away(self, cluster: Cluster) -> None:
        await cluster.create(
            {**config_map(labels={"a": "1", "b": "2"}), "data": {"x": "1", "y": "2"}}
        )

        after = await cluster.patch(
            ref(), {"metadata": {"labels": {"a": None, "c": "3"}}, "data": {"y": "3", "z": "4"}}
        )

        assert metadata(after)["labels"] == {"b": "2", "c": "3"}
        assert data(after) == {"x": "1", "y": "3", "z": "4"}
        assert await cluster.get(ref()) == after

    async def test_a_json_patch_appends(self, cluster: Cluster) -> None:
        await cluster.create(config_map(finalizers=["trialwatch.dev/one"]))
        added = {"op": "add", "path": "/metadata/finalizers/-", "value": "trialwatch.dev/two"}

        after = await cluster.patch(ref(), [added])

        assert metadata(after)["finalizers"] == ["trialwatch.dev/one", "trialwatch.dev/two"]
        await cluster.patch(ref(), {"metadata": {"finalizers": None}})

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "test", "path": "/data/colour", "value": "blue"},
            {"op": "remove", "path": "/data/size"},
            {"op": "replace", "path": "/data/size/deep", "value": 1},
            {"op": "unknown", "path": "/data"},
        ],
    )
    async def test_a_json_patch_that_does_not_apply_changes_nothing(
        self, cluster: Cluster, operation: JsonObject
    ) -> None:
        made = await cluster.create(config_map())
        blue = {"op": "replace", "path": "/data/colour", "value": "green"}

        with pytest.raises(Invalid):
            await cluster.patch(ref(), [operation, blue])

        assert await cluster.get(ref()) == made

    async def test_a_patch_for_another_version_or_object_is_refused(self, cluster: Cluster) -> None:
        made = await cluster.create(config_map())
        await rewritten(cluster, ref(), "blue")

        with pytest.raises(Conflict):
            await cluster.patch(
                ref(), {"metadata": {"resourceVersion": version_of(made)}, "data": {"x": "1"}}
            )
        with pytest.raises(Invalid):
            await cluster.patch(ref(), {"metadata": {"uid": "another"}, "data": {"x": "1"}})

    async def test_a_patch_cannot_rename(self, cluster: Cluster) -> None:
        await cluster.create(config_map())

        with pytest.raises(Invalid):
            await cluster.patch(ref(), {"metadata": {"name": "other"}})

    # --- the status ---

    async def test_the_status_is_written_apart(self, cluster: Cluster) -> None:
        made = await cluster.create(service())
        assert reasons(made) == []

        spec: Any = made["spec"]
        document = {**made, "status": {"conditions": [condition("Fine")]}}
        after = await cluster.replace(
            {**document, "spec": {**spec, "externalName": "elsewhere.example"}}, status=True
        )

        assert reasons(after) == ["Fine"]
        assert after["spec"] == spec

    async def test_all_but_the_status_is_written_without_it(self, cluster: Cluster) -> None:
        made = await cluster.create(service())
        web = ref("web", "Service")
        await cluster.patch(web, {"status": {"conditions": [condition("Fine")]}}, status=True)

        document: dict[str, Any] = {**await cluster.get(web)}
        document["metadata"] = {**metadata(document), "labels": {"app": "other"}}
        after = await cluster.replace({**document, "status": {}})

        assert reasons(after) == ["Fine"]
        assert metadata(after)["labels"] == {"app": "other"}
        assert uid_of(after) == uid_of(made)

    async def test_a_kind_without_a_status_has_none_to_write(self, cluster: Cluster) -> None:
        await cluster.create(config_map())

        with pytest.raises(NotFound):
            await cluster.patch(ref(), {"data": {"x": "1"}}, status=True)

    # --- delete ---

    async def test_what_is_deleted_is_gone(self, cluster: Cluster) -> None:
        made = await cluster.create(config_map())

        await cluster.delete(ref(), uid=uid_of(made))

        with pytest.raises(NotFound):
            await cluster.get(ref())
        with pytest.raises(NotFound):
            await cluster.delete(ref())

    @pytest.mark.parametrize("propagation", [Propagation.BACKGROUND, Propagation.ORPHAN])
    async def test_the_owned_may_stay_or_go_later(
        self, cluster: Cluster, propagation: Propagation
    ) -> None:
        await cluster.create(config_map())

        await cluster.delete(ref(), propagation=propagation)

        assert names((await cluster.list(Scope(CONFIG_MAP, "team", labels={"a": "b"}))).items) == []

    async def test_a_finalizer_holds_what_is_deleted(self, cluster: Cluster) -> None:
        await cluster.create(config_map(finalizers=["trialwatch.dev/hold"]))

        await cluster.delete(ref())
        await cluster.delete(ref())

        held = await cluster.get(ref())
        assert metadata(held)["deletionTimestamp"]
        await cluster.patch(ref(), {"metadata": {"finalizers": None}})
        with pytest.raises(NotFound):
            await cluster.get(ref())

    # --- watch ---

    async def test_a_watch_tells_all_that_happens_in_order_and_once(self, cluster: Cluster) -> None:
        start = (await cluster.list(Scope(CONFIG_MAP, "team"))).version
        await cluster.create(config_map("one"))
        await cluster.create(config_map("two"))
        await rewritten(cluster, ref("one"), "blue")
        await cluster.patch(ref("one"), {"data": {"colour": "green"}})
        await cluster.delete(ref("one"))

        assert await heard(cluster.watch(Scope(CONFIG_MAP, "team"), since=start), 5) == [
            ("ADDED", "one", {"colour": "red"}),
            ("ADDED", "two", {"colour": "red"}),
            ("MODIFIED", "one", {"colour": "blue"}),
            ("MODIFIED", "one", {"colour": "green"}),
            ("DELETED", "one", {"colour": "green"}),
        ]

    async def test_a_watch_tells_what_happens_while_it_is_open(self, cluster: Cluster) -> None:
        start = (await cluster.list(Scope(CONFIG_MAP, "team"))).version
        watchers = [
            asyncio.create_task(heard(cluster.watch(Scope(CONFIG_MAP, "team"), since=start), 2))
            for _ in range(3)
        ]
        await asyncio.sleep(0)

        await cluster.create(config_map("one"))
        await cluster.create(config_map("two"))

        changes = [("ADDED", "one", {"colour": "red"}), ("ADDED", "two", {"colour": "red"})]
        assert await asyncio.gather(*watchers) == [changes] * 3

    async def test_a_watch_goes_on_from_any_change(self, cluster: Cluster) -> None:
        start = (await cluster.list(Scope(CONFIG_MAP, "team"))).version
        for name in ("one", "two", "three"):
            await cluster.create(config_map(name))
        versions: list[str] = []
        async with asyncio.timeout(SECONDS):
            changes = cluster.watch(Scope(CONFIG_MAP, "team"), since=start)
            async with aclosing(changes):
                async for change in changes:
                    versions.append(change.version)
                    if len(versions) == 3:
                        break

        rest = await heard(cluster.watch(Scope(CONFIG_MAP, "team"), since=versions[0]), 2)

        assert [name for _, name, _ in rest] == ["two", "three"]
        assert sorted(versions, key=int) == versions

    async def test_a_deletion_has_a_version_to_go_on_from(self, cluster: Cluster) -> None:
        start = (await cluster.list(Scope(CONFIG_MAP, "team"))).version
        made = await cluster.create(config_map())
        await cluster.delete(ref())
        changes = cluster.watch(Scope(CONFIG_MAP, "team"), since=start)
        async with asyncio.timeout(SECONDS), aclosing(changes):
            await anext(changes)
            deleted = await anext(changes)

        assert deleted.type is ChangeType.DELETED
        assert int(deleted.version) > int(version_of(made))

    @pytest.mark.parametrize(
        ("narrow", "expected"),
        [
            ({"name": "two"}, [("ADDED", "two"), ("DELETED", "two")]),
            ({"labels": {"colour": "red"}}, [("ADDED", "one"), ("DELETED", "one")]),
            ({"labels": {"colour": "blue"}}, [("ADDED", "one"), ("ADDED", "two")]),
            ({"labels": {"colour": None}}, [("ADDED", "one"), ("MODIFIED", "one")]),
        ],
    )
    async def test_a_watch_can_be_narrowed(
        self, cluster: Cluster, narrow: Mapping[str, Any], expected: list[tuple[str, str]]
    ) -> None:
        start = (await cluster.list(Scope(CONFIG_MAP, "team"))).version
        await cluster.create(config_map("other", namespace="other", labels={"colour": "red"}))
        await cluster.create(config_map("one", labels={"colour": "red"}))
        await cluster.patch(ref("one"), {"metadata": {"labels": {"colour": "blue"}}})
        await cluster.create(config_map("two", labels={"colour": "blue"}))
        await cluster.delete(ref("two"))

        found = await heard(cluster.watch(Scope(CONFIG_MAP, "team", **narrow), since=start), 2)

        assert [(what, name) for what, name, _ in found] == expected


class ForgettingContract:
    """What a cluster that can be told to forget is held to as well; fixture `long_ago`."""

    async def test_a_version_of_long_ago_is_gone(self, cluster: Cluster, long_ago: str) -> None:
        with pytest.raises(Gone):
            await heard(cluster.watch(Scope(CONFIG_MAP, "team"), since=long_ago), 1)

    async def test_what_is_no_version_is_refused(self, cluster: Cluster) -> None:
        with pytest.raises(Invalid):
            await heard(cluster.watch(Scope(CONFIG_MAP, "team"), since="yesterday"), 1)
