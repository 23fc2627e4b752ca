"""Explain the webhook's verdict on a pod in the cluster, and what to do about it.

POD is the name of a pod; job/NAME stands for the pod of a Job, even if the Job gets none. The
command runs the webhook's own code, with look-ups in the cluster and at the image's registry.
Exit status 0 if the pod is as it should be; 2 if it is refused, lacks its collector, or does not
exist; 1 if the cluster does not answer.
"""

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
from trialwatch.pod_templates import pods_in
from trialwatch.source_choice import add_cluster, usual_kubeconfig
from webhook.driver.cluster_lookups import ClusterLookups
from webhook.driver.decision_driver import DecisionDriver, VerdictOnPod
from webhook.explanation import PodInspection, explain
from webhook.model.config import Config, parse_config
from webhook.model.verdicts import PodContext
from webhook.registry.lookups import RegistryLookups, open_session

if TYPE_CHECKING:
    import argparse

EXAMPLES = """\
examples:
    trialwatch explain random-x7k2p-9xvzt -n kubeflow
    trialwatch explain job/random-x7k2p
"""
_SECONDS = 10.0
"""The API server's timeout for the webhook."""
_KINDS = {"pod": ("v1", "Pod"), "job": ("batch/v1", "Job")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("pod", metavar="POD", help="a pod's name, or job/NAME")
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        metavar="NAMESPACE",
        help="the pod's namespace (default: the one of the context)",
    )
    add_cluster(parser)
    parser.add_argument(
        "--core-namespace",
        default=os.environ.get(names.CORE_NAMESPACE_ENV) or names.CORE_NAMESPACE,
        metavar="NAMESPACE",
        help=f"the namespace of {names.CONFIG_MAP} (default %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation; return the exit status."""
    kubeconfig, context = arguments.kubeconfig or usual_kubeconfig(os.environ), arguments.context
    about = _ref(arguments.pod, arguments.namespace or _usual_namespace(kubeconfig, context))
    inspection = asyncio.run(_look(about, kubeconfig, context, arguments.core_namespace))
    explanation = explain(inspection)
    print(*explanation.lines, sep="\n")
    return 0 if explanation.healthy else 2


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
