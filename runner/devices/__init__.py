"""GPUs and CPUs of this machine: which trial has which device.

Belongs here: the devices that a pod needs, the devices of this machine, which pod has which, and
what a container sees of them (variables, CPU affinity).
Does not belong here: the processes of a container (`runner.pods`), when a pod starts
(`runner.jobs`).
May import: `runner.pods`, `api`. May be imported by: `runner` and `runner.jobs`.

    Pod ──> needs ──> {"nvidia.com/gpu": 1} ──┐
    nvidia-smi, --gpus ──> discovery ──> pool ┴─> leases ──> assignment ──> Pod with its variables
                                                  allocation, locks

All but three modules are pure. `leases` holds the allocation of a run, and lets pods wait in the
order of their requests. `discovery` is the only part that looks for devices. `locks` keeps the runs
of a machine apart.
"""
