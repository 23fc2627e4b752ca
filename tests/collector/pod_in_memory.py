"""A trial's pod in memory: the test writes the launcher's files, and reads the messages to it."""

from __future__ import annotations

import random
from typing import Any

from api.run_directory import AttemptRecord, ExitRecord, FileBorder
from collector.core.plan import CollectorPlan, Pause
from collector.core.ports import EarlyStopping, EchoOutput, NetworkProxy, Ports
from collector.core.session import Session
from collector.launched_trainer import LaunchedTrainer
from collector.testing.memory import (
    MemoryClock,
    MemoryFile,
    MemoryFiles,
    MemoryLog,
    MemoryStore,
)
from filters.extractor import extraction_spec

RUN = "/run/trialwatch"
LOG = "/katib/mnist.log"


class Pod:
    """One run directory, and a launcher that reads messages."""

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self.files = MemoryFiles(self.clock)
        self.store = MemoryStore()
        self.messages = MemoryLog()
        self.heard: list[str] = []
        self.deaf: set[int] = set()
        """Attempts whose launcher is dead."""

    # What the launcher and the trainer do

    def begin(self, attempt: int = 1) -> None:
        """Start the trainer."""
        self.clock.pass_by(1.0)
        stat = self.files.stat(LOG)
        tail = (self.files.read(LOG) or b"")[-64:]
        border = FileBorder(inode=stat.inode, size=stat.size, tail=tail) if stat else None
        record = AttemptRecord(number=attempt, started=self.clock.micros() / 1e6, file=border)
        self.files.replace(f"{self.directory(attempt)}/attempt", record.to_json())
        for name in ("out-00000001", "err-00000001"):
            self.files.create(f"{self.directory(attempt)}/{name}").close()
        self.clock.pass_by(0.1)

    def print(self, text: str, attempt: int = 1, stream: str = "out") -> None:
        """Write to the trainer's output; short texts only."""
        self._append(f"{self.directory(attempt)}/{stream}-00000001", text)

    def log(self, text: str, path: str = LOG) -> None:
        """Write to the trainer's file."""
        self._append(path, text)

    def end(self, attempt: int = 1, status: int = 0, **facts: Any) -> None:  # noqa: ANN401 - those of a record
        """End the trainer."""
        record = {
            "attempt": attempt,
            "status": status,
            "signal": None,
            "ended": 0.0,
            "leftovers": 0,
            "complete": True,
            "cause": None,
            "stopped": False,
        }
        found = ExitRecord(**(record | facts))
        self.files.replace(f"{self.directory(attempt)}/exit", found.to_json())

    def directory(self, attempt: int) -> str:
        return f"{RUN}/attempts/{attempt}"

    def _append(self, path: str, text: str) -> None:
        file = self.files.create(path)
        file.append(text.encode())
        file.close()
        self.clock.pass_by(0.01)

    # The messages to the launcher

    def alive(self, attempt: int) -> bool:
        return attempt not in self.deaf

    def following(self, attempt: int) -> bool:
        return self._hear(attempt, "following")

    def stop(self, attempt: int) -> bool:
        return self._hear(attempt, "stop")

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        return self._hear(attempt, f"gave up: {gave_up}" if gave_up else "delivered")

    def _hear(self, attempt: int, what: str) -> bool:
        if self.alive(attempt):
            self.heard.append(f"{attempt} {what}")
        return self.alive(attempt)

    # The collector

    def collector(
        self,
        *,
        native: bool = True,
        path: str = "",
        early_stopping: EarlyStopping | None = None,
        proxy: NetworkProxy | None = None,
        echo: EchoOutput | None = None,
        steps: bool = True,
        **plan: Any,  # noqa: ANN401 - the fields of a CollectorPlan
    ) -> Session:
        """Return a new session."""
        ports = Ports(
            files=self.files,
            clock=self.clock,
            store=self.store,
            trainer=LaunchedTrainer(RUN, self.files, self),
            log=self.messages,
            early_stopping=early_stopping,
            proxy=proxy,
            echo=echo,
        )
        wanted = CollectorPlan(
            extraction=extraction_spec(["loss"], steps=steps),
            run_dir=RUN,
            path=path,
            native=native,
            **plan,
        )
        return Session(wanted, ports, random.Random(1))

    def run(self, session: Session, steps: int = 200) -> Pause:
        """Take steps, with the waits that they ask for, until there is nothing to do."""
        pause = Pause()
        for _ in range(steps):
            pause = session.step()
            if pause.done is not None or pause.most >= 1.0:
                return pause
            self.clock.pass_by(pause.most)
        return pause

    def run_to_the_end(self, session: Session, steps: int = 1000) -> Pause:
        """Take steps until an attempt is delivered or given up, or the collector ends."""
        for _ in range(steps):
            pause = session.step()
            if pause.done is not None or not self.heard[-1].endswith("following"):
                return pause
            self.clock.pass_by(pause.most)
        raise AssertionError("it never ends")

    def values(self, attempt: int = 1) -> list[str]:
        """Return the stored values of an attempt."""
        return [value for source in self.sources(attempt) for value in self.store.values(source)]

    def sources(self, attempt: int) -> list[str]:
        found = dict.fromkeys(source for source, _ in self.store.batches)
        return [source for source in found if source.endswith(f"-{attempt}")]

    def outcome(self, attempt: int = 1) -> str | None:
        [source] = self.sources(attempt)
        return self.store.outcome(source)

    @property
    def log_text(self) -> str:
        """All sentences in the collector's log."""
        return "\n".join(self.messages.sentences)

    def open(self, path: str) -> MemoryFile:
        """Open a file as a trainer would."""
        return self.files.create(path)
