"""Properties of every pod, as users, other webhooks and the API server make them."""

from __future__ import annotations

import copy
import re
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from jsonpath import patch as rfc6902

from tests.webhook.golden_cluster import shared_cluster
from tests.webhook.pod_strategies import pods
from webhook.model.config import Config, SidecarMode
from webhook.model.images import ImageCommand
from webhook.model.plan import Plan
from webhook.model.verdicts import Inject
from webhook.pods.mutate import mutate
from webhook.server.json_patch import patch_between

Pod = dict[str, Any]

OURS = "metrics-logger-and-collector"
IMAGE = ImageCommand(entrypoint=("/entry", "$(X) $$"), cmd=("$HOME",))
images = st.sampled_from([None, IMAGE])
configs = st.sampled_from([Config(), Config(sidecar=SidecarMode.CONTAINER, run_as_user=None)])


def mutated(pod: Pod, image: ImageCommand | None, config: Config) -> tuple[Pod, Plan] | None:
    verdict = shared_cluster(image).judge(pod, config)
    if not isinstance(verdict, Inject):
        return None
    return cast("Pod", mutate(pod, verdict.plan)), verdict.plan


def named(pod: Pod, name: str) -> Pod:
    found: list[Pod] = [one for one in pod["spec"]["containers"] if one["name"] == name]
    return found[0]


def expanded(word: str) -> str:
    """Expand a word as the kubelet does if no variable is set."""
    return re.sub(r"\$\$", "$", word)


@given(pods(), images, configs)
def test_the_given_pod_is_not_changed(pod: Pod, image: ImageCommand | None, config: Config) -> None:
    before = copy.deepcopy(pod)

    mutated(pod, image, config)

    assert pod == before


@given(pods(), images, configs)
def test_a_second_mutation_changes_nothing(
    pod: Pod, image: ImageCommand | None, config: Config
) -> None:
    result = mutated(pod, image, config)
    if result is None:
        return
    once, plan = result

    assert mutate(once, plan) == once
    again = mutated(once, image, config)
    assert again is not None
    assert again[0] == once


@given(pods(), images, configs, st.data())
def test_other_injectors_may_come_in_between(
    pod: Pod, image: ImageCommand | None, config: Config, data: st.DataObject
) -> None:
    """The webhook, others, the webhook again: each part is there once, in its position."""
    result = mutated(pod, image, config)
    if result is None:
        return
    between = injected_by_others(result[0], data)

    last = mutated(between, image, config)

    assert last is not None
    assert mutated(last[0], image, config) == last
    for item in [*between["spec"]["containers"], *between["spec"].get("initContainers", [])]:
        everywhere = last[0]["spec"]["containers"] + last[0]["spec"].get("initContainers", [])
        assert [one["name"] for one in everywhere].count(item["name"]) == 1
    inits = last[0]["spec"].get("initContainers", [])
    if last[1].collector and last[1].collector["name"] == OURS and OURS in str(inits):
        assert inits[-1]["name"] == OURS


def injected_by_others(pod: Pod, data: st.DataObject) -> Pod:
    """Change a pod as meshes, vaults and the API server's plugins do."""
    pod = copy.deepcopy(pod)
    proxy = {"name": "proxy", "image": "p"}
    token = {"name": "token", "mountPath": "/var/run/token"}
    spec = pod["spec"]
    if data.draw(st.booleans()):
        spec["containers"].insert(data.draw(st.integers(0, len(spec["containers"]))), proxy)
    if data.draw(st.booleans()):
        inits = spec.setdefault("initContainers", [])
        native = {"name": "mesh", "image": "m", "restartPolicy": "Always"}
        inits.insert(data.draw(st.integers(0, len(inits))), native)
    if data.draw(st.booleans()):
        spec.setdefault("volumes", []).insert(0, {"name": "token", "projected": {}})
        for one in [*spec["containers"], *spec.get("initContainers", [])]:
            one.setdefault("volumeMounts", []).append(token)
            one.setdefault("terminationMessagePath", "/dev/termination-log")
    return pod


@given(pods(), images, configs)
def test_the_trainers_own_argv_ends_the_new_one(
    pod: Pod, image: ImageCommand | None, config: Config
) -> None:
    result = mutated(pod, image, config)
    if result is None:
        return
    before, after = named(pod, "training"), named(result[0], "training")

    assert after.get("args") == before.get("args")
    command = before.get("command") or []
    assert after.get("command", [])[len(after.get("command", [])) - len(command) :] == command
    if not result[1].wrapper:
        assert after.get("command", []) == command
    elif not command:
        own = IMAGE.entrypoint if before.get("args") else (*IMAGE.entrypoint, *IMAGE.cmd)
        words = after["command"][after["command"].index("--") + 1 :]
        assert tuple(expanded(word) for word in words) == own


@given(pods(), images, configs)
def test_the_patch_makes_the_mutated_pod_of_the_one_that_was_sent(
    pod: Pod, image: ImageCommand | None, config: Config
) -> None:
    result = mutated(pod, image, config)
    if result is None:
        return

    assert rfc6902.apply(patch_between(pod, result[0]), copy.deepcopy(pod)) == result[0]


@given(pods(), images, configs)
def test_everything_in_the_given_pod_is_still_in_the_changed_pod(
    pod: Pod, image: ImageCommand | None, config: Config
) -> None:
    result = mutated(pod, image, config)
    if result is None:
        return
    before, after = pod["spec"], result[0]["spec"]

    for field in ("containers", "initContainers"):
        ours = (OURS, "my-collector", "training")
        others = [one for one in after.get(field, []) if one["name"] not in ours]
        assert others == [one for one in before.get(field, []) if one["name"] not in ours]
    assert after.get("volumes", [])[: len(before.get("volumes", []))] == before.get("volumes", [])
    trainer = named(before_after := result[0], "training")
    assert before_after["metadata"]["labels"]["a"] == "b"
    mounts = named(pod, "training").get("volumeMounts", [])
    assert trainer.get("volumeMounts", [])[: len(mounts)] == mounts
    paths = [mount["mountPath"].rstrip("/") for mount in trainer.get("volumeMounts", [])]
    assert len(set(paths)) == len(paths), "the API server refuses two volumes at one place"
    known = {volume["name"] for volume in after.get("volumes", [])}
    for one in after["containers"] + after.get("initContainers", []):
        assert {mount["name"] for mount in one.get("volumeMounts", [])} <= known
