"""A real API server without a node: etcd and kube-apiserver on loopback; needs no root.

It has no controllers and no kubelet: no pod starts, and deleting an owner does not delete what it
owns. A test does these things itself.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.binaries import note, programs
from tests.cluster.certificates import Authority
from tests.cluster.node import service_account_key
from tests.cluster.node_programs import api_server_flags, etcd_flags, wait_until

_HOST = "127.0.0.1"
_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """One that is up."""

    folder: Path
    server: str
    authority: Authority
    api_server: subprocess.Popen[bytes]
    etcd: subprocess.Popen[bytes]

    def kubeconfig(self, user: str) -> Path:
        """Write the kubeconfig of a user who may do everything; what they ask is counted by name."""
        path = self.folder / f"{user}.kubeconfig"
        path.touch(mode=0o600)
        identity = self.authority.issue(user, "system:masters")
        path.write_text(self.authority.kubeconfig(self.server, identity))
        return path

    def asked(self) -> Counter[tuple[str, str, str]]:
        """Count the requests that were answered, by user, verb and resource.

        The API server writes them down within a second. A watch counts when it ends.
        """
        counted: Counter[tuple[str, str, str]] = Counter()
        for log in self.folder.glob("audit*.log"):  # a full one is given another name
            with log.open() as lines:
                counted.update(map(_asked, map(json.loads, lines)))
        return counted


def _asked(event: dict[str, dict[str, str]]) -> tuple[str, str, str]:
    about = event.get("objectRef", {})
    parts = (about.get("resource", "none"), about.get("subresource"))
    return event["user"]["username"], str(event["verb"]), "/".join(filter(None, parts))


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """Bring one up in an empty folder; end it afterwards."""
    binaries = programs()
    authority = Authority()
    port, etcd_port, peer_port = free_ports(3)
    _write_files(folder, authority)
    etcd_url = f"http://{_HOST}:{etcd_port}"
    etcd = etcd_flags(folder / "etcd", etcd_url, f"http://{_HOST}:{peer_port}")
    api_server = (
        *api_server_flags(folder, etcd_url, _HOST, port),
        f"--bind-address={_HOST}",
        # No program reaches it as a Service.
        "--endpoint-reconciler-type=none",
        "--authorization-mode=RBAC",
        # Pods have no accounts here, and no controller creates them.
        "--disable-admission-plugins=ServiceAccount",
        f"--audit-policy-file={folder / 'audit.yaml'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--audit-log-mode=batch",
        "--audit-log-batch-max-wait=500ms",
    )
    with ExitStack() as stack:
        running = [
            stack.enter_context(_running(folder, str(binaries / name), *flags))
            for name, flags in (("etcd", etcd), ("kube-apiserver", api_server))
        ]
        plane = ControlPlane(
            folder=folder,
            server=f"https://{_HOST}:{port}",
            authority=authority,
            etcd=running[0],
            api_server=running[1],
        )
        kubectl = (str(binaries / "kubectl"), f"--kubeconfig={plane.kubeconfig('admin')}")
        ready = (*kubectl, "get", "--raw=/readyz")
        try:
            wait_until("the API server", lambda: _succeeds(*ready), running)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{_last_lines(folder / 'kube-apiserver.log')}") from None
        note(f"an API server is ready at {plane.server}")
        yield plane


def _write_files(folder: Path, authority: Authority) -> None:
    authority.identity.write(folder, "ca")
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", _HOST)
    authority.issue("kube-apiserver", "", names).write(folder, "kube-apiserver")
    client = authority.issue("kube-apiserver-kubelet-client", "system:masters")
    client.write(folder, "kubelet-client")
    service_account_key().write(folder, "service-accounts")
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts"]},
            {"level": "None", "users": ["system:apiserver", "admin"]},
            {"level": "Metadata"},
        ],
    }
    (folder / "audit.yaml").write_text(yaml.safe_dump(policy))


@contextmanager
def _running(folder: Path, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the block; its log is `NAME.log`."""
    with (folder / f"{Path(argv[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports that are free now; the kernel does not give them away again soon."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((_HOST, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _succeeds(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
