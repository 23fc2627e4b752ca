"""What a pod gets so that its containers can push metrics, or have them scraped."""

from __future__ import annotations

from collections.abc import Iterator

from api import names
from api.errors import UserError
from api.faults import quoted
from api.objects.defaults import SCRAPE_PATH, SCRAPE_PORT
from api.prometheus_names import sample_selector
from api.types import CollectorKind, HttpGet, JsonObject
from webhook.model.images import literal
from webhook.model.reasons import Reason
from webhook.model.verdicts import PodRefused
from webhook.pods.injection_request import InjectionRequest
from webhook.pods.mlflow import mlflow_variables

_PATH = "/push"
_MOST_PORT = 65535


def push_variables(request: InjectionRequest) -> Iterator[JsonObject]:
    """Yield the variables of a container that may push, besides the trial's name."""
    if not request.settings.push:
        return
    yield from trial_variables(request)
    yield _variable(names.METRICS_URL_ENV, f"http://{request.push_address}{_PATH}")
    if request.settings.mlflow:
        yield from mlflow_variables(request.trainer, request.push_address)
    if request.collection.kind is CollectorKind.PUSH:
        yield _variable(names.METRICS_FILE_ENV, request.path)


def trial_variables(request: InjectionRequest) -> Iterator[JsonObject]:
    """Yield the variables that say which trial this is, besides its name."""
    labels = request.collection.labels
    yield _variable(names.EXPERIMENT_NAME_ENV, labels.get(names.EXPERIMENT_LABEL, ""))
    yield {
        "name": names.TRIAL_NAMESPACE_ENV,
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
    }


def custom_variables(request: InjectionRequest) -> Iterator[JsonObject]:
    """Yield the variables of a Custom collector: all that it needs to collect and to report."""
    yield _variable(names.TRIAL_NAME_ENV, request.collection.trial)
    yield from push_variables(request) if request.settings.push else trial_variables(request)
    yield _variable(names.METRICS_ENV, ";".join(request.collection.metrics))
    yield _variable(names.STORE_ENV, request.config.db_manager)


def _variable(name: str, value: str) -> JsonObject:
    return {"name": name, "value": literal(value)}


def check_push(request: InjectionRequest) -> None:
    """Refuse a pod in which the addresses of sidecar and trainer are not the pod's own.

    Raises:
        PodRefused: the pod has the network of its node, or a metric's name cannot be scraped.
    """
    if request.settings.push and request.pod.host_network:
        why = (
            f"{names.PUSH_ANNOTATION} is true, but the pod has hostNetwork: its 127.0.0.1 is the"
            " node's, and other pods could push; delete one of the two"
        )
        raise PodRefused(Reason.ANNOTATION_WRONG, why)
    if request.collection.kind is CollectorKind.PROMETHEUS_METRIC:
        if request.pod.host_network:
            why = (
                f"the kind is {request.collection.kind}, but the pod has hostNetwork: its 127.0.0.1"
                " is the node's, and another pod could answer the scrapes; delete hostNetwork, or"
                " use another kind"
            )
            raise PodRefused(Reason.FLAGS_WRONG, why)
        _check_names(request)


def _check_names(request: InjectionRequest) -> None:
    try:
        for metric in request.collection.metrics:
            sample_selector(metric)
    except UserError as error:
        raise PodRefused(Reason.NO_METRICS, str(error)) from None


def scraped_address(request: InjectionRequest) -> str:
    """Return the address that the sidecar scrapes; "" for other kinds.

    Raises:
        PodRefused: the endpoint is not one of the pod.
    """
    if request.collection.kind is not CollectorKind.PROMETHEUS_METRIC:
        return ""
    http_get = request.collection.http_get or HttpGet()
    port = str(http_get.port or SCRAPE_PORT)
    path = http_get.path or SCRAPE_PATH
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= _MOST_PORT):
        raise _wrong(f"port is {quoted(port)}; write a number from 1 to {_MOST_PORT}")
    if not path.startswith("/") or not path.isascii() or any(c.isspace() for c in path):
        raise _wrong(f"path is {quoted(path)}; write an absolute path without blanks")
    if http_get.scheme.upper() not in ("", "HTTP") or http_get.headers:
        raise _wrong("scheme or httpHeaders is set; the sidecar sends a plain GET: delete them")
    return f"http://127.0.0.1:{port}{path}"


def _wrong(why: str) -> PodRefused:
    return PodRefused(Reason.FLAGS_WRONG, f"source.httpGet: {why}")
