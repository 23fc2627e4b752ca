"""What accepts points by calls, as the flags ask for it: the journal, the server, the scraper."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from api.errors import SetupError
from api.names import PUSH_SOCKET
from api.sidecar import CollectorArgs
from collector.core.ports import Clock, MessageLog, Trainer
from collector.journal.journal import Journal
from collector.receiving import push
from collector.receiving.http_values import Route
from collector.receiving.server import LocalServer, listen_on_tcp, listen_on_unix
from collector.streams.files import FileSystem


class Receivers:
    """All of them, from the start of a collector to its end."""

    def __init__(
        self,
        args: CollectorArgs,
        trainer: Trainer,
        files: FileSystem,
        clock: Clock,
        log: MessageLog,
    ) -> None:
        """Open the journal, and begin to listen and to scrape.

        Raises:
            UserError: a metric to scrape has a name that is not one of Prometheus.
            SetupError: an address to listen at cannot be used, or the state of MLflow's runs is
                damaged.
        """
        self._files, self._trainer = files, trainer
        self.journal = Journal(args.state_dir or args.run_dir, trainer, clock)
        self._look: Callable[[], None] = _look_at_nothing
        with ExitStack() as opened:
            if args.push:
                opened.callback(self._serve(args, log).close)
            if args.scrape:
                self._scrape(args, log, opened)
            self._opened = opened.pop_all()

    def look(self) -> None:
        """Look once more at what is scraped, while the trainer lives."""
        self._look()

    def close(self) -> None:
        """End all of them; the journal first, so that no call waits for a training any more."""
        self.journal.close()
        self._opened.close()

    def _serve(self, args: CollectorArgs, log: MessageLog) -> LocalServer:
        routes = {push.PATH: push.push_route(args.metrics, self.journal.append)}
        if args.mlflow:
            routes |= self._mlflow(args, log)
        return LocalServer(_listening(args), routes, log.write)

    def _mlflow(self, args: CollectorArgs, log: MessageLog) -> dict[str, Route]:
        # Only this needs MLflow's API, with what it imports.
        from collector.receiving.mlflow_route import PATH, MlflowRoute  # noqa: PLC0415 - see above

        directory = args.state_dir or args.run_dir
        return {PATH: MlflowRoute(args.metrics, directory, self.journal, self._files, log).answer}

    def _scrape(self, args: CollectorArgs, log: MessageLog, opened: ExitStack) -> None:
        # Only this needs the parser, with what it imports.
        from collector.receiving.scraper import Endpoint, Scraper  # noqa: PLC0415 - a push needs none of it

        endpoint = Endpoint(
            url=args.scrape,
            metrics=args.metrics,
            interval=args.scrape_interval.total_seconds(),
        )
        accept = partial(self.journal.append, wait=0.0)
        scraper = Scraper(endpoint, accept, self._newest_attempt, log)
        opened.callback(scraper.close)
        self._look = scraper.look

    def _newest_attempt(self) -> int:
        return max(self._trainer.started(), default=0)


def _look_at_nothing() -> None:
    pass


def _listening(args: CollectorArgs) -> dict[str, socket.socket]:
    """Return the sockets. The Unix socket comes last: the trainer starts when it exists.

    Raises:
        SetupError: an address is taken, or the run directory cannot be written.
    """
    host, _, port = args.push.rpartition(":")
    try:
        tcp = listen_on_tcp(host, int(port))
    except OSError as error:
        raise SetupError(
            f"cannot listen at {args.push}, where metrics are pushed to"
            f" ({os.strerror(error.errno or 0)}): let no other container of the pod use port {port}"
        ) from None
    try:
        unix = listen_on_unix(args.run_dir, PUSH_SOCKET)
    except OSError as error:
        tcp.close()
        raise SetupError(
            f"cannot listen at {args.run_dir}/{PUSH_SOCKET}, where metrics are pushed to"
            f" ({os.strerror(error.errno or 0)}): --run-dir must be a volume that this user may"
            " write"
        ) from None
    return {"tcp": tcp, "unix": unix}
