"""Services that are deployed for an experiment, where the controller may not deploy them."""

from __future__ import annotations

import pytest

from api.errors import RemoteError
from api.types import AlgorithmSpec, JsonObject, ObjectMeta, Suggestion, SuggestionSpec
from controller.on_kube.search_services import ClusterSearchServices
from kube.cluster import Ref
from kube.errors import Forbidden
from kube.testing.memory import MemoryCluster

SUGGESTION = Suggestion(
    metadata=ObjectMeta(name="exp", namespace="team"),
    spec=SuggestionSpec(algorithm=AlgorithmSpec(name="pbt")),
)


class WithoutRights(MemoryCluster):
    async def get(self, ref: Ref) -> JsonObject:
        raise Forbidden(f"{ref}: the controller cannot get it")


async def test_a_missing_right_is_named_with_the_component_that_has_it() -> None:
    services = ClusterSearchServices(WithoutRights(namespaces=("team",)))

    with pytest.raises(RemoteError, match="cannot get it; install the component"):
        await services.ensure(SUGGESTION, ())
