"""A search service from outside that chooses the names of the trials.

It tries the values of the first parameter's list, one after the other, and calls the trials
`EXPERIMENT-0`, `EXPERIMENT-1`. The tests run its text in a pod.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc

from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc


class Search(api_pb2_grpc.SuggestionServicer):
    """Katib's service, of an algorithm that keeps nothing."""

    def GetSuggestions(  # noqa: N802 - the wire's name
        self, request: pb.GetSuggestionsRequest, _context: grpc.ServicerContext
    ) -> pb.GetSuggestionsReply:
        """Give the next values, and the names of their trials."""
        (parameter,) = request.experiment.spec.parameter_specs.parameters
        total = request.total_request_number
        first = total - request.current_request_number
        values = parameter.feasible_space.list[first:total]
        trials = [
            pb.GetSuggestionsReply.ParameterAssignments(
                assignments=[pb.ParameterAssignment(name=parameter.name, value=value)],
                trial_name=f"{request.experiment.name}-{number}",
            )
            for number, value in enumerate(values, first)
        ]
        return pb.GetSuggestionsReply(parameter_assignments=trials)

    def ValidateAlgorithmSettings(  # noqa: N802 - the same
        self, _request: pb.ValidateAlgorithmSettingsRequest, _context: grpc.ServicerContext
    ) -> pb.ValidateAlgorithmSettingsReply:
        """Take all settings."""
        return pb.ValidateAlgorithmSettingsReply()


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor())
    api_pb2_grpc.add_SuggestionServicer_to_server(Search(), server)
    server.add_insecure_port("0.0.0.0:6789")
    server.start()
    server.wait_for_termination()
