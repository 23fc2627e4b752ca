"""Objects from a watch and from our own writes: the newer version counts, each is parsed once."""

from __future__ import annotations

from api.objects.suggestions import parse_suggestion, render_suggestion
from api.types import JsonObject, Suggestion
from controller.on_kube.objects import SUGGESTION
from controller.on_kube.read_your_writes_cache import ReadYourWritesCache
from controller.reconcile.suggestions import suggestion_of
from controller.reconcile.views import key_of
from kube.cluster import Scope, ref_of, version_of
from kube.testing.memory import MemoryCluster
from tests.controller.experiment_harness import experiment
from tests.polling import beside, eventually


async def test_what_a_write_gave_back_is_not_read_again_when_the_watch_tells_of_it() -> None:
    memory, read = MemoryCluster(namespaces=("ns",)), []

    def parse(document: JsonObject) -> Suggestion:
        read.append(version_of(document))
        return parse_suggestion(document)

    mirror = ReadYourWritesCache(memory, Scope(SUGGESTION), parse, lambda _: None)
    wanted = suggestion_of(experiment())
    async with beside(mirror.cache.run()):
        await mirror.cache.synced()
        made = await memory.create(render_suggestion(wanted))
        mirror.note(made)
        await eventually(lambda: len(mirror.cache) == 1)
        assert read == [version_of(made)]

        changed = await memory.patch(ref_of(made), {"spec": {"requests": 3}})
        await eventually(lambda: read == [version_of(made), version_of(changed)])
        seen = mirror.get(key_of(wanted))
        assert seen is not None
        assert seen.spec.requests == 3
