"""The node's programs: their command lines, what they wait for, and how to see that they are up."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.sandbox import OUTLIVING, Sandbox
from tests.cluster.settings import NODE, SERVICES, SERVICES_IPV6, Place, networks

_ETCD = "http://127.0.0.1:2379"
API_PORT = 6443
_PATIENCE_SECONDS = 120.0
_REVIVE = """while "$@"; [ $? -eq 137 ]; do echo "killed: started again" >&2; done"""


@dataclass(frozen=True, slots=True)
class Daemon:
    """One program of the node."""

    name: str
    argv: tuple[str, ...]
    revived: bool = False
    """Started again when it is killed, as a static pod is; any other end of it is the end."""

    def start(self, sandbox: Sandbox) -> subprocess.Popen[bytes]:
        """Start it inside; its log is `log/NAME`."""
        with (sandbox.folder / "log" / self.name).open("ab") as log:
            process = subprocess.Popen(
                sandbox.argv(*self._revived() if self.revived else self.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        OUTLIVING.append(process)
        return process

    def _revived(self) -> tuple[str, ...]:
        return ("sh", "-c", _REVIVE, self.name, *self.argv)


def before_the_api(programs: Path, place: Place) -> list[Daemon]:
    """Return what starts at once; the API server waits for etcd by itself."""
    etcd = etcd_flags(Path("/var/lib/etcd"), _ETCD, "http://127.0.0.1:2380")
    containerd = (f"--config={place.settings}/containerd.toml", "--log-level=warn")
    api_server = (str(programs / "kube-apiserver"), *_api_server(place))
    return [
        Daemon("etcd", (str(programs / "etcd"), *etcd)),
        Daemon("containerd", ("containerd", *containerd)),
        Daemon("kube-apiserver", api_server, revived=True),
    ]


def behind_the_api(programs: Path, place: Place) -> list[Daemon]:
    """Return what needs the API server."""
    flags = {
        "kube-controller-manager": (
            f"--kubeconfig={place.kubeconfig('kube-controller-manager')}",
            f"--root-ca-file={place.secrets}/ca.crt",
            f"--service-account-private-key-file={place.secrets}/service-accounts.key",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--kube-api-qps=100",
            "--kube-api-burst=200",
        ),
        "kube-scheduler": (
            f"--kubeconfig={place.kubeconfig('kube-scheduler')}",
            "--leader-elect=false",
        ),
        "kubelet": (
            f"--config={place.settings}/kubelet.yaml",
            f"--kubeconfig={place.kubeconfig('kubelet')}",
            f"--hostname-override={NODE}",
            f"--node-ip={place.address}",
        ),
        "kube-proxy": (f"--config={place.settings}/kube-proxy.yaml",),
        "coredns": (f"-conf={place.settings}/Corefile",),
    }
    return [Daemon(name, (str(programs / name), *argv)) for name, argv in flags.items()]


def etcd_flags(data: Path, url: str, peers: str) -> tuple[str, ...]:
    """Return what etcd is told: where its data are, and where it serves."""
    return (
        f"--data-dir={data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peers}",
        # A cluster for an hour: what a power cut would lose is not missed.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def api_server_flags(pki: Path, etcd: str, address: str, port: int) -> tuple[str, ...]:
    """Return the flags of each API server; `pki` has its certificates and keys."""
    return (
        f"--etcd-servers={etcd}",
        f"--advertise-address={address}",
        f"--secure-port={port}",
        f"--service-cluster-ip-range={networks(SERVICES, SERVICES_IPV6)}",
        f"--tls-cert-file={pki}/kube-apiserver.crt",
        f"--tls-private-key-file={pki}/kube-apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/service-accounts.crt",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
    )


def _api_server(place: Place) -> tuple[str, ...]:
    return (
        *api_server_flags(place.secrets, _ETCD, place.address, API_PORT),
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
    )


def wait_until(
    what: str, ready: Callable[[], bool], watched: list[subprocess.Popen[bytes]]
) -> None:
    """Return once `ready` says so; fail when a watched program has ended, or patience has."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        ended = [process.args for process in watched if process.poll() is not None]
        if ended:
            raise RuntimeError(f"waiting for {what}: ended: {ended}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {_PATIENCE_SECONDS:.0f} s for {what}")
        time.sleep(0.1)
