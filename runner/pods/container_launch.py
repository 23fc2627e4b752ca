"""How a container of a pod starts on this machine: its argv, variables, mounts and directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from api.errors import UserError
from api.names import COLLECTOR_CONTAINER, METRICS_FILE_ENV, RUN_VOLUME
from api.sidecar_flags import EARLY_STOPPING, TERMINATION_LOG
from runner.pods.bind_mounts import BindMount, binds_of, unmentioned, with_run_dir, with_sources
from runner.pods.environment import environment_of, variables_of
from runner.pods.expansion import expand
from runner.pods.pod_spec import Container, Pod
from runner.pods.spawner_protocol import Launch
from webhook.pods.wrapping import LAUNCHER

COLLECTOR = ("python", "-m", "collector")
_END = "--"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a container gets from this machine."""

    python: str
    launcher: tuple[str, ...]
    """The command line of the launcher."""
    environ: Mapping[str, str]
    cwd: str
    """The working directory of a container without workingDir: that of the user's command."""
    no_mounts: str | None = None
    early_stopping: str = ""
    """The address of the service to which collectors report early stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The directories of one pod."""

    volumes: str
    """It has one directory for each emptyDir."""
    logs: str
    """It has one file for each container."""
    termination_messages: str
    """It has one file for each container."""
    staging: str


def container_launch(
    container: Container, pod: Pod, machine: Machine, folders: Folders, name: str
) -> Launch:
    """Return how to start a container; `name` must be unique for each start.

    Raises:
        UserError: the container cannot start.
    """
    run_dir = f"{folders.volumes}/{RUN_VOLUME}"
    variables = _with_own_file(variables_of(container, pod), run_dir)
    words = tuple(expand(word, variables) for word in (*container.command, *container.args))
    if not words:
        raise UserError(
            f"container {container.name} has no command: its image has it, but trials run here"
            " without their image; set `command`"
        )
    launch = Launch(
        id=name,
        argv=words,
        env=environment_of(variables, machine.environ),
        cwd=container.working_dir or machine.cwd,
        log=f"{folders.logs}/{container.name}.log",
        binds=binds_of(container, pod, folders.volumes),
        staging=folders.staging,
        affinity=container.affinity,
    )
    if words[:2] == (LAUNCHER, "run"):
        launch = _launched(launch, machine, run_dir)
    elif container.name == COLLECTOR_CONTAINER and words[-3:] != words:
        launch = _collecting(
            launch, machine, run_dir, f"{folders.termination_messages}/{container.name}"
        )
    if machine.no_mounts is not None and launch.binds:
        launch = _without_mounts(launch, container, variables, machine)
    return launch


def _with_own_file(variables: Mapping[str, str], run_dir: str) -> Mapping[str, str]:
    """Replace the run directory in the variable that names the file for pushed metrics."""
    if METRICS_FILE_ENV not in variables:
        return variables
    (path,) = with_run_dir((variables[METRICS_FILE_ENV],), run_dir)
    return {**variables, METRICS_FILE_ENV: path}


def _launched(launch: Launch, machine: Machine, run_dir: str) -> Launch:
    """Replace the launcher of the image by the launcher of this machine."""
    end = launch.argv.index(_END) + 1
    flags, command = with_run_dir(launch.argv[1:end], run_dir), launch.argv[end:]
    return replace(
        launch,
        argv=(*machine.launcher, *flags, *command),
        program=command[0] if command else "",
    )


def _collecting(launch: Launch, machine: Machine, run_dir: str, words: str) -> Launch:
    """Use the collector that is already loaded, without the image's supervisor."""
    begin = next(
        (i + 3 for i in range(len(launch.argv)) if launch.argv[i : i + 3] == COLLECTOR), None
    )
    if begin is None:
        return launch
    flags = list(with_run_dir(launch.argv[begin:], run_dir))
    if EARLY_STOPPING.name in flags and machine.early_stopping:
        flags[flags.index(EARLY_STOPPING.name) + 1] = machine.early_stopping
    flags.append(f"{TERMINATION_LOG.name}={words}")
    return replace(
        launch,
        argv=("collector", *flags),
        cwd=machine.cwd,
        program=machine.python,
        collector=True,
    )


def _without_mounts(
    launch: Launch, container: Container, variables: Mapping[str, str], machine: Machine
) -> Launch:
    texts: Sequence[str] = (*launch.argv, *variables.values())
    lost = unmentioned(texts, launch.binds)
    if lost and not launch.collector:
        raise UserError(_no_way(container, lost[0], machine))
    env = {name: with_sources((value,), launch.binds)[0] for name, value in variables.items()}
    return replace(
        launch,
        argv=with_sources(launch.argv, launch.binds),
        env={**launch.env, **env},
        binds=(),
    )


def _no_way(container: Container, bind: BindMount, machine: Machine) -> str:
    return (
        f"container {container.name} has a volume at {bind.target}: this machine cannot mount it"
        f" there ({machine.no_mounts}), and command, args and env do not contain the path, so it"
        " cannot be replaced by another path; allow user namespaces"
        " (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns), or pass"
        " the path as an argument"
    )
