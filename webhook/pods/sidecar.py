"""The collector's container."""

from __future__ import annotations

from datetime import timedelta

from api import names
from api.errors import UserError
from api.sidecar import CollectorArgs, Source
from api.types import Json, JsonObject, LogFormat
from webhook.model.config import CollectorConfig
from webhook.model.images import literal
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.qos import guaranteed
from webhook.pods.resources import resources_for
from webhook.pods.wrapping import LAUNCHER

# Of the image: Dockerfile.collector.
_PROGRAM = "/usr/local/bin/launch"
_COMMAND = (_PROGRAM, "supervise", "--", "python", "-m", "collector")
_NOTED = f"{names.RUN_DIR}/{names.ATTEMPT_FILE}"
RUN_MOUNT: JsonObject = {"name": names.RUN_VOLUME, "mountPath": names.RUN_DIR}


def sidecar(
    request: InjectionRequest,
    collector: CollectorConfig,
    *,
    wrapped: bool,
    mounts: tuple[JsonObject, ...],
) -> JsonObject:
    """Return the collector's container, which mounts the run volume and `mounts`.

    Raises:
        Refused: no command line can say what is wanted, or the resources make no sense.
    """
    parts: dict[str, Json] = {
        "name": names.COLLECTOR_CONTAINER,
        "image": collector.image,
        "imagePullPolicy": collector.pull_policy.value,
        "command": list(_COMMAND),
        # The kubelet expands variables in them, and a regex may well look like one.
        "args": [literal(word) for word in _flags(request, collector, wrapped=wrapped)],
    }
    if request.native:
        parts["restartPolicy"] = "Always"
    # The kubelet starts the trainer when this is done: the launcher is in its place, or, without
    # one, the collector has seen where the file ends.
    hook = ["install", LAUNCHER] if wrapped else ["await", _NOTED]
    parts["lifecycle"] = {"postStart": {"exec": {"command": [_PROGRAM, *hook]}}}
    return {
        **parts,
        "resources": _resources(request, collector),
        "securityContext": _security(request),
        "volumeMounts": [RUN_MOUNT, *mounts],
    }


def _flags(
    request: InjectionRequest, collector: CollectorConfig, *, wrapped: bool
) -> tuple[str, ...]:
    wanted = request.collection
    try:
        return CollectorArgs(
            trial=wanted.trial,
            metrics=wanted.metrics,
            objective_type=wanted.objective_type,
            db_manager=request.config.db_manager,
            path=wanted.path if request.file else "",
            filters=wanted.filters,
            format=wanted.format or LogFormat.TEXT,
            wait_all=collector.wait_all,
            stop_rules=wanted.stop_rules,
            early_stopping=wanted.early_stopping,
            run_dir=names.RUN_DIR,
            source=Source.FILE if request.file else Source.STDOUT,
            native=request.native,
            unwrapped=not wrapped,
            echo=request.config.echo,
            namespace=request.context.namespace,
            drain=timedelta(seconds=request.drain),
        ).to_argv()
    except UserError as error:
        raise PodRefused(Reason.FLAGS_WRONG, str(error)) from None


def _resources(request: InjectionRequest, collector: CollectorConfig) -> JsonObject:
    chosen = request.settings.resources
    if request.pod.pod_level_resources and chosen is None:
        return {}  # The pod has its resources as a whole, and ours might exceed them.
    wanted = collector.resources if chosen is None else collector.resources.overlaid(chosen)
    try:
        return resources_for(wanted, guaranteed=guaranteed(request.pod))
    except UserError as error:
        raise PodRefused(Reason.RESOURCES_WRONG, str(error)) from None


def _security(request: InjectionRequest) -> JsonObject:
    """Return what Pod Security's level `restricted` asks of a container, and a user.

    | annotation | trainer's user | its pod's | katib-config | the sidecar's user |
    |---|---|---|---|---|
    | any number | | | | that, root included |
    | | any but root | | | that: it may read the trainer's private files |
    | | none | any but root | | that |
    | | else | | a number | that |
    | | | | null | not said: the platform assigns one, or the image's counts |
    """
    own = request.trainer.security_context
    if request.config.inject_security_context and own:
        return own
    user = request.settings.run_as_user
    if user is None:
        trainers = request.pod.user if request.trainer.user is None else request.trainer.user
        user = trainers or request.config.run_as_user
    context: dict[str, Json] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": user != 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return context if user is None else {**context, "runAsUser": user}
