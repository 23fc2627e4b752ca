"""A service of search and early stopping that behaves like Katib's: with memory, and strict."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc

_SENT = {
    pb.TrialStatus.CREATED,
    pb.TrialStatus.RUNNING,
    pb.TrialStatus.SUCCEEDED,
    pb.TrialStatus.FAILED,
    pb.TrialStatus.KILLED,
    pb.TrialStatus.EARLYSTOPPED,
}
"""States of trials that Katib's services accept; they fail at any other one."""


@dataclass
class KatibSearchService(api_pb2_grpc.SuggestionServicer, api_pb2_grpc.EarlyStoppingServicer):
    """Counts: its points are 0.0, 0.1, ...; after `size` points it returns none, like hyperband."""

    size: int = 1_000
    given: int = 0
    refuses: str = ""
    stumbles: str = ""
    validated: int = 0
    questions: list[Any] = field(default_factory=list)
    rules_for: list[str] = field(default_factory=list)

    async def ValidateAlgorithmSettings(self, _: Any, context: Any) -> Any:  # noqa: N802, ANN401
        self.validated += 1
        if self.refuses:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, self.refuses)
        return pb.ValidateAlgorithmSettingsReply()

    async def GetSuggestions(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401
        self.questions.append(request)
        unknown = [trial.name for trial in request.trials if trial.status.condition not in _SENT]
        if unknown or self.stumbles:
            await context.abort(grpc.StatusCode.UNKNOWN, self.stumbles or f"what is {unknown}?")
        count = min(request.current_request_number, self.size - self.given)
        numbers = range(self.given, self.given + count)
        self.given += count
        return pb.GetSuggestionsReply(
            parameter_assignments=[
                pb.GetSuggestionsReply.ParameterAssignments(
                    assignments=[pb.ParameterAssignment(name="lr", value=f"0.{number}")]
                )
                for number in numbers
            ],
            algorithm=pb.AlgorithmSpec(
                algorithm_settings=[pb.AlgorithmSetting(name="given", value=str(self.given))]
            ),
        )

    async def ValidateEarlyStoppingSettings(self, _: Any, context: Any) -> Any:  # noqa: N802, ANN401
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")

    async def GetEarlyStoppingRules(self, request: Any, _: Any) -> Any:  # noqa: N802, ANN401
        self.rules_for.append(request.db_manager_address)
        rule = pb.EarlyStoppingRule(name="loss", value="0.9", comparison=pb.GREATER, start_step=4)
        return pb.GetEarlyStoppingRulesReply(early_stopping_rules=[rule])


@asynccontextmanager
async def katib_search_service(service: KatibSearchService, port: int = 0) -> AsyncIterator[str]:
    """Serve on a port of this machine, by default a free one; give the address."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    api_pb2_grpc.add_SuggestionServicer_to_server(service, server)
    api_pb2_grpc.add_EarlyStoppingServicer_to_server(service, server)
    taken = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{taken}"
    finally:
        await server.stop(None)
