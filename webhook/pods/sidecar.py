"""The collector's container."""

from __future__ import annotations

from datetime import timedelta
from posixpath import dirname, normpath

from api import names
from api.errors import UserError
from api.sidecar import CollectorArgs, MetricsSource
from api.types import Json, JsonObject, LogFormat
from webhook.model.config import CollectorConfig
from webhook.model.images import literal
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.pushing import scraped_address
from webhook.pods.qos import guaranteed
from webhook.pods.resources import resources_for
from webhook.pods.token import token_files
from webhook.pods.wrapping import LAUNCHER

# Where Dockerfile.collector puts the launcher.
_PROGRAM = "/usr/local/bin/launch"
_COMMAND = (_PROGRAM, "supervise", "--", "python", "-m", "collector")
_ISTIO_PROXY = "istio-proxy"
_NOTED = f"{names.RUN_DIR}/{names.ATTEMPT_FILE}"
_LISTENS = f"{names.RUN_DIR}/{names.PUSH_SOCKET}"
RUN_MOUNT: JsonObject = {"name": names.RUN_VOLUME, "mountPath": names.RUN_DIR}
_STATE_MOUNT: JsonObject = {"name": names.STATE_VOLUME, "mountPath": names.STATE_DIR}


def sidecar(
    request: InjectionRequest,
    collector: CollectorConfig,
    *,
    wrapped: bool,
    mounts: tuple[JsonObject, ...],
    token_mounts: tuple[JsonObject, ...],
) -> JsonObject:
    """Return the collector's container, which mounts the run and state volumes too.

    Args:
        request: for which pod.
        collector: the settings of its kind.
        wrapped: whether the launcher runs the trainer.
        mounts: of the metrics file.
        token_mounts: of the sidecar's token.

    Raises:
        PodRefused: a setting cannot be written as a flag, or the resources are not valid.
    """
    parts: dict[str, Json] = {
        "name": names.COLLECTOR_CONTAINER,
        "image": collector.image,
        "imagePullPolicy": collector.pull_policy.value,
        "command": list(_COMMAND),
        # The kubelet expands `$(VAR)` in args, and a regex may look like that.
        "args": [literal(word) for word in _flags(request, collector, mounts, wrapped=wrapped)],
    }
    if request.native:
        parts["restartPolicy"] = "Always"
    # The kubelet starts the trainer after this hook. The hook installs the launcher, or, without
    # a launcher, waits until the collector has noted where the metrics file ends. Where metrics may
    # be pushed, it also waits until the collector listens, which it does after that.
    awaited = [_LISTENS] if request.push_address else []
    hook = ["install", LAUNCHER, *awaited] if wrapped else ["await", *(awaited or [_NOTED])]
    parts["lifecycle"] = {"postStart": {"exec": {"command": [_PROGRAM, *hook]}}}
    return {
        **parts,
        "resources": _resources(request, collector),
        "securityContext": _security(request),
        "volumeMounts": [RUN_MOUNT, _STATE_MOUNT, *mounts, *token_mounts],
    }


def _flags(
    request: InjectionRequest,
    collector: CollectorConfig,
    mounts: tuple[JsonObject, ...],
    *,
    wrapped: bool,
) -> tuple[str, ...]:
    collection, tokens = request.collection, token_files(request)
    try:
        return CollectorArgs(
            trial=collection.trial,
            metrics=collection.metrics,
            objective_type=collection.objective_type,
            db_manager=request.config.db_manager,
            path=request.path,
            # An event file has a format of its own.
            filters=collection.filters if request.reads_text else (),
            format=_format(request),
            wait_all=collector.wait_all,
            stop_rules=collection.stop_rules,
            early_stopping=collection.early_stopping.address if collection.early_stopping else "",
            run_dir=names.RUN_DIR,
            state_dir=names.STATE_DIR,
            volume=_volume(request, mounts),
            source=_source(request),
            native=request.native,
            unwrapped=not wrapped,
            one_pod=collection.one_pod,
            echo=request.config.echo,
            steps=request.settings.steps,
            reduce=request.reduction.text if request.reduction else "",
            log_level=request.config.log_level,
            namespace=request.context.namespace,
            push=request.push_address,
            scrape=scraped_address(request),
            scrape_interval=timedelta(seconds=request.settings.scrape_seconds),
            quit_istio=_keeps_pod_running(request),
            mlflow=request.settings.mlflow,
            drain=timedelta(seconds=request.drain),
            grace=timedelta(seconds=request.pod.grace),
            db_manager_ca=tokens.db_manager_ca,
            db_manager_token=tokens.db_manager_token,
            early_stopping_ca=tokens.early_stopping_ca,
            early_stopping_token=tokens.early_stopping_token,
        ).to_argv()
    except UserError as error:
        raise PodRefused(Reason.FLAGS_WRONG, str(error)) from None


def _keeps_pod_running(request: InjectionRequest) -> bool:
    """Return whether Istio's classic proxy is the only other container beside the trainer.

    Further containers may still need the network when the training has ended.
    """
    own = {request.trainer.name, names.COLLECTOR_CONTAINER}
    return {container.name for container in request.pod.containers} - own == {_ISTIO_PROXY}


def _format(request: InjectionRequest) -> LogFormat | None:
    if request.events:
        return None
    return (request.collection.format if request.reads_text else None) or LogFormat.TEXT


def _source(request: InjectionRequest) -> MetricsSource:
    if request.events:
        return MetricsSource.EVENTS
    return MetricsSource.FILE if request.path else MetricsSource.STDOUT


def _volume(request: InjectionRequest, mounts: tuple[JsonObject, ...]) -> str:
    """Return where the volume is mounted, unless at the directory of the metrics file or files."""
    places = ["/" + normpath(str(mount["mountPath"])).lstrip("/") for mount in mounts]
    path = request.path
    directory = "/" + normpath(path if request.events else dirname(path)).lstrip("/")
    return next((place for place in places if place != directory), "")


def _resources(request: InjectionRequest, collector: CollectorConfig) -> JsonObject:
    chosen = request.settings.resources
    if request.pod.pod_level_resources and chosen is None:
        return {}  # The pod has resources as a whole; the sidecar's own might exceed them.
    wanted = collector.resources if chosen is None else collector.resources.overlaid(chosen)
    try:
        return resources_for(wanted, guaranteed=guaranteed(request.pod))
    except UserError as error:
        raise PodRefused(Reason.RESOURCES_WRONG, str(error)) from None


def _security(request: InjectionRequest) -> JsonObject:
    """Return a security context for Pod Security's level `restricted`, with a user.

    | annotation | trainer's user | pod's user | katib-config | the sidecar's user |
    |---|---|---|---|---|
    | a number | | | | the annotation's, even root |
    | none | not root | | | the trainer's: it can read the trainer's private files |
    | none | none | not root | | the pod's |
    | none | otherwise | | a number | katib-config's |
    | none | otherwise | | null | not set: the platform assigns one, or the image's counts |
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
