"""A pod as Katib's own webhook prepares it, as real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.collector.pod_processes import Trial, eventually


class KatibPod(Trial):
    """A trainer under a shell that writes markers, and a collector with Katib's flags."""

    def __init__(self, folder: Path, address: str, name: str = "trial-1") -> None:
        super().__init__(folder, address, name)
        self.address = address
        self.directory = folder / "katib"
        self.directory.mkdir()
        self.metrics = self.directory / "metrics.log"
        self._namespace: tuple[str, ...] = ()

    def share_processes(self) -> None:
        """From now on start everything in one process namespace that has a pause process."""
        pause = self._start(
            ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", "echo here; sleep 600"],
            stdout=subprocess.PIPE,
        )
        assert pause.stdout is not None
        assert pause.stdout.readline() == b"here\n"
        [first] = _children(pause.pid)
        self._namespace = ("nsenter", f"--target={first}", "--pid", "--mount", "--")

    def hide_processes(self) -> None:
        """From now on start each in a process namespace of its own, as containers are."""
        self._namespace = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")

    def collect(self, *flags: str, metrics: str = "loss;acc") -> subprocess.Popen[bytes]:
        """Start the collector, with flags as Katib's webhook writes them."""
        words = ["-t", self.name, "-m", metrics, "-o-type", "minimize", "-s-db", self.address]
        words += ["-path", str(self.metrics)]
        words += [*flags] if self.metrics == self.directory else ["-format", "TEXT", *flags]
        command = [sys.executable, "-m", "collector", *words]
        command += [f"--termination-log={self.message}", "--log-level=info"]
        with self.log.open("ab") as log, self.shown.open("ab") as shown:
            return self._start([*self._namespace, *command], stdout=shown, stderr=log)

    def begin_with_event_files(
        self, command: str, *, stoppable: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a training, wrapped as kind TensorFlowEvent is."""
        self.metrics = self.directory
        return self.begin(command, stoppable=stoppable)

    def begin(self, command: str, *, stoppable: bool = False) -> subprocess.Popen[bytes]:
        """Start a training, wrapped as kind StdOut is."""
        directory, log = self.directory, self.metrics
        words = [command if log == directory else f"{command} 1>{log} 2>&1"]
        if stoppable:
            marker = f"{directory}/$$.pid"
            words.append(
                f"|| if test -f {marker} && [ $(head -n 1 {marker}) = early-stopped ]; "
                "then echo Training Container was Early Stopped; "
                "else echo Training Container was Failed; exit 1; fi"
            )
        words.append(f"&& echo completed > {directory}/$$.pid")
        return self.run(["sh", "-c", " ".join(words)])

    def run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start another process of the pod."""
        return self._start([*self._namespace, *command], stdout=subprocess.PIPE)

    def await_trainer(self) -> None:
        eventually(lambda: "the trainer is process" in self.log_text, lambda: self.log_text)


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
