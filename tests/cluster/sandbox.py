"""Linux namespaces for the node: processes, mounts, network and System V objects.

All that the node does happens in there: its mounts, its addresses, its rules of the packet filter,
its sysctls. Outside are its folder, its control groups (all below one name) and one end of a veth
pair. When the first process of the namespace is killed the kernel ends every other one, the mounts
and the network with it; so nothing can be left behind that a list would have to name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import MissingProgramError, run

# The kubelet sets these, and they are not the namespace's own: it writes to copies of them.
_SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
_CGROUPS = Path("/sys/fs/cgroup")
_NAMESPACES = ("--mount", "--net", "--pid", "--ipc")
# Ignoring SIGCHLD reaps what others leave to the first process; sleep inherits that.
_INIT = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$1/var" /var
for sysctl in "$1"/sysctl/*; do
    mount --bind "$sysctl" "/proc/sys/$(basename "$sysctl" | tr : /)"
done
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
touch "$1/inside"
trap '' CHLD
exec sleep infinity
"""
_PATIENCE_SECONDS = 30.0


OUTLIVING: list[subprocess.Popen[bytes]] = []
"""A node may outlive what started it. Kept, because a Popen that is collected warns of it."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The namespaces that belong to one folder."""

    folder: Path

    @property
    def name(self) -> str:
        """What the control groups and the veth pair are called: the folder's own."""
        return f"tw{self._digest.hex()[:8]}"

    @property
    def outside(self) -> str:
        """The machine's address on the link to the node."""
        return self._address(1)

    @property
    def inside(self) -> str:
        """The node's address, which the machine can reach."""
        return self._address(2)

    def create(self) -> None:
        """Make the namespaces and the link; the folder must be new."""
        if os.geteuid() != 0:
            raise PermissionError("a node needs root: namespaces, mounts, control groups")
        if any(self.folder.is_relative_to(hidden) for hidden in ("/var", "/run", "/proc")):
            raise ValueError(f"{self.folder}: the node has a /var and a /run of its own")
        self._lay_out()
        unshare = ["unshare", *_NAMESPACES, "--fork", "--mount-proc", "--propagation=private"]
        with (self.folder / "init.log").open("wb") as log:
            parent = subprocess.Popen(
                [*unshare, "--", "sh", "-c", _INIT, "init", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        OUTLIVING.append(parent)
        self._await_init(parent)
        self._link(self._init_pid())
        self._make_cgroups()

    def alive(self) -> bool:
        """Tell whether the first process, and so the whole, is there."""
        return self._identity() is not None and self._identity() == _start_of(self._recorded())

    def argv(self, *argv: str) -> list[str]:
        """Return the command that runs `argv` inside."""
        return ["nsenter", f"--target={self._recorded()}", *_NAMESPACES, "--", *argv]

    def remove(self) -> None:
        """End all that is inside, and remove what is outside; harmless where nothing is."""
        if self.alive():
            os.kill(self._recorded(), signal.SIGKILL)
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
        # The kernel removes the pair with the network namespace, but some moments later.
        subprocess.run(["ip", "link", "delete", self.name], capture_output=True, check=False)
        self._remove_cgroups()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _digest(self) -> bytes:
        return hashlib.sha256(str(self.folder).encode()).digest()

    def _address(self, host: int) -> str:
        # 198.18.0.0/15 is for tests of networks (RFC 2544): never a real address.
        return f"198.{18 + self._digest[0] % 2}.{self._digest[1]}.{self._digest[2] // 4 * 4 + host}"

    def _lay_out(self) -> None:
        for part in ("lib", "log", "tmp", "run"):
            (self.folder / "var" / part).mkdir(parents=True)
        (self.folder / "sysctl").mkdir()
        for sysctl in _SYSCTLS:
            value = Path("/proc/sys", sysctl).read_text()
            (self.folder / "sysctl" / sysctl.replace("/", ":")).write_text(value)

    def _await_init(self, parent: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (self.folder / "inside").exists():
            if parent.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no namespaces: {(self.folder / 'init.log').read_text()}")
            time.sleep(0.01)
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
        pid = int(children.split()[0])
        record = {"pid": pid, "start": _start_of(pid)}
        (self.folder / "init.json").write_text(json.dumps(record))

    def _link(self, pid: int) -> None:
        pair = ["type", "veth", "peer", "name", "uplink", "netns", str(pid)]
        run(["ip", "link", "add", self.name, *pair])
        run(["ip", "address", "add", f"{self.outside}/30", "dev", self.name])
        run(["ip", "link", "set", self.name, "up"])
        run(self.argv("ip", "address", "add", f"{self.inside}/30", "dev", "uplink"))
        run(self.argv("ip", "link", "set", "uplink", "up"))
        # Kubernetes' programs look for a default route to learn their own address.
        run(self.argv("ip", "route", "add", "default", "via", self.outside))

    def _init_pid(self) -> int:
        return self._recorded()

    def _recorded(self) -> int:
        return int(json.loads((self.folder / "init.json").read_text())["pid"])

    def _identity(self) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            return str(json.loads((self.folder / "init.json").read_text())["start"])
        return None

    def _make_cgroups(self) -> None:
        if (_CGROUPS / "cgroup.controllers").exists():
            (_CGROUPS / self.name).mkdir()
            return
        for hierarchy in _hierarchies():
            (hierarchy / self.name).mkdir(exist_ok=True)
        # Without a set of processors and memory nodes a cpuset takes no process.
        for file in ("cpuset.cpus", "cpuset.mems"):
            own = _CGROUPS / "cpuset" / self.name / file
            if own.exists():
                own.write_text((_CGROUPS / "cpuset" / file).read_text())

    def _remove_cgroups(self) -> None:
        """Remove our groups, deepest first, once the last process in them has ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while groups := self._cgroups():
            for group in groups:
                with contextlib.suppress(OSError):
                    group.rmdir()
            if time.monotonic() > deadline:
                raise RuntimeError(f"control groups that stay: {self._cgroups()}")
            time.sleep(0.02)

    def _cgroups(self) -> list[Path]:
        tops = [_CGROUPS / self.name, *(one / self.name for one in _hierarchies())]
        found = [path for top in tops if top.is_dir() for path in (top, *top.glob("**/"))]
        return sorted(set(found), key=lambda path: len(path.parts), reverse=True)


def _hierarchies() -> list[Path]:
    """Return the mounted hierarchies of control groups, beside each other as in version 1."""
    return [path for path in _CGROUPS.iterdir() if (path / "cgroup.procs").exists()]


def _start_of(pid: int) -> str | None:
    """Return when a living process started, in ticks: with its number, that is who it is."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The first process of a namespace is a zombie only when all others are gone.
    return None if fields[0] == "Z" else fields[19]


def require(*programs: str) -> None:
    """Fail with the name of the first program that the machine lacks."""
    for program in programs:
        if not shutil.which(program):
            raise MissingProgramError(f"{program} is needed for a node; .ci/run says its package")
