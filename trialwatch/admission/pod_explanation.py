"""The webhook's explanation of a pod in a cluster. It needs the extra `cluster`."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api import names
from api.errors import UserError
from api.types import JsonObject
from kube.cluster import Cluster, Ref, uid_of
from kube.connect import connected, context_of, own_namespace
from kube.errors import Forbidden, NotFound
from kube.settings_source import text_of
from trialwatch.admission.pod_templates import pods_in
from trialwatch.sources.source_choice import usual_kubeconfig
from webhook.driver.cluster_lookups import ClusterLookups
from webhook.driver.decision_driver import DecisionDriver, VerdictOnPod
from webhook.explanation import Explanation, PodInspection, explain
from webhook.model.config import Config, parse_config
from webhook.model.verdicts import PodContext
from webhook.registry.lookups import RegistryLookups, open_session

if TYPE_CHECKING:
    import argparse

_SECONDS = 10.0
"""The API server's timeout for the webhook."""
_KINDS = {"pod": ("v1", "Pod"), "job": ("batch/v1", "Job")}


def explanation_of(arguments: argparse.Namespace) -> Explanation:
    """Look at the pod that the arguments of `trialwatch explain` name.

    Raises:
        TrialwatchError: the pod does not exist, or the cluster cannot be accessed.
    """
    kubeconfig, context = arguments.kubeconfig or usual_kubeconfig(os.environ), arguments.context
    about = _ref(arguments.pod, arguments.namespace or _usual_namespace(kubeconfig, context))
    return explain(asyncio.run(_look(about, kubeconfig, context, arguments.core_namespace)))


def _ref(text: str, namespace: str) -> Ref:
    kind, slash, name = text.partition("/")
    if not slash:
        kind, name = "pod", text
    if kind.lower() not in _KINDS or not name:
        raise UserError(f"{text!r} is not a pod; write a pod's name, or job/NAME")
    api_version, kind = _KINDS[kind.lower()]
    return Ref(api_version=api_version, kind=kind, namespace=namespace, name=name)


def _usual_namespace(kubeconfig: Path | None, context: str) -> str:
    return context_of(kubeconfig, context).namespace if kubeconfig else own_namespace()


async def _look(
    about: Ref, kubeconfig: Path | None, context: str, core_namespace: str
) -> PodInspection:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(connected(kubeconfig, context))
        session = await stack.enter_async_context(open_session())
        images = await stack.enter_async_context(RegistryLookups(session, cluster))
        pod = _pod_of(await cluster.get(about), about)
        driver = DecisionDriver(ClusterLookups(cluster, counted=lambda *_: None), images)
        facts = PodContext(namespace=about.namespace, name=about.name)
        deadline = asyncio.get_running_loop().time() + _SECONDS
        config = await _config(cluster, core_namespace)
        verdict = await driver.decide(pod, facts, config, deadline)
        return await _inspect(cluster, pod, about, verdict)


def _pod_of(document: JsonObject, about: Ref) -> JsonObject:
    """Return the pod itself, or the pod that the job would create."""
    if about.kind == "Pod":
        return document
    template: Any = next((pod for _, pod in pods_in(document)), None)
    if template is None:
        raise UserError(f"{about} has no pod template")
    owner = {
        "apiVersion": about.api_version,
        "kind": about.kind,
        "name": about.name,
        "uid": uid_of(document),
        "controller": True,
    }
    metadata = {**(template.get("metadata") or {}), "ownerReferences": [owner]}
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}


async def _config(cluster: Cluster, namespace: str) -> Config:
    """Read the settings in use; the defaults if there are none or access is forbidden."""
    wanted = Ref(api_version="v1", kind="ConfigMap", namespace=namespace, name=names.CONFIG_MAP)
    try:
        return parse_config(text_of(await cluster.get(wanted)))
    except (NotFound, Forbidden):
        return Config()


async def _inspect(
    cluster: Cluster, pod: JsonObject, about: Ref, verdict: VerdictOnPod
) -> PodInspection:
    """Collect what is known, and the webhook's registration if access to it is allowed."""
    namespace = Ref(api_version="v1", kind="Namespace", name=about.namespace)
    registered = Ref(
        api_version="admissionregistration.k8s.io/v1",
        kind="MutatingWebhookConfiguration",
        name=names.OWN_WEBHOOK,
    )
    inspection = PodInspection(pod=pod, about=about, decided=verdict)
    try:
        inspection = replace(inspection, namespace=await cluster.get(namespace))
        return replace(inspection, configuration=await cluster.get(registered))
    except NotFound:
        return inspection
    except Forbidden as error:
        return replace(inspection, unread=str(error))
