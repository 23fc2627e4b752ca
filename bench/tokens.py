"""What TLS and tokens cost a report of a collector: three DB managers in turn, in one run.

The servers are processes of their own, each with a new SQLite file in one folder. The client is the
collector's own, in this process. `python -m bench.tokens --help` has the sizes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from api.names import POD_SOURCE_PREFIX
from api.types import MetricPoint
from collector.core.batches import Batch
from collector.grpc_clients import DbManagerClient
from serving.client_security import ClientSecurity
from tests.certificate_authority import Authority
from tests.dbmanager.dbmanager_process import Program, program
from tests.serving.tokens.service_account_tokens import Issuer, claims, rsa_key

NAMESPACE, TRIAL, UID = "team-a", "trial-1", "11111111-2222-3333-4444-555555555555"
_STAMP = "2026-01-31T12:00:00Z"
_console = Console()


def run(_: argparse.Namespace) -> None:
    """Print the table with the default sizes of the command line."""
    _measure(_own_arguments([]))


def _own_arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=__doc__)
    parser.add_argument("--reports", type=int, default=1_000, help="of one round, to each server")
    parser.add_argument("--points", type=int, default=10, help="of one report")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each server")
    return parser.parse_args(argv)


@dataclass(slots=True, kw_only=True)
class _Server:
    """One DB manager, its client, and what was measured."""

    name: str
    manager: Program
    client: DbManagerClient
    sent: int = 0
    milliseconds: list[list[float]] = field(default_factory=list)
    """Of each report, by round."""
    cpu: list[float] = field(default_factory=list)
    """Milliseconds of the server for each report, by round."""

    def report(self, points: int) -> float:
        """Send one batch; return the milliseconds until its answer."""
        self.sent += 1
        point = MetricPoint("loss", f"0.{self.sent}", _STAMP)
        source = f"{POD_SOURCE_PREFIX}{UID}:bench"
        if self.name != _TOKENS:
            source = "bench"
        batch = Batch(source=source, sequence=self.sent, points=(point,) * points, outcome=None)
        start = time.perf_counter()
        self.client.send(batch)
        return (time.perf_counter() - start) * 1_000

    def cpu_seconds(self) -> float:
        """Return the seconds of processor time that the server has used."""
        times = psutil.Process(self.manager.pid).cpu_times()
        return float(times.user + times.system)


_PLAIN, _TLS, _TOKENS = "plaintext", "TLS", "TLS and tokens"


def _measure(arguments: argparse.Namespace) -> None:
    with _servers() as servers:
        for server in servers:
            for _ in range(50):
                server.report(arguments.points)
        for _ in range(arguments.rounds):
            _round(servers, arguments)
        _print(servers, arguments)


def _round(servers: Sequence[_Server], arguments: argparse.Namespace) -> None:
    """Report to each server in turn, so that a slowing machine affects all of them."""
    before = [server.cpu_seconds() for server in servers]
    for server in servers:
        server.milliseconds.append([])
    for _ in range(arguments.reports):
        for server in servers:
            server.milliseconds[-1].append(server.report(arguments.points))
    for server, seconds in zip(servers, before, strict=True):
        server.cpu.append((server.cpu_seconds() - seconds) * 1_000 / arguments.reports)


@contextmanager
def _servers() -> Iterator[list[_Server]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trialwatch-bench-")))
        tls, auth, security = tls_and_tokens(folder)
        token = ClientSecurity(ca=security.ca)
        kinds = (
            (_PLAIN, (), ClientSecurity()),
            (_TLS, tls, token),
            (_TOKENS, (*tls, *auth), security),
        )
        servers = []
        for name, flags, used in kinds:
            own = folder / name.replace(" ", "-")
            own.mkdir()
            manager = stack.enter_context(program(own, f"sqlite:///{own}/o.db", *flags))
            client = DbManagerClient(manager.address, TRIAL, NAMESPACE, security=used)
            stack.callback(client.close)
            servers.append(_Server(name=name, manager=manager, client=client))
        yield servers


def tls_and_tokens(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], ClientSecurity]:
    """Write the files; return the server's flags of TLS and of tokens, and the client's files."""
    authority, issuer = Authority(), Issuer({"one": rsa_key()})
    authority.signed("127.0.0.1").write(folder)
    audience = f"trialwatch.dev/{NAMESPACE}/{TRIAL}"
    token = issuer.token(claims(NAMESPACE, audience, pod_uid=UID, issued=time.time()))
    for name, text in (
        ("ca.crt", authority.cert),
        ("keys", issuer.key_set()),
        ("token", token.encode()),
    ):
        (folder / name).write_bytes(text)
    tls = ("--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"))
    auth = ("--auth", "required", "--auth-keys", str(folder / "keys"))
    return tls, auth, ClientSecurity(ca=folder / "ca.crt", token=folder / "token")


def _print(servers: Sequence[_Server], arguments: argparse.Namespace) -> None:
    title = (
        f"{arguments.reports:,} reports of {arguments.points} points to each server in turn;"
        f" medians of {arguments.rounds} rounds"
    )
    table = Table(title=title)
    table.add_column("DB manager")
    for heading in ("p50 ms", "p99 ms", "p50 / plaintext", "server's CPU ms", "aim"):
        table.add_column(heading, justify="right")
    plain = servers[0]
    for server in servers:
        p50, p99 = (_of_rounds(server, share) for share in (0.5, 0.99))
        pairs = zip(p50, _of_rounds(plain, 0.5), strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        cells = (statistics.median(p50), statistics.median(p99), ratio)
        cpu = f"{statistics.median(server.cpu):.2f}"
        aim = "<= 1.2" if server.name == _TOKENS else ""
        table.add_row(server.name, *(f"{cell:.2f}" for cell in cells), cpu, aim)
    _console.print(table)


def _of_rounds(server: _Server, share: float) -> list[float]:
    """Return a percentile of each round."""
    return [sorted(of)[int(len(of) * share)] for of in server.milliseconds]


if __name__ == "__main__":
    _measure(_own_arguments(sys.argv[1:]))
