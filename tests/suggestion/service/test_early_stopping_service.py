"""Katib's service `EarlyStopping`, over gRPC."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from api.names import NAMESPACE_METADATA
from api.types import Comparison, EarlyStoppingSpec, StopRule, Trial
from api.v1beta1 import api_pb2 as pb
from api.wire.experiments import early_stopping_to_wire, experiment_to_wire
from api.wire.trials import rule_from_wire, trial_to_wire
from tests.suggestion.controller_requests import experiment, settings, trial
from tests.suggestion.suggestion_server import Client, Rim, serving

LOGS = {"a": ["1", "1", "9"], "b": ["2", "2"], "c": ["900", "900"], "d": ["4", "4"]}
ENDED = [trial(name, loss="1") for name in "abc"]
STOP = EarlyStoppingSpec(name="medianstop", settings=settings({"start_step": "2"}))


async def rules(
    client: Client,
    trials: list[Trial],
    *,
    stop: EarlyStoppingSpec | None = STOP,
    manager: str = "db:6789",
    namespace: str = "",
) -> list[StopRule]:
    request = pb.GetEarlyStoppingRulesRequest(
        experiment=experiment_to_wire(experiment(early_stopping=stop)),
        trials=map(trial_to_wire, trials),
        db_manager_address=manager,
    )
    metadata = ((NAMESPACE_METADATA, namespace),) if namespace else ()
    reply = await client.stopping.GetEarlyStoppingRules(request, metadata=metadata)
    return [rule_from_wire(rule) for rule in reply.early_stopping_rules]


async def test_the_rule_is_the_median_of_the_trials_that_succeeded() -> None:
    others = [trial("x", condition="Running"), trial("y", condition="EarlyStopped", loss="1")]
    async with serving(Rim(LOGS)) as client:
        (rule,) = await rules(client, [*ENDED, *others])

    assert rule == StopRule(name="loss", value="2.0", comparison=Comparison.GREATER, start_step=2)


async def test_too_few_trials_make_no_rule() -> None:
    async with serving(Rim(LOGS)) as client:
        assert await rules(client, ENDED[:2]) == []


async def test_each_log_is_read_once() -> None:
    async with serving(Rim(LOGS)) as client:
        await rules(client, ENDED)
        (rule,) = await rules(client, [*ENDED, trial("d", loss="1")])

        assert client.rim.reads == ["a", "b", "c", "d"]
    assert rule.value == "3.0"


async def test_a_trial_without_values_is_ignored() -> None:
    async with serving(Rim({**LOGS, "c": ["nan"]})) as client:
        assert await rules(client, ENDED) == []


@pytest.mark.parametrize(
    ("stop", "manager", "code", "words"),
    [
        (STOP, "db", grpc.StatusCode.INVALID_ARGUMENT, 'db_manager_address: "db" is not an address'),
        (None, "db:1", grpc.StatusCode.INVALID_ARGUMENT, "spec.earlyStopping: Required"),
        (EarlyStoppingSpec(name="ashe"), "db:1", grpc.StatusCode.INVALID_ARGUMENT, "unknown algorithm name ashe"),
        (STOP, "db:1", grpc.StatusCode.ABORTED, "db:1 has no loss of a"),
    ],
)  # fmt: skip
async def test_a_wrong_request_is_refused_with_the_reason(
    stop: EarlyStoppingSpec | None, manager: str, code: grpc.StatusCode, words: str
) -> None:
    async with serving() as client:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await rules(client, ENDED, stop=stop, manager=manager)

    assert refused.value.code() is code
    assert words in str(refused.value.details())


async def test_a_trial_is_marked_before_the_reply() -> None:
    async with serving() as client:
        await client.stopping.SetTrialStatus(pb.SetTrialStatusRequest(trial_name="t-1"))

        assert client.rim.marked == ["t-1"]


async def test_the_callers_namespace_separates_trials_of_equal_names() -> None:
    logs = {f"{team}/{name}": [value] for team, value in (("x", "1"), ("y", "7")) for name in "abc"}
    stop = EarlyStoppingSpec(name="medianstop", settings=settings({"start_step": "1"}))
    async with serving(Rim(logs)) as client:
        found = [(await rules(client, ENDED, stop=stop, namespace=team))[0].value for team in "xyx"]
        for team in "xy":
            await client.stopping.SetTrialStatus(
                pb.SetTrialStatusRequest(trial_name="t-1"), metadata=((NAMESPACE_METADATA, team),)
            )

    assert found == ["1.0", "7.0", "1.0"]
    assert client.rim.marked == ["x/t-1", "y/t-1"]


async def test_a_namespace_that_is_not_a_kubernetes_name_is_refused() -> None:
    async with serving() as client:
        with pytest.raises(
            grpc.aio.AioRpcError, match=r"metadata .*is not a Kubernetes name"
        ) as refused:
            await client.stopping.SetTrialStatus(
                pb.SetTrialStatusRequest(trial_name="t-1"),
                metadata=((NAMESPACE_METADATA, "../kubeflow"),),
            )

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert client.rim.marked == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "trial_name: missing"),
        ("absent", "there is no trial default/absent"),
        ("a/b", 'trial_name: "a/b" is not a Kubernetes name'),
        ("..", 'trial_name: ".." is not a Kubernetes name'),
    ],
)
async def test_a_trial_that_cannot_be_marked_is_an_error(name: str, words: str) -> None:
    async with serving() as client:
        with pytest.raises(grpc.aio.AioRpcError, match=words) as refused:
            await client.stopping.SetTrialStatus(pb.SetTrialStatusRequest(trial_name=name))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_settings_are_validated() -> None:
    def request(**values: str) -> pb.ValidateEarlyStoppingSettingsRequest:
        spec = EarlyStoppingSpec(name="medianstop", settings=settings(values))
        return pb.ValidateEarlyStoppingSettingsRequest(early_stopping=early_stopping_to_wire(spec))

    async with serving() as client:
        right = request(min_trials_required="2", start_step="5")
        await client.stopping.ValidateEarlyStoppingSettings(right)
        with pytest.raises(grpc.aio.AioRpcError, match="must be greater than zero") as refused:
            await client.stopping.ValidateEarlyStoppingSettings(request(min_trials_required="0"))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_rules_that_the_controller_judges_are_for_its_own_calls_alone() -> None:
    spec = early_stopping_to_wire(EarlyStoppingSpec(name="asha"))
    request = pb.ValidateEarlyStoppingSettingsRequest(early_stopping=spec)

    async with serving() as client:
        await client.stopping.ValidateEarlyStoppingSettings(
            request, metadata=((NAMESPACE_METADATA, "team"),)
        )
        with pytest.raises(grpc.aio.AioRpcError, match="and Katib's does not; write medianstop"):
            await client.stopping.ValidateEarlyStoppingSettings(request)


async def test_rules_that_the_controller_judges_give_a_new_trial_no_rule() -> None:
    async with serving() as client:
        assert await rules(client, ENDED, stop=EarlyStoppingSpec(name="asha")) == []
