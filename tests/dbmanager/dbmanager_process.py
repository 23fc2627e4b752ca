"""`python -m dbmanager` as a process; each restart uses the same port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.dbmanager.database_servers import free_port

START_SECONDS = 60.0


class Program:
    """One DB manager; its log is the file `log` in its folder."""

    def __init__(self, folder: Path, database: str, *flags: str) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = folder / "log"
        self._port_file = folder / "port"
        own = ("--listen", self.address, "--port-file", str(self._port_file))
        self._command = (sys.executable, "-m", "dbmanager", "--database", database, *own, *flags)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, metrics: str = "off") -> None:
        """Start it; return when it listens, with or without its database."""
        self._port_file.unlink(missing_ok=True)
        environ = {name: value for name, value in os.environ.items() if "KATIB" not in name}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (*self._command, "--metrics-listen", metrics), stderr=log, env=environ
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._port_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the DB manager does not listen:\n{self.log.read_text()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it with SIGKILL; harmless if it does not run."""
        self._end(signal.SIGKILL)

    def end(self) -> int:
        """Send SIGTERM; return the exit status."""
        return self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@contextmanager
def program(folder: Path, database: str, *flags: str) -> Iterator[Program]:
    """Start a DB manager; kill it at the end."""
    started = Program(folder, database, *flags)
    started.start()
    try:
        yield started
    finally:
        started.kill()
