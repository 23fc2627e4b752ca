"""An early-stopping service that only keeps its requests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc

from api.names import NAMESPACE_METADATA
from api.v1beta1 import api_pb2 as pb


class Service:
    """The service, and the requests that it got."""

    def __init__(self) -> None:
        self.stopped_trials: list[str] = []
        self.namespaces: list[str | bytes | None] = []
        self.address = ""
        self.refusals = 0
        """The number of first calls that get UNAVAILABLE."""

    def answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if self.refusals:
            self.refusals -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "later")
        metadata = dict(context.invocation_metadata())
        self.namespaces.append(metadata.get(NAMESPACE_METADATA))
        self.stopped_trials.append(pb.SetTrialStatusRequest.FromString(request).trial_name)
        return pb.SetTrialStatusReply().SerializeToString()


@contextmanager
def early_stopping_service() -> Iterator[Service]:
    """Serve on a free port."""
    service = Service()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(service.answer)
    methods = grpc.method_handlers_generic_handler(
        "api.v1.beta1.EarlyStopping", {"SetTrialStatus": handler}
    )
    server.add_generic_rpc_handlers((methods,))
    service.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield service
    finally:
        server.stop(None).wait()
