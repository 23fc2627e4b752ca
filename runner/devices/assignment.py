"""What the containers of a pod must see of its devices: variables, and the CPUs to run on."""

from __future__ import annotations

from dataclasses import replace

from runner.devices.allocation import Devices
from runner.devices.discovery import Discovered
from runner.pods.pod_resources import CPU
from runner.pods.pod_spec import Container, Pod, Variable


def assigned(pod: Pod, devices: Devices, found: Discovered) -> Pod:
    """Return a pod in which each container has its part of the devices.

    A container that needs GPUs of a kind without devices sees none. The variables override those
    of the pod, because only they keep trials apart.
    """
    rest = dict(devices)
    sidecars = {one.name: _take(one, rest, found) for one in pod.init_containers if one.stays}
    mains = tuple(_take(one, rest, found) for one in pod.containers)
    inits = tuple(
        sidecars.get(one.name) or _take(one, dict(devices), found) for one in pod.init_containers
    )
    return replace(pod, containers=mains, init_containers=inits)


def _take(container: Container, rest: dict[str, tuple[str, ...]], found: Discovered) -> Container:
    """Take the devices of a container from the rest of the pod's devices."""
    env = container.env
    for kind, count in container.gpus.items():
        names, rest[kind] = rest.get(kind, ())[:count], rest.get(kind, ())[count:]
        order = (Variable(name=name, value=value) for name, value in found.environ.items())
        env = (*order, *env, Variable(name=found.variables[kind], value=",".join(names)))
    cpus = 0 if container.stays else container.cpus
    affinity, rest[CPU] = rest.get(CPU, ())[:cpus], rest.get(CPU, ())[cpus:]
    return replace(container, env=env, affinity=tuple(map(int, affinity)))
