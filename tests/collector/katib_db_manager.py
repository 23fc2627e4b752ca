"""A DB manager that answers as Katib's does (pkg/db of Katib 0.19), on a real socket.

It has Katib's services alone and ignores metadata. Each report is one INSERT, made as text: points
without a time are skipped, and of a statement without rows, only the last character is cut off. All
errors have the code UNKNOWN.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from enum import StrEnum

import grpc

from api.errors import UserError
from api.timestamps import to_micros
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc

_MOST_ROWS = 65_535 // 4
"""Each row has four placeholders; both databases allow 65,535."""


class Dialect(StrEnum):
    """The database behind the manager; each value is its error on a statement without rows."""

    MYSQL = (
        "Error 1064: You have an error in your SQL syntax; check the manual that corresponds to your"
        " MySQL server version for the right syntax to use near '' at line 1"
    )
    POSTGRES = "pq: syntax error at end of input"


class KatibDbManager(api_pb2_grpc.DBManagerServicer):
    """Katib's service over a table in memory; tests read the table, and cause faults."""

    def __init__(self, dialect: Dialect) -> None:
        self.address = ""
        self.rows: list[tuple[str, str, str]] = []
        """Trial, metric and value of all rows, in the order of their ids."""
        self.reports = 0
        """All reports, also those that failed."""
        self.failure: str | None = None
        """Katib's error on each statement while its database is away."""
        self.hangs = False
        """Reports get no answer."""
        self.ending = threading.Event()
        self._dialect = dialect

    def values(self, trial: str, metric: str = "loss") -> list[str]:
        """Return the values of a metric."""
        return [value for owner, name, value in self.rows if (owner, name) == (trial, metric)]

    def ReportObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.ReportObservationLogRequest, context: grpc.ServicerContext
    ) -> pb.ReportObservationLogReply:
        """Insert the rows with one statement."""
        self.reports += 1
        if self.hangs:
            self.ending.wait()
        entries = [log for log in request.observation_log.metric_logs if log.time_stamp]
        for entry in entries:
            try:
                to_micros(entry.time_stamp)
            except UserError as error:
                self._fail(context, f"Error parsing start time {entry.time_stamp}: {error}")
        if self.failure is not None:
            self._fail(context, f"Prepare SQL statement failed: {self.failure}")
        if not entries:
            self._fail(context, f"Prepare SQL statement failed: {self._dialect}")
        if len(entries) > _MOST_ROWS:
            why = "Error 1390: Prepared statement contains too many placeholders"
            self._fail(context, f"Prepare SQL statement failed: {why}")
        self.rows += [
            (request.trial_name, entry.metric.name, entry.metric.value) for entry in entries
        ]
        return pb.ReportObservationLogReply()

    def _fail(self, context: grpc.ServicerContext, why: str) -> None:
        context.abort(grpc.StatusCode.UNKNOWN, why)


@contextmanager
def katib_db_manager(
    dialect: Dialect = Dialect.MYSQL, address: str = "127.0.0.1:0"
) -> Iterator[KatibDbManager]:
    """Serve on an address, or on a free port."""
    manager = KatibDbManager(dialect)
    options = (("grpc.so_reuseport", 0),)
    server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
    api_pb2_grpc.add_DBManagerServicer_to_server(manager, server)
    manager.address = f"127.0.0.1:{server.add_insecure_port(address)}"
    server.start()
    try:
        yield manager
    finally:
        manager.ending.set()
        server.stop(None).wait()
