"""The gRPC clients of a collector, loaded when they are needed.

gRPC and protobuf take 60 ms of CPU time and 12 MiB. A trainer may wait for its collector, so the
collector follows first, and loads them in its first pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from api.sidecar import CollectorArgs
from serving.client_security import ClientSecurity
from serving.credential_files import read_authorities

if TYPE_CHECKING:
    from collector.core.batches import Batch
    from collector.grpc_clients import DbManagerClient, EarlyStoppingClient


def db_manager_security(args: CollectorArgs) -> ClientSecurity:
    """Return how the calls to the DB manager are protected."""
    ca, token = _paths(args.db_manager_ca, args.db_manager_token)
    return ClientSecurity(ca=ca, token=token)


class LazyClients:
    """`collector.core.ports.ObservationStore` and `EarlyStopping`: the servers of the flags."""

    def __init__(self, args: CollectorArgs, call_seconds: Callable[[], float]) -> None:
        """Check the files of TLS; `call_seconds` returns the longest time for a call.

        Raises:
            SetupError: a file of TLS cannot be used.
        """
        self._args, self._call_seconds = args, call_seconds
        self._security, self._stopping_security = (
            db_manager_security(args),
            _stopping_security(args),
        )
        read_authorities(self._security)
        if args.early_stopping:
            read_authorities(self._stopping_security)

    def load(self) -> None:
        """Load the client of the DB manager, so that the first report does not wait for it."""
        _ = self._store

    def send(self, batch: Batch) -> None:
        """Send a batch to the DB manager."""
        self._store.send(batch)

    def keeps_outcomes(self) -> bool:
        """Return whether the DB manager keeps the outcomes of sources."""
        return self._store.keeps_outcomes()

    def stopped(self) -> None:
        """Report to the early-stopping service that the trial was stopped."""
        self._early_stopping.stopped()

    def close(self) -> None:
        """Close the connections."""
        for name in ("_store", "_early_stopping"):
            if name in vars(self):  # it was used
                getattr(self, name).close()

    @cached_property
    def _store(self) -> DbManagerClient:
        from collector.grpc_clients import DbManagerClient  # noqa: PLC0415 - see above

        args = self._args
        return DbManagerClient(
            args.db_manager,
            args.trial,
            args.namespace,
            self._call_seconds,
            security=self._security,
        )

    @cached_property
    def _early_stopping(self) -> EarlyStoppingClient:
        from collector.grpc_clients import EarlyStoppingClient  # noqa: PLC0415 - see above

        args = self._args
        return EarlyStoppingClient(
            args.early_stopping,
            args.trial,
            args.namespace,
            self._call_seconds,
            security=self._stopping_security,
        )


def _stopping_security(args: CollectorArgs) -> ClientSecurity:
    ca, token = _paths(args.early_stopping_ca, args.early_stopping_token)
    return ClientSecurity(flags="--early-stopping", ca=ca, token=token)


def _paths(*names: str) -> Iterator[Path | None]:
    return (Path(name) if name else None for name in names)
