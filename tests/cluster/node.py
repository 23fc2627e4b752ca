"""A real Kubernetes node on this machine: `python -m tests.cluster.node up | down | status`.

`up` prints the path of a kubeconfig; where the node is up already it does nothing else. `down` ends
what `up` started and removes its folder. `TRIALWATCH_CLUSTER` names the folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cluster import images
from tests.cluster.binaries import MissingProgramError, note, programs, run
from tests.cluster.certificates import Authority, Identity, key_pem
from tests.cluster.node_programs import API_PORT, before_the_api, behind_the_api, wait_until
from tests.cluster.releases import ModuleDigestError
from tests.cluster.sandbox import Sandbox, require
from tests.cluster.settings import (
    API_SERVICE,
    DNS_SERVICE,
    NODE,
    SERVICE_LINK,
    SERVICES_IPV6,
    Place,
    has_ipv6,
    write_settings,
)

_CNI_PLUGINS = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
# Whom the certificate names, and the group, if it is one that the API server knows.
_USERS = {
    "admin": ("trialwatch-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}


class Node:
    """One node, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sandbox = Sandbox(folder)
        self.kubeconfig = folder / "kubeconfig"

    def up(self) -> Path:
        """Bring the node up, where it is not; return its kubeconfig once pods can be made."""
        if self.kubeconfig.exists() and self.sandbox.alive():
            return self.kubeconfig
        require("unshare", "nsenter", "ip", "nft", "containerd", "runc", "cc")
        kubernetes = programs()
        self.down()
        started = time.monotonic()
        self.folder.mkdir(parents=True)
        try:
            self._start(kubernetes)
        except BaseException:
            self._tell_the_logs()
            self.down()
            raise
        note(f"the node is ready after {time.monotonic() - started:.1f} s")
        return self.kubeconfig

    def down(self) -> None:
        """End the node and remove what it was; harmless where there is none."""
        self.sandbox.remove()

    def load(self, archive: Path) -> None:
        """Give containerd the images of an archive."""
        run(self.sandbox.argv("ctr", "--namespace=k8s.io", "images", "import", str(archive)))

    def _start(self, kubernetes: Path) -> None:
        for part in ("log", "pki", "etc"):
            (self.folder / part).mkdir()
        sandbox = self.sandbox
        sandbox.create()
        place = Place(folder=self.folder, address=sandbox.inside, cgroup=sandbox.name)
        self._give_the_services_addresses()
        _write_identities(place)
        write_settings(place, _cni_plugins())
        watched = [one.start(sandbox) for one in before_the_api(kubernetes, place)]
        wait_until("containerd", self._containerd_answers, watched)
        self.load(images.pause(self.folder))
        kubectl = (str(kubernetes / "kubectl"), f"--kubeconfig={place.kubeconfig('admin')}")
        wait_until("the API server", lambda: _succeeds(*kubectl, "get", "--raw=/readyz"), watched)
        watched += [one.start(sandbox) for one in behind_the_api(kubernetes, place)]
        ready = ("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=5s")
        wait_until("the node", lambda: _succeeds(*kubectl, *ready), watched)
        account = ("get", "--namespace=default", "serviceaccount/default")
        wait_until("an account for pods", lambda: _succeeds(*kubectl, *account), watched)
        self._give_storage(kubectl)
        (self.folder / "kubectl").symlink_to(kubernetes / "kubectl")
        self.kubeconfig.symlink_to(place.kubeconfig("admin"))

    def _give_the_services_addresses(self) -> None:
        """Let a bridge without ports hold what the node's own programs serve from.

        The API server is there as well as behind kube-proxy's rules, CoreDNS only there.
        """
        argv = self.sandbox.argv
        run(argv("ip", "link", "add", "name", SERVICE_LINK, "type", "bridge"))
        run(argv("ip", "address", "add", f"{DNS_SERVICE}/32", "dev", SERVICE_LINK))
        run(argv("ip", "link", "set", SERVICE_LINK, "up"))
        if has_ipv6():
            # Without a route a program of the node could not send to a Service, before kube-proxy's
            # rules change the packet's destination.
            run(argv("ip", "-6", "route", "add", SERVICES_IPV6, "dev", SERVICE_LINK))

    def _give_storage(self, kubectl: tuple[str, ...]) -> None:
        """Offer a volume for one pod and one for many: a claim of any class is bound to them.

        Nothing provisions others.
        """
        affinity = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
        for name, mode in (("volume", "ReadWriteOnce"), ("shared-volume", "ReadWriteMany")):
            (self.folder / "var" / "lib" / name).mkdir()
            spec = {
                "capacity": {"storage": "10Gi"},
                "accessModes": [mode],
                "local": {"path": f"/var/lib/{name}"},
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [affinity]}]}
                },
            }
            volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}}
            file = self.folder / "etc" / f"{name}.json"
            file.write_text(json.dumps({**volume, "spec": spec}))
            run([*kubectl, "create", f"--filename={file}"])

    def _containerd_answers(self) -> bool:
        return _succeeds(*self.sandbox.argv("ctr", "--namespace=k8s.io", "images", "list"))

    def _tell_the_logs(self) -> None:
        for log in sorted((self.folder / "log").glob("*")):
            tail = log.read_text(errors="replace").splitlines()[-15:]
            sys.stderr.write("\n".join((f"--- {log.name}", *tail, "")))


def _write_identities(place: Place) -> None:
    authority = Authority()
    authority.identity.write(place.secrets, "ca")
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    hosts = (*names, f"{names[-1]}.cluster.local", "127.0.0.1", API_SERVICE, place.address)
    authority.issue("kube-apiserver", "", hosts).write(place.secrets, "kube-apiserver")
    client = authority.issue("kube-apiserver-kubelet-client", "system:masters")
    client.write(place.secrets, "kubelet-client")
    service_account_key().write(place.secrets, "service-accounts")
    server = f"https://{place.address}:{API_PORT}"
    for user, (name, group) in _USERS.items():
        config = authority.kubeconfig(server, authority.issue(name, group))
        path = Path(place.kubeconfig(user))
        path.touch(mode=0o600)
        path.write_text(config)


def service_account_key() -> Identity:
    """Make the key by which an API server signs and checks the tokens of pods."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # No certificate: the API server checks tokens by the bare public key.
    return Identity(certificate=public, key=key_pem(key))


def _cni_plugins() -> str:
    for folder in _CNI_PLUGINS:
        if Path(folder, "ptp").exists():
            return folder
    require("ptp")
    raise AssertionError


def _succeeds(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def default_folder() -> Path:
    """Return where a node is brought up by hand."""
    named = os.environ.get("TRIALWATCH_CLUSTER")
    return Path(named) if named else Path.home() / ".local" / "state" / "trialwatch" / "cluster"


def main(word: str) -> int:
    """Do one word; return the exit status."""
    node = Node(default_folder().absolute())
    match word:
        case "up":
            sys.stdout.write(f"{node.up()}\n")
        case "down":
            node.down()
        case "status":
            sys.stdout.write(f"{node.kubeconfig if node.sandbox.alive() else 'down'}\n")
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:2] or [""]))
    except (MissingProgramError, ModuleDigestError, PermissionError) as error:
        sys.exit(f"cluster: {error}")
