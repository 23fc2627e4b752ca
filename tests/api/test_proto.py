"""The wire, byte by byte: what Katib's programs send and take, written down without protobuf."""

from __future__ import annotations

import re
import struct

import pytest
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto

from api.trialwatchv1 import observations_pb2
from api.v1beta1 import api_pb2 as pb

FILE = pb.DESCRIPTOR
F = FieldDescriptor
SCALARS = {
    F.TYPE_STRING: "string",
    F.TYPE_INT32: "int32",
    F.TYPE_INT64: "int64",
    F.TYPE_DOUBLE: "double",
}

# Katib's messages: number, name, type; `*` is repeated, `map` a map of texts, `-` nothing at all.
# Only `step` is not Katib's, and has a number that Katib never uses.
MESSAGES = """
Experiment: 1 name string; 2 spec ExperimentSpec
ExperimentSpec: 1 parameter_specs ExperimentSpec.ParameterSpecs; 2 objective ObjectiveSpec;\
 3 algorithm AlgorithmSpec; 4 early_stopping EarlyStoppingSpec; 5 parallel_trial_count int32;\
 6 max_trial_count int32; 7 nas_config NasConfig
ExperimentSpec.ParameterSpecs: 1 parameters *ParameterSpec
ParameterSpec: 1 name string; 2 parameter_type ParameterType; 3 feasible_space FeasibleSpace
FeasibleSpace: 1 max string; 2 min string; 3 list *string; 4 step string;\
 5 distribution Distribution
ObjectiveSpec: 1 type ObjectiveType; 2 goal double; 3 objective_metric_name string;\
 4 additional_metric_names *string
AlgorithmSpec: 1 algorithm_name string; 2 algorithm_settings *AlgorithmSetting
AlgorithmSetting: 1 name string; 2 value string
EarlyStoppingSpec: 1 algorithm_name string; 2 algorithm_settings *EarlyStoppingSetting
EarlyStoppingSetting: 1 name string; 2 value string
NasConfig: 1 graph_config GraphConfig; 2 operations NasConfig.Operations
NasConfig.Operations: 1 operation *Operation
GraphConfig: 1 num_layers int32; 2 input_sizes *int32; 3 output_sizes *int32
Operation: 1 operation_type string; 2 parameter_specs Operation.ParameterSpecs
Operation.ParameterSpecs: 1 parameters *ParameterSpec
Trial: 1 name string; 2 spec TrialSpec; 3 status TrialStatus
TrialSpec: 2 objective ObjectiveSpec; 3 parameter_assignments TrialSpec.ParameterAssignments;\
 4 labels map
TrialSpec.ParameterAssignments: 1 assignments *ParameterAssignment
ParameterAssignment: 1 name string; 2 value string
TrialStatus: 1 start_time string; 2 completion_time string;\
 3 condition TrialStatus.TrialConditionType; 4 observation Observation
Observation: 1 metrics *Metric
Metric: 1 name string; 2 value string
ReportObservationLogRequest: 1 trial_name string; 2 observation_log ObservationLog
ReportObservationLogReply: -
ObservationLog: 1 metric_logs *MetricLog
MetricLog: 1 time_stamp string; 2 metric Metric; 1001 step int64
GetObservationLogRequest: 1 trial_name string; 2 metric_name string; 3 start_time string;\
 4 end_time string
GetObservationLogReply: 1 observation_log ObservationLog
DeleteObservationLogRequest: 1 trial_name string
DeleteObservationLogReply: -
GetSuggestionsRequest: 1 experiment Experiment; 2 trials *Trial; 4 current_request_number int32;\
 5 total_request_number int32
GetSuggestionsReply: 1 parameter_assignments *GetSuggestionsReply.ParameterAssignments;\
 2 algorithm AlgorithmSpec; 3 early_stopping_rules *EarlyStoppingRule
GetSuggestionsReply.ParameterAssignments: 1 assignments *ParameterAssignment;\
 2 trial_name string; 3 labels map
ValidateAlgorithmSettingsRequest: 1 experiment Experiment
ValidateAlgorithmSettingsReply: -
GetEarlyStoppingRulesRequest: 1 experiment Experiment; 2 trials *Trial;\
 3 db_manager_address string
GetEarlyStoppingRulesReply: 1 early_stopping_rules *EarlyStoppingRule
EarlyStoppingRule: 1 name string; 2 value string; 3 comparison ComparisonType; 4 start_step int32
ValidateEarlyStoppingSettingsRequest: 1 early_stopping EarlyStoppingSpec
ValidateEarlyStoppingSettingsReply: -
SetTrialStatusRequest: 1 trial_name string
SetTrialStatusReply: -
"""
ENUMS = """
ParameterType: UNKNOWN_TYPE 0, DOUBLE 1, INT 2, DISCRETE 3, CATEGORICAL 4
Distribution: DISTRIBUTION_UNSPECIFIED 0, UNIFORM 1, LOG_UNIFORM 2, NORMAL 3, LOG_NORMAL 4
ObjectiveType: UNKNOWN 0, MINIMIZE 1, MAXIMIZE 2
ComparisonType: UNKNOWN_COMPARISON 0, EQUAL 1, LESS 2, GREATER 3
TrialStatus.TrialConditionType: CREATED 0, RUNNING 1, SUCCEEDED 2, KILLED 3, FAILED 4,\
 METRICSUNAVAILABLE 5, EARLYSTOPPED 6, UNKNOWN 7
"""
SERVICES = {
    "DBManager": ["ReportObservationLog", "GetObservationLog", "DeleteObservationLog"],
    "Suggestion": ["GetSuggestions", "ValidateAlgorithmSettings"],
    "EarlyStopping": ["GetEarlyStoppingRules", "SetTrialStatus", "ValidateEarlyStoppingSettings"],
}


