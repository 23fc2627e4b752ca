"""The shim of one container: a process that starts it, writes its log, and kills what it leaves.

It is forked from the spawner. As a child subreaper, it becomes the parent of all processes of the
container. When the container's first process has ended, it kills the others, as the kernel does
when PID 1 of a container ends. When the spawner ends for any reason, it kills everything at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from launcher import linux
from launcher.processes import exit_code, kill_others
from runner.pods import mounting
from runner.pods.container_log import ContainerLog
from runner.pods.spawner_protocol import Ended, Launch, Refused, Report, Started, to_line

FORWARD = signal.SIGUSR2
"""Carries a value: the signal for the container."""
ORPHANED = signal.SIGHUP
"""The kernel's signal that the spawner is dead."""
_PIECE = 1 << 16
_LAST_PIECES = 1000
"""The most reads of a container's remaining output after its end."""


def guard(launch: Launch, reports: int, spawner: int) -> NoReturn:
    """Run a container to its end, in a newly forked process with all signals blocked."""
    try:
        linux.die_with_parent(ORPHANED)
        if os.getppid() != spawner:
            os._exit(1)
        linux.adopt_orphans(adopt=True)
        _Shim(launch, reports).run()
    except BaseException as fault:  # noqa: BLE001 - the last place that can report it
        _send(reports, Refused(id=launch.id, why=f"the container's shim failed: {fault!r}"))
    finally:  # in any case: the fork must not continue as a second spawner
        with contextlib.suppress(BaseException):
            kill_others()
        os._exit(0)


class _Shim:
    def __init__(self, launch: Launch, reports: int) -> None:
        self._launch = launch
        self._reports = reports
        self._signals = linux.open_signals()
        self._log = ContainerLog(launch.log)
        self._output, self._input = os.pipe()
        os.set_blocking(self._output, False)
        self._status: int | None = None
        self._orphaned = False

    def run(self) -> None:
        failure, failing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(failure)
            _become(self._launch, self._input, failing)
        os.close(failing)
        os.close(self._input)
        refusal = b"".join(iter(lambda: os.read(failure, _PIECE), b""))
        os.close(failure)
        if refusal:
            os.waitpid(pid, 0)
            self._report(Refused(id=self._launch.id, **json.loads(refusal)))
            return
        self._report(Started(id=self._launch.id, pid=pid))
        status = self._watch(pid)
        kill_others()
        if self._orphaned:
            return  # killed with the spawner: its own result is unknown
        for _ in range(_LAST_PIECES):
            if not self._take_output():
                break
        self._log.close()
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self._report(Ended(id=self._launch.id, status=exit_code(status), signal=number))

    def _watch(self, pid: int) -> int:
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        poll.register(self._output, select.POLLIN)
        while self._status is None:
            for descriptor, _ in poll.poll():
                if descriptor == self._output and not self._take_output():
                    poll.unregister(self._output)
                elif descriptor == self._signals:
                    self._obey(pid)
        return self._status

    def _obey(self, pid: int) -> None:
        for got in linux.read_signals(self._signals):
            if got.number == FORWARD:
                self._forward(pid, got.value)
            elif got.number == ORPHANED:
                self._orphaned = True
                self._kill(pid)
        self._reap(pid)

    def _forward(self, pid: int, number: int) -> None:
        if number == signal.SIGKILL:
            self._kill(pid)
        elif self._status is None:
            os.kill(pid, number)

    def _kill(self, pid: int) -> None:
        """Kill all processes, the launcher first: it must not record the trainer's end."""
        if self._status is None:
            os.kill(pid, signal.SIGKILL)
            _, self._status = os.waitpid(pid, 0)

    def _reap(self, pid: int) -> None:
        with contextlib.suppress(ChildProcessError):
            while self._status is None:
                ended, status = os.waitpid(-1, os.WNOHANG)
                if not ended:
                    return
                if ended == pid:
                    self._status = status

    def _take_output(self) -> bool:
        """Copy available output into the log; False if there is none now or the pipe is closed."""
        try:
            data = os.read(self._output, _PIECE)
        except BlockingIOError:
            return False
        if data:
            self._log.write(data)
        return bool(data)

    def _report(self, report: Report) -> None:
        _send(self._reports, report)


def _send(reports: int, report: Report) -> None:
    with contextlib.suppress(OSError):  # the runner has ended; this process ends soon too
        os.write(reports, to_line(report))


def _become(launch: Launch, output: int, failing: int) -> NoReturn:
    """Become the container's first process."""
    try:
        os.setsid()
        shim = os.getppid()
        if launch.binds:
            mounting.mount_all(launch.binds, launch.staging)
        # After the mounts: the kernel resets this when the rights change.
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != shim:
            os._exit(1)
        if launch.affinity:
            os.sched_setaffinity(0, launch.affinity)
        _enter(launch.cwd)
        program = find_program(launch.program or launch.argv[0], launch.env, launch.cwd)
        _set_up(output, failing)
        if launch.collector:
            os.close(failing)
            _collect(launch)
        name = launch.argv[0] if launch.program else program
        os.execve(name, launch.argv, launch.env)  # noqa: S606 - starting it is the job
    except FileNotFoundError as fault:
        _refuse(failing, str(fault.args[0] if len(fault.args) == 1 else fault), missing=True)
    except OSError as fault:
        _refuse(failing, f"{fault.strerror} ({fault.filename})", missing=False)
    finally:
        os._exit(1)


def _refuse(failing: int, why: str, *, missing: bool) -> None:
    os.write(failing, json.dumps({"why": why[:_PIECE], "missing": missing}).encode())


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as fault:
        raise FileNotFoundError(
            f"working directory {folder!r}: {fault.strerror} on this machine; create it, or correct"
            " workingDir"
        ) from None


def find_program(name: str, env: Mapping[str, str], cwd: str) -> str:
    """Return the path of a program, as the kubelet's runtime looks for it.

    Raises:
        FileNotFoundError: the program is missing; the only argument is a message for users.
    """
    if "/" in name:
        path = os.path.join(cwd, name)
        if os.path.isfile(path):
            return path
        raise FileNotFoundError(
            f"command {name!r} is not on this machine; trials run here without their image: create"
            " the file, or use another command"
        )
    search = env.get("PATH", os.defpath)
    for folder in search.split(os.pathsep):
        path = os.path.join(cwd, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(
        f"command {name!r} is not on this machine (not found in PATH); trials run here without"
        " their image: install it, or use another command"
    )


def _set_up(output: int, failing: int) -> None:
    """Set the standard streams and default signals of a new process; close all other files."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, failing)
    os.closerange(failing + 1, os.sysconf("SC_OPEN_MAX"))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _collect(launch: Launch) -> NoReturn:
    """Become a collector, like `python -m collector`, but with all modules already loaded."""
    status = 1
    try:
        from collector.__main__ import main  # noqa: PLC0415 - the spawner has loaded it

        sys.argv = list(launch.argv)
        os.environ.clear()
        os.environ.update(launch.env)
        status = main()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
