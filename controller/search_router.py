"""The ports `Suggestions` and `SearchServices`: calls each algorithm where katib-config says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from api.installation.service_addresses import (
    OwnServices,
    ServiceAddress,
    ServiceKind,
    search_address,
    stopping_address,
)
from api.installation.services import ServiceConfig
from api.types import Experiment, Suggestion, Trial
from controller.on_kube.search_services import ClusterSearchServices
from controller.on_kube.suggestion_deployment import deployed_documents
from controller.over_grpc.channels import Channels
from controller.over_grpc.history_cache import HistoryCache
from controller.over_grpc.suggestions import RemoteSuggestions, SearchTargets
from controller.reconcile.suggestions import suggestion_of
from controller.reconcile.views import SuggestionReply


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDirectory:
    """Where the services are."""

    config: Callable[[], ServiceConfig]
    """Returns the current settings of katib-config."""
    ours: OwnServices
    """Addresses of our own services."""
    db_manager: str
    """The DB manager's address for services of early stopping."""


class SearchRouter:
    """Calls search and early stopping of each experiment where katib-config says."""

    def __init__(
        self, directory: ServiceDirectory, services: ClusterSearchServices, channels: Channels
    ) -> None:
        self._directory, self._services, self._channels = directory, services, channels
        self._history_cache = HistoryCache()

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        """Choose the next trials."""
        suggestion = suggestion_of(experiment)
        search, stopping = self._addresses(suggestion)
        async with AsyncExitStack() as stack:
            channel = await stack.enter_async_context(self._channels.to(search.address))
            rules = None
            if experiment.spec.early_stopping is not None:
                rules = await stack.enter_async_context(self._channels.to(stopping.address))
            targets = SearchTargets(
                suggestion=channel,
                early_stopping=rules,
                db_manager=self._directory.db_manager,
                address=search.address,
                stopping_address=stopping.address,
                follows_katib=search.kind is not ServiceKind.OWN,
            )
            search_service = RemoteSuggestions(lambda _: targets, history_cache=self._history_cache)
            return await search_service.ask(experiment, trials, asked, count)

    def judges(self, experiment: Experiment) -> bool:
        """Return whether the controller judges an experiment's rule: no other service has it."""
        _, stopping = self._addresses(suggestion_of(experiment))
        return stopping.kind is ServiceKind.OWN

    async def deploys(self, suggestion: Suggestion) -> bool:
        """Return whether a service is deployed for this experiment."""
        return bool(deployed_documents(suggestion, self._directory.config()))

    async def deploy(self, suggestion: Suggestion) -> bool:
        """Deploy missing objects; return whether the service serves."""
        documents = deployed_documents(suggestion, self._directory.config())
        return await self._services.ensure(suggestion, documents)

    async def remove(self, suggestion: Suggestion) -> None:
        """Remove the deployed service."""
        await self._services.remove(suggestion)

    def _addresses(self, suggestion: Suggestion) -> tuple[ServiceAddress, ServiceAddress]:
        config, ours = self._directory.config(), self._directory.ours
        return search_address(suggestion, config, ours), stopping_address(suggestion, config, ours)
