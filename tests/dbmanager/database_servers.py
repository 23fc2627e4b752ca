"""Real PostgreSQL and MariaDB servers for tests: on a free port, in a temporary folder.

Neither server runs as root. If the tests run as root, the servers run as the user that Debian's
package has created. They do not sync to the disk, because no test is about a power cut.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import ClassVar

import asyncmy
import asyncpg
import pytest

START_SECONDS = 60.0
_names = count(1)


class DatabaseServer(ABC):
    """One server; it may stop and start again, on the same port, with the same data."""

    kind: ClassVar[str]
    owner: ClassVar[str]
    """The user that it runs as if the tests run as root."""

    def __init__(self, folder: Path, *, sync: bool = False) -> None:
        self.folder, self.sync = folder, sync
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @classmethod
    @abstractmethod
    def program(cls) -> Path | None:
        """Return the path of the server's program; None if it is not installed."""

    @abstractmethod
    def _make_data(self) -> Sequence[str | Path]:
        """Return the command that creates the data folder."""

    @abstractmethod
    def _serve(self) -> Sequence[str | Path]:
        """Return the command that starts the server."""

    @abstractmethod
    async def execute(self, statement: str, database: str | None = None) -> None:
        """Run one statement on a new connection; raise if it fails."""

    @abstractmethod
    def url(self, database: str) -> str:
        """Return the value of `--database`."""

    async def fresh_database(self) -> str:
        """Create an empty database; return its name."""
        name = f"trialwatch_{next(_names)}"
        await self.execute(f"CREATE DATABASE {name}")
        return name

    def make(self) -> None:
        """Create the data folder."""
        if os.geteuid() == 0:
            user = pwd.getpwnam(self.owner)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run(self._make_data())

    def start(self) -> None:
        """Start the server; return when it accepts statements."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                (*self._as_owner(), *self._serve()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end; harmless if the server does not run."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def wait(self) -> None:
        """Return when the server listens and answers."""
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "server.log").read_text(errors="replace")[-3_000:]
                self.stop(signal.SIGKILL)
                raise AssertionError(f"{self.kind} does not serve:\n{log}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Connect from another process, because this one may have a running event loop."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return self._ready()
        return False

    @abstractmethod
    def _ready(self) -> bool:
        """Return whether the server, which listens, accepts statements."""

    def _run(self, command: Sequence[str | Path]) -> None:
        done = subprocess.run(
            (*self._as_owner(), *command),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}{done.stderr}"

    def _as_owner(self) -> Sequence[str]:
        """Return the words before a command that make it run as the owner.

        Not `subprocess`' own `user=`: that forks, and gRPC's threads do not survive a fork.
        """
        if os.geteuid() != 0:
            return ()
        user = pwd.getpwnam(self.owner)
        return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")


class PostgreSQL(DatabaseServer):
    """PostgreSQL; its user is `trialwatch`, without a password."""

    kind, owner = "PostgreSQL", "postgres"

    @classmethod
    def program(cls) -> Path | None:
        homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
        found = homes[-1] if homes else shutil.which("postgres")
        return Path(found).resolve() if found else None

    def _make_data(self) -> Sequence[str | Path]:
        initdb = _known(self.program()).with_name("initdb")
        options = ("--username=trialwatch", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        return (initdb, "--pgdata", self.folder / "data", "--no-sync", *options)

    def _serve(self) -> Sequence[str | Path]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self.sync else "off",
        }
        flags = [f"--{name}={value}" for name, value in settings.items()]
        return (_known(self.program()), "-D", self.folder / "data", *flags)

    def _ready(self) -> bool:
        ready = _known(self.program()).with_name("pg_isready")
        asked = (ready, "--quiet", "--host=127.0.0.1", f"--port={self.port}")
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every session in order; SIGQUIT is like a crash."""
        super().stop(how)

    async def execute(self, statement: str, database: str | None = None) -> None:
        connection = await asyncpg.connect(self.url(database or "postgres"), timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def url(self, database: str) -> str:
        return f"postgresql://trialwatch@127.0.0.1:{self.port}/{database}"


class MariaDB(DatabaseServer):
    """MariaDB; its user is `root`, without a password."""

    kind, owner = "MariaDB", "mysql"

    @classmethod
    def program(cls) -> Path | None:
        found = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        return Path(found) if found else None

    def _make_data(self) -> Sequence[str | Path]:
        options = ("--auth-root-authentication-method=normal", "--skip-test-db")
        # On some machines this user cannot write to /tmp.
        folders = (f"--datadir={self.folder}/data", f"--tmpdir={self.folder}")
        return ("mariadb-install-db", "--no-defaults", *folders, *options)

    def _serve(self) -> Sequence[str | Path]:
        settings = {
            "datadir": self.folder / "data",
            "tmpdir": self.folder,
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "bind-address": "127.0.0.1",
            "port": self.port,
            "innodb-flush-log-at-trx-commit": 1 if self.sync else 0,
            # Small, because tests share the machine; with the character set of old installations.
            "innodb-buffer-pool-size": "128M",
            "character-set-server": "latin1",
        }
        flags = [f"--{name}={value}" for name, value in settings.items()]
        return (_known(self.program()), "--no-defaults", *flags)

    def _ready(self) -> bool:
        tried = ("mariadb-admin", "--no-defaults", f"--socket={self.folder}/socket", "-uroot")
        return subprocess.run((*tried, "ping"), capture_output=True, check=False).returncode == 0

    async def execute(self, statement: str, database: str | None = None) -> None:
        connection = await asyncmy.connect(
            host="127.0.0.1", port=self.port, user="root", password="", db=database, autocommit=True
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(statement)
        finally:
            await connection.ensure_closed()

    def url(self, database: str) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(kind: type[DatabaseServer], *, sync: bool = False) -> Iterator[DatabaseServer]:
    """Create and start a server, and remove it at the end; skip if it is not installed."""
    if kind.program() is None:
        missing = f"{kind.kind} is not installed on this machine"
        assert not os.environ.get("CI"), missing
        pytest.skip(missing)
    # Not in a folder of pytest, which only pytest's user may enter.
    folder = Path(tempfile.mkdtemp(prefix="trialwatch-"))
    server = kind(folder, sync=sync)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


async def restart_later(server: DatabaseServer, how: signal.Signals, away: float) -> None:
    """Stop a server and start it again after some seconds, without blocking the event loop."""
    await asyncio.to_thread(server.stop, how)
    await asyncio.sleep(away)
    await asyncio.to_thread(server.start)


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _known(program: Path | None) -> Path:
    assert program is not None
    return program


def _version(program: Path) -> int:
    return int(program.parts[-3]) if program.parts[-3].isdecimal() else 0