def _lines(table: str) -> dict[str, str]:
    rows = (line.split(": ", 1) for line in table.strip().splitlines())
    return {name: " ".join(rest.split()) for name, rest in rows}


def _short(name: str) -> str:
    return name.removeprefix("api.v1.beta1.")


def _type(field: FieldDescriptor) -> str:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        assert [part.type for part in message.fields] == [F.TYPE_STRING] * 2
        return "map"
    kind = message or field.enum_type
    name = _short(kind.full_name) if kind else SCALARS[field.type]
    return f"*{name}" if field.is_repeated else name


def _described() -> dict[str, str]:
    """Return the messages of our file in the form of the table above."""
    messages = list(FILE.message_types_by_name.values())
    for message in messages:
        messages += [n for n in message.nested_types if not n.GetOptions().map_entry]
    return {
        _short(message.full_name): "; ".join(
            f"{field.number} {field.name} {_type(field)}"
            for field in sorted(message.fields, key=lambda field: field.number)
        )
        or "-"
        for message in messages
    }


def test_every_message_has_katibs_fields() -> None:
    assert _described() == _lines(MESSAGES)


def test_every_enum_has_katibs_values() -> None:
    enums: list[EnumDescriptor] = [*FILE.enum_types_by_name.values()]
    enums += FILE.message_types_by_name["TrialStatus"].enum_types

    described = {
        _short(enum.full_name): ", ".join(f"{v.name} {v.number}" for v in enum.values)
        for enum in enums
    }

    assert described == _lines(ENUMS)


def test_every_service_has_katibs_calls_each_with_its_own_request_and_reply() -> None:
    assert FILE.package == "api.v1.beta1"
    for name, service in FILE.services_by_name.items():
        assert [method.name for method in service.methods] == SERVICES[name]
        for method in service.methods:
            assert method.input_type.name == f"{method.name}Request"
            assert method.output_type.name == f"{method.name}Reply"
            assert not method.client_streaming
            assert not method.server_streaming
    assert set(FILE.services_by_name) == set(SERVICES)


@pytest.mark.parametrize(("message", "number"), [("TrialSpec", 1), ("GetSuggestionsRequest", 3)])
def test_a_number_that_katib_does_not_use_is_used_by_nobody(message: str, number: int) -> None:
    proto = DescriptorProto()
    FILE.message_types_by_name[message].CopyToProto(proto)

    assert [(span.start, span.end) for span in proto.reserved_range] == [(number, number + 1)]


