"""Addresses and configuration files of the node's programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import yaml

NODE = "node"
PODS, PODS_IPV6 = "10.244.0.0/22", "fd00:10:244::/112"
SERVICES, SERVICES_IPV6 = "10.96.0.0/22", "fd00:10:96::/112"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
SERVICE_LINK = "services"
PAUSE = "trialwatch.test/pause:1"
# As many as the pods' network has addresses for, with room: 100 trials twice, and what they leave.
_MAX_PODS = 400
_IPV6 = Path("/proc/net/if_inet6")


def has_ipv6() -> bool:
    """Return whether the machine's kernel has IPv6; then the node has both families."""
    return _IPV6.exists() and bool(_IPV6.read_text())


def networks(ipv4: str, ipv6: str) -> str:
    """Return the networks of the node's families, the first one being that of IPv4."""
    return f"{ipv4},{ipv6}" if has_ipv6() else ipv4


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the node's files are, and how it is reached."""

    folder: Path
    address: str
    cgroup: str

    @property
    def secrets(self) -> Path:
        """Certificates and keys."""
        return self.folder / "pki"

    @property
    def settings(self) -> Path:
        """The programs' files."""
        return self.folder / "etc"

    def kubeconfig(self, user: str) -> str:
        """Return the path of a user's kubeconfig."""
        return str(self.settings / f"{user}.kubeconfig")


def write_settings(place: Place, cni_plugins: str) -> None:
    """Write the files of all programs."""
    for name, text in {
        "containerd.toml": _containerd(place, cni_plugins),
        "cni/10-pods.conflist": json.dumps(_cni()),
        "kubelet.yaml": yaml.safe_dump(_kubelet(place)),
        "kube-proxy.yaml": yaml.safe_dump(_kube_proxy(place)),
        "Corefile": _corefile(place),
        "resolv.conf": "",
    }.items():
        path = place.settings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _containerd(place: Place, cni_plugins: str) -> str:
    # restrict_oom_score_adj: lowering a score below one's own needs CAP_SYS_RESOURCE.
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni_plugins}"
conf_dir = "{place.settings}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""


def _cni() -> dict[str, object]:
    """Return a pair of interfaces and a route for each pod: no bridge, no rules of a filter."""
    families = {PODS: "0.0.0.0/0", **({PODS_IPV6: "::/0"} if has_ipv6() else {})}
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": subnet}] for subnet in families],
        "routes": [{"dst": route} for route in families.values()],
        "dataDir": "/run/cni",
    }
    plugins = [{"type": "ptp", "ipMasq": False, "ipam": ipam}]
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}


def _kubelet(place: Place) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{place.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "authentication": {
            "x509": {"clientCAFile": f"{place.secrets}/ca.crt"},
            "webhook": {"enabled": True},
            "anonymous": {"enabled": False},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDomain": "cluster.local",
        "clusterDNS": [DNS_SERVICE],
        "resolvConf": f"{place.settings}/resolv.conf",
        "maxPods": _MAX_PODS,
        "podCIDR": PODS,
        "volumePluginDir": "/var/lib/kubelet/plugins",
        # Images are made here and come from nowhere else: never removed, however full the disk.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%"},
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
    }


def _kube_proxy(place: Place) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": place.kubeconfig("kube-proxy")},
        "hostnameOverride": NODE,
        "mode": "nftables",
        "clusterCIDR": networks(PODS, PODS_IPV6),
        "bindAddress": place.address,
        # The machine's table of connections keeps its own size.
        "conntrack": {"maxPerCore": 0, "min": 0},
        "nftables": {"syncPeriod": "10s", "minSyncPeriod": "100ms"},
    }


def _corefile(place: Place) -> str:
    return f"""\
.:53 {{
    bind {DNS_SERVICE}
    errors
    ready {DNS_SERVICE}:8181
    cache 5
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {place.kubeconfig("admin")}
        ttl 5
    }}
}}
"""
