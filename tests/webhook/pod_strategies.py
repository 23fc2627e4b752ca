"""Draws pods for property tests, as users, other webhooks and the API server make them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TRIAL_LABEL = "katib.kubeflow.org/trial"
TRIALS = ["mnist-1", "file-1", "json-1", "push-1", "custom-1", "stopping-1", "evolving-1"]

_words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
_argv = st.lists(_words | st.sampled_from(["--", "run", "$(X)", "$$", ""]), max_size=4)
_users = st.none() | st.sampled_from([0, 1, 1000])

_volumes = st.sampled_from(
    [
        {"name": "scratch", "emptyDir": {}},
        {"name": "metrics-volume", "emptyDir": {"medium": "Memory"}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": "c"}},
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "trialwatch", "emptyDir": {}},
    ]
)
_places = st.sampled_from(["/katib", "/katib/", "/data", "/data/run", "/", "/metrics", "/home"])


def _without_none(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


def _mounts(volumes: list[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    if not volumes:
        return st.just([])
    names = st.sampled_from([volume["name"] for volume in volumes])
    mount = st.fixed_dictionaries(
        {"name": names, "mountPath": _places}, optional={"subPath": st.just("a")}
    )
    return st.lists(mount, max_size=2, unique_by=lambda one: one["mountPath"].rstrip("/"))


@st.composite
def containers(draw: st.DrawFn, name: str, volumes: list[dict[str, Any]]) -> dict[str, Any]:
    user = draw(_users)
    return _without_none(
        {
            "name": name,
            "image": "example/mnist:1",
            "command": draw(st.none() | _argv),
            "args": draw(st.none() | _argv),
            "env": draw(st.sampled_from([None, [], [{"name": "PYTHONUNBUFFERED", "value": "0"}]])),
            "volumeMounts": draw(st.none() | _mounts(volumes)),
            "securityContext": None if user is None else {"runAsUser": user},
            "resources": draw(
                st.sampled_from(
                    [
                        None,
                        {"limits": {"cpu": "1", "memory": "1Gi"}},
                        {"limits": {"cpu": 2}, "requests": {"cpu": "100m"}},
                    ]
                )
            ),
        }
    )


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a pod of one of the trials in goldens/cluster.yaml."""
    volumes = draw(st.lists(_volumes, max_size=3, unique_by=lambda one: str(one["name"])))
    helpers = draw(st.lists(containers("helper", volumes), max_size=1))
    trainer = draw(containers("training", volumes))
    meshes = st.sampled_from(
        [{"name": "istio", "image": "i", "restartPolicy": "Always"}, {"name": "init", "image": "i"}]
    )
    inits = draw(st.lists(meshes, max_size=2, unique_by=lambda one: one["name"]))
    metadata: dict[str, Any] = {"generateName": "p-"}
    metadata["labels"] = {TRIAL_LABEL: draw(st.sampled_from(TRIALS)), "a": "b"}
    annotations = st.sampled_from([{}, {"x": "y"}, {"trialwatch.dev/wrap": "false"}, None])
    metadata |= _without_none({"annotations": draw(annotations)})
    spec = {
        "containers": draw(st.permutations([trainer, *helpers])),
        "initContainers": inits or None,
        "volumes": volumes or None,
        "terminationGracePeriodSeconds": draw(st.none() | st.integers(0, 3600)),
        "activeDeadlineSeconds": draw(st.none() | st.integers(1, 3600)),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _without_none(spec)}