# ---- bytes ----


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    number %= 2**64
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def text(field: int, value: str | bytes) -> bytes:
    """A text, or a message that is already bytes."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def pair(name: str, value: str) -> bytes:
    return text(1, name) + text(2, value)


def entry(stamp: str, name: str, value: str) -> bytes:
    return text(1, stamp) + text(2, pair(name, value))


NOW = "2026-01-31T12:00:00.5Z"
LOG = text(1, entry(NOW, "loss", "0.30")) + text(1, entry(NOW, "größe", "nan"))
OBJECTIVE = number(1, 2) + double(2, 0.99) + text(3, "acc") + text(4, "loss") + text(4, "auc")
SPACE = text(1, "0.1") + text(2, "0.01") + text(3, "a") + text(3, "b") + text(4, "0.01")
PARAMETER = text(1, "lr") + number(2, 1) + text(3, SPACE + number(5, 2))
GRAPH = number(1, 8) + text(2, varint(32) + varint(-1)) + text(3, varint(10))
NAS = text(1, GRAPH) + text(2, text(1, text(1, "conv") + text(2, text(1, PARAMETER))))
EXPERIMENT = text(1, "random") + text(
    2,
    text(1, text(1, PARAMETER))
    + text(2, OBJECTIVE)
    + text(3, text(1, "tpe") + text(2, pair("seed", "1")))
    + text(4, text(1, "medianstop") + text(2, pair("start_step", "4")))
    + number(5, 3)
    + number(6, 12)
    + text(7, NAS),
)
TRIAL = (
    text(1, "random-1")
    + text(2, text(2, OBJECTIVE) + text(3, text(1, pair("lr", "0.03"))) + text(4, pair("g", "1")))
    + text(3, text(1, NOW) + text(2, NOW) + number(3, 6) + text(4, text(1, pair("acc", "0.9"))))
)
RULE = text(1, "loss") + text(2, "0.5") + number(3, 3) + number(4, 4)


def _log() -> pb.ObservationLog:
    metrics = [pb.Metric(name="loss", value="0.30"), pb.Metric(name="größe", value="nan")]
    return pb.ObservationLog(
        metric_logs=[pb.MetricLog(time_stamp=NOW, metric=metric) for metric in metrics]
    )


def _objective() -> pb.ObjectiveSpec:
    return pb.ObjectiveSpec(
        type=pb.MAXIMIZE,
        goal=0.99,
        objective_metric_name="acc",
        additional_metric_names=["loss", "auc"],
    )


def _parameter() -> pb.ParameterSpec:
    space = pb.FeasibleSpace(
        min="0.01", max="0.1", step="0.01", list=["a", "b"], distribution=pb.LOG_UNIFORM
    )
    return pb.ParameterSpec(name="lr", parameter_type=pb.DOUBLE, feasible_space=space)


def _nas() -> pb.NasConfig:
    space = pb.Operation.ParameterSpecs(parameters=[_parameter()])
    operation = pb.Operation(operation_type="conv", parameter_specs=space)
    return pb.NasConfig(
        graph_config=pb.GraphConfig(num_layers=8, input_sizes=[32, -1], output_sizes=[10]),
        operations=pb.NasConfig.Operations(operation=[operation]),
    )


def _experiment() -> pb.Experiment:
    spec = pb.ExperimentSpec(
        parameter_specs=pb.ExperimentSpec.ParameterSpecs(parameters=[_parameter()]),
        objective=_objective(),
        algorithm=pb.AlgorithmSpec(
            algorithm_name="tpe",
            algorithm_settings=[pb.AlgorithmSetting(name="seed", value="1")],
        ),
        early_stopping=pb.EarlyStoppingSpec(
            algorithm_name="medianstop",
            algorithm_settings=[pb.EarlyStoppingSetting(name="start_step", value="4")],
        ),
        parallel_trial_count=3,
        max_trial_count=12,
        nas_config=_nas(),
    )
    return pb.Experiment(name="random", spec=spec)


def _assignment() -> pb.ParameterAssignment:
    return pb.ParameterAssignment(name="lr", value="0.03")


def _trial() -> pb.Trial:
    return pb.Trial(
        name="random-1",
        spec=pb.TrialSpec(
            objective=_objective(),
            parameter_assignments=pb.TrialSpec.ParameterAssignments(assignments=[_assignment()]),
            labels={"g": "1"},
        ),
        status=pb.TrialStatus(
            start_time=NOW,
            completion_time=NOW,
            condition=pb.TrialStatus.EARLYSTOPPED,
            observation=pb.Observation(metrics=[pb.Metric(name="acc", value="0.9")]),
        ),
    )


def _rule() -> pb.EarlyStoppingRule:
    return pb.EarlyStoppingRule(name="loss", value="0.5", comparison=pb.GREATER, start_step=4)


def _suggestions() -> pb.GetSuggestionsReply:
    suggested = pb.GetSuggestionsReply.ParameterAssignments(
        assignments=[_assignment()], trial_name="random-2", labels={"g": "2"}
    )
    return pb.GetSuggestionsReply(
        parameter_assignments=[suggested],
        algorithm=pb.AlgorithmSpec(algorithm_name="tpe"),
        early_stopping_rules=[_rule()],
    )


SENT = [
    (
        pb.ReportObservationLogRequest(trial_name="random-1", observation_log=_log()),
        text(1, "random-1") + text(2, LOG),
    ),
    (
        pb.GetObservationLogRequest(
            trial_name="random-1", metric_name="loss", start_time=NOW, end_time=NOW
        ),
        text(1, "random-1") + text(2, "loss") + text(3, NOW) + text(4, NOW),
    ),
    (pb.GetObservationLogReply(observation_log=_log()), text(1, LOG)),
    (pb.DeleteObservationLogRequest(trial_name="random-1"), text(1, "random-1")),
    (
        pb.GetSuggestionsRequest(
            experiment=_experiment(),
            trials=[_trial()],
            current_request_number=2,
            total_request_number=300,
        ),
        text(1, EXPERIMENT) + text(2, TRIAL) + number(4, 2) + number(5, 300),
    ),
    (
        _suggestions(),
        text(1, text(1, pair("lr", "0.03")) + text(2, "random-2") + text(3, pair("g", "2")))
        + text(2, text(1, "tpe"))
        + text(3, RULE),
    ),
    (
        pb.GetEarlyStoppingRulesRequest(
            experiment=_experiment(), trials=[_trial()], db_manager_address="db:6789"
        ),
        text(1, EXPERIMENT) + text(2, TRIAL) + text(3, "db:6789"),
    ),
    (pb.SetTrialStatusRequest(trial_name="random-1"), text(1, "random-1")),
]


@pytest.mark.parametrize(
    ("message", "expected"), SENT, ids=[type(message).__name__ for message, _ in SENT]
)
def test_a_message_is_these_bytes_and_these_bytes_are_the_message(
    message: pb.GetSuggestionsRequest, expected: bytes
) -> None:
    assert message.SerializeToString(deterministic=True) == expected
    assert type(message).FromString(expected) == message


def test_a_report_is_these_very_bytes() -> None:
    """Written out by hand once, so that the encoder above is held to something too."""
    log = pb.ObservationLog(
        metric_logs=[pb.MetricLog(time_stamp="Z", metric=pb.Metric(name="a", value="1"))]
    )
    report = pb.ReportObservationLogRequest(trial_name="t", observation_log=log)

    expected = "0a0174 120d 0a0b 0a015a 1206 0a0161 120131"
    assert report.SerializeToString() == bytes.fromhex(expected)


def test_a_step_follows_katibs_fields_so_that_katib_skips_it() -> None:
    log = pb.MetricLog(time_stamp="Z", metric=pb.Metric(name="a", value="1"), step=300)

    katibs = text(1, "Z") + text(2, pair("a", "1"))
    assert log.SerializeToString(deterministic=True) == katibs + number(1001, 300)
    assert not pb.MetricLog.FromString(katibs).HasField("step")


# ---- ours ----


def test_our_own_service_has_a_summary_pages_and_a_live_stream() -> None:
    service = observations_pb2.DESCRIPTOR.services_by_name["Observations"]

    assert service.full_name == "trialwatch.v1.Observations"
    assert [(m.name, m.server_streaming) for m in service.methods] == [
        ("Summary", False),
        ("Read", False),
        ("Watch", True),
    ]
    assert not any(method.client_streaming for method in service.methods)


def test_a_summary_has_texts_as_they_are_stored() -> None:
    fields = observations_pb2.MetricSummary.DESCRIPTOR.fields
    texts = [field.name for field in fields if field.type == F.TYPE_STRING]

    assert texts == ["name", "first", "last", "min", "max", "first_time", "last_time"]
    numbers = [field.name for field in fields if field.type == F.TYPE_INT64]
    assert numbers == ["count", "first_step", "last_step", "min_step", "max_step"]


def test_our_own_messages_carry_katibs() -> None:
    reply = observations_pb2.ReadReply(observation_log=_log(), next_page_token="next")
    point = observations_pb2.WatchReply(metric_logs=_log().metric_logs, resume_token="on")

    assert reply.SerializeToString() == text(1, LOG) + text(2, "next")
    assert point.SerializeToString() == LOG + text(2, "on")
    assert re.fullmatch(r"trialwatch\.v1\.\w+", reply.DESCRIPTOR.full_name)
