"""The rules of an experiment: what is refused, where, and with what advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.errors import Fault
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.validation import faults_of

Judge = Callable[..., list[Fault]]
Document = dict[str, Any]


def paths(faults: list[Fault]) -> list[str]:
    """Give path and kind of each fault: `spec.objective Required`."""
    return [f"{fault.path} {fault.message.split()[0].rstrip(':')}" for fault in faults]


def setting(*way: str, to: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        holder: Any = document
        for name in way[:-1]:
            holder = holder[name]
        holder[way[-1]] = to

    return change


def test_an_experiment_in_order_has_no_faults(judge: Judge) -> None:
    assert judge(lambda _: None) == []


@pytest.mark.parametrize(
    "name",
    ["1234-test", "my_EXP", "My-exp", "-a", "a-", "a.b", "a b", "", "a" * 41, "exp\n", "é"],
)
def test_a_name_that_no_object_can_have_is_refused(judge: Judge, name: str) -> None:
    faults = judge(setting("metadata", "name", to=name))
    assert paths(faults) == ["metadata.name Invalid"]
    assert "name must consist of lower case alphanumeric characters or '-'" in str(faults[0])


@pytest.mark.parametrize("name", ["a", "a1", "my-name", "a" * 40])
def test_a_name_that_objects_can_have_is_taken(judge: Judge, name: str) -> None:
    assert judge(setting("metadata", "name", to=name)) == []


@pytest.mark.parametrize(("prefix", "count"), [("my-", 0), ("a" * 35, 0), ("a" * 36, 1), ("M", 1)])
def test_a_generated_name_is_judged_by_its_prefix(judge: Judge, prefix: str, count: int) -> None:
    faults = judge(setting("metadata", to={"generateName": prefix}))
    assert paths(faults) == ["metadata.generateName Invalid"] * count


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"maxFailedTrialCount": -1}, ["maxFailedTrialCount"]),
        ({"maxFailedTrialCount": 0}, []),
        ({"maxTrialCount": -1}, ["maxTrialCount"]),
        ({"maxTrialCount": 0}, ["maxTrialCount"]),
        ({"parallelTrialCount": -1}, ["parallelTrialCount"]),
        ({"parallelTrialCount": 0}, ["parallelTrialCount"]),
        ({"maxFailedTrialCount": 6, "maxTrialCount": 5}, ["maxFailedTrialCount"]),
        ({"maxFailedTrialCount": 5, "maxTrialCount": 5}, []),
        ({"parallelTrialCount": 6, "maxTrialCount": 5}, ["parallelTrialCount"]),
        ({"parallelTrialCount": 5, "maxTrialCount": 5}, []),
        ({"maxTrialCount": None, "parallelTrialCount": 100}, []),
    ],
)
def test_the_counts_fit_each_other(
    judge: Judge, counts: dict[str, int | None], expected: list[str]
) -> None:
    faults = judge(lambda document: document["spec"].update(counts))
    assert paths(faults) == [f"spec.{name} Invalid" for name in expected]


def test_the_error_for_a_count_above_the_limit_has_the_limit(judge: Judge) -> None:
    (fault,) = judge(setting("spec", "parallelTrialCount", to=20))
    assert str(fault) == (
        "spec.parallelTrialCount: Invalid value: 20: should be less than or equal to "
        "spec.maxTrialCount, which is 12; write a smaller number"
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (setting("spec", "objective", to=None), ["spec.objective Required"]),
        (setting("spec", "objective", "type", to=""), ["spec.objective.type Invalid"]),
        (
            setting("spec", "objective", "objectiveMetricName", to=""),
            ["spec.objective.objectiveMetricName Required"],
        ),
        (
            setting("spec", "objective", "additionalMetricNames", to=["Validation-accuracy"]),
            ["spec.objective.additionalMetricNames Invalid"],
        ),
        (
            setting("spec", "objective", "additionalMetricNames", to=["a", ""]),
            ["spec.objective.additionalMetricNames[1] Required"],
        ),
        (
            setting("spec", "objective", "objectiveMetricName", to="a;b"),
            ["spec.objective.objectiveMetricName Invalid"],
        ),
        (setting("spec", "algorithm", to=None), []),
        (setting("spec", "algorithm", to={}), []),
        (setting("spec", "earlyStopping", to=None), []),
        (setting("spec", "earlyStopping", to={"algorithmName": "medianstop"}), []),
        (setting("spec", "earlyStopping", to={}), ["spec.earlyStopping.algorithmName Required"]),
    ],
)
def test_objective_and_algorithms_are_named(
    judge: Judge, change: Callable[[Document], None], expected: list[str]
) -> None:
    assert paths(judge(change)) == expected


def test_one_fault_hides_no_other(judge: Judge) -> None:
    def change(document: Document) -> None:
        document["metadata"]["name"] = "No"
        document["spec"] |= {"objective": None, "algorithm": None, "parameters": []}
        document["spec"]["trialTemplate"] = None

    assert paths(judge(change)) == [
        "metadata.name Invalid",
        "spec.objective Required",
        "spec Required",
        "spec.trialTemplate Required",
    ]


# -- the search space -----------------------------------------------------------------------


def with_parameter(**parts: object) -> Callable[[Document], None]:
    """Change the first parameter, whose references stay as they are."""
    return lambda document: document["spec"]["parameters"][0].update(parts)


NAS = {
    "graphConfig": {"numLayers": 8, "inputSizes": [32, 32, 3], "outputSizes": [10]},
    "operations": [{"operationType": "convolution"}],
}


def test_a_search_has_parameters_or_an_architecture(judge: Judge) -> None:
    faults = judge(setting("spec", "parameters", to=None))
    assert [str(fault) for fault in faults] == [
        "spec: Required value: spec.parameters or spec.nasConfig must be specified"
    ]


def test_a_search_has_not_both(judge: Judge) -> None:
    assert paths(judge(setting("spec", "nasConfig", to=NAS))) == ["spec Invalid"]


def test_an_architecture_search_needs_no_parameters(judge: Judge) -> None:
    assert judge(lambda d: d["spec"].update(parameters=None, nasConfig=NAS)) == []


@pytest.mark.parametrize(
    ("kind", "space", "expected"),
    [
        ("unknown", {"min": "1", "max": "2"}, ["parameterType Invalid"]),
        ("int", {}, ["feasibleSpace Required"]),
        ("int", {"distribution": "normal"}, ["feasibleSpace Required"]),
        ("int", {"min": "1", "max": "2", "list": ["3"]}, ["feasibleSpace.list Invalid"]),
        ("int", {"step": "1"}, ["feasibleSpace.max Required"]),
        ("int", {"min": "1"}, ["feasibleSpace.max Required"]),
        ("int", {"min": "1", "max": "2.5"}, ["feasibleSpace.max Invalid"]),
        ("int", {"min": "1", "max": "2.0"}, []),
        ("double", {"min": "one", "max": "2"}, ["feasibleSpace.min Invalid"]),
        ("double", {"min": "1", "max": "inf"}, ["feasibleSpace.max Invalid"]),
        ("double", {"min": "1e-5", "max": "1e-1"}, []),
        ("double", {"min": "3", "max": "2"}, ["feasibleSpace.min Invalid"]),
        ("double", {"min": "2", "max": "2"}, []),
        ("double", {"min": "1", "max": "2", "step": "0"}, ["feasibleSpace.step Invalid"]),
        (
            "double",
            {"min": "0", "max": "2", "distribution": "logUniform"},
            ["feasibleSpace.min Invalid"],
        ),
        (
            "double",
            {"min": "1", "max": "2", "distribution": "unknown"},
            ["feasibleSpace.distribution Invalid"],
        ),
        ("categorical", {"list": ["a"], "max": "1"}, ["feasibleSpace Invalid"]),
        (
            "categorical",
            {"max": "1"},
            ["feasibleSpace Invalid", "feasibleSpace.list Required"],
        ),
        ("discrete", {"list": ["a"], "step": "1"}, ["feasibleSpace Invalid"]),
        ("discrete", {"list": ["1", "2"]}, []),
    ],
)
def test_a_space_fits_its_type(
    judge: Judge, kind: str, space: dict[str, object], expected: list[str]
) -> None:
    faults = judge(with_parameter(parameterType=kind, feasibleSpace=space))
    assert paths(faults) == [f"spec.parameters[0].{part}" for part in expected]


def test_a_type_that_is_left_out_is_asked_for(judge: Judge) -> None:
    (fault,) = judge(with_parameter(parameterType=None))
    assert fault.path == "spec.parameters[0].parameterType"
    assert "write double, int, discrete or categorical" in fault.message


def test_two_parameters_of_one_name_are_refused(judge: Judge) -> None:
    extra = {"name": "lr", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "2"}}
    faults = judge(lambda document: document["spec"]["parameters"].append(extra))
    assert [str(fault) for fault in faults] == [
        (
            'spec.parameters[3].name: Invalid value: "lr": '
            "is also the name of spec.parameters[0]; rename one of them"
        )
    ]


# -- the collector --------------------------------------------------------------------------

COLLECTOR = "spec.metricsCollectorSpec."
PLACE = COLLECTOR + "source.fileSystemPath"


def complain_of_brackets(pattern: str) -> str | None:
    return "missing closing ]; add it" if pattern.count("[") > pattern.count("]") else None


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("StdOut", None, []),
        ("Push", None, []),
        ("File", None, []),
        ("File", {"fileSystemPath": {"path": "not/absolute"}}, [f"{PLACE}.path Required"]),
        (
            "File",
            {"fileSystemPath": {"path": "/a", "kind": "Directory"}},
            [f"{PLACE}.path Required"],
        ),
        ("File", {"fileSystemPath": {"path": "/a", "format": "JSON"}}, []),
        (
            "File",
            {
                "fileSystemPath": {"path": "/a", "format": "JSON"},
                "filter": {"metricsFormat": ["(a)(b)"]},
            },
            [f"{COLLECTOR}source.filter Invalid"],
        ),
        (
            "TensorFlowEvent",
            {"fileSystemPath": {"path": "not/absolute", "kind": "Directory"}},
            [f"{COLLECTOR}source Required"],
        ),
        (
            "TensorFlowEvent",
            {"fileSystemPath": {"path": "/a", "kind": "Directory", "format": "JSON"}},
            [f"{PLACE}.format Invalid"],
        ),
        ("PrometheusMetric", None, []),
        ("PrometheusMetric", {"httpGet": {"path": "/m", "port": "8080"}}, []),
        (
            "PrometheusMetric",
            {"httpGet": {"path": "not/valid", "port": "Port"}},
            [f"{COLLECTOR}source.httpGet.port Invalid", f"{COLLECTOR}source.httpGet.path Invalid"],
        ),
        (
            "PrometheusMetric",
            {"httpGet": {"port": -1}},
            [f"{COLLECTOR}source.httpGet.port Invalid"],
        ),
        ("Custom", None, [f"{COLLECTOR}collector.customCollector Required"]),
        (
            "Custom",
            {"fileSystemPath": {"path": "relative", "kind": "File"}},
            [f"{COLLECTOR}collector.customCollector Required", f"{PLACE} Invalid"],
        ),
        (
            "File",
            {"filter": {"metricsFormat": ["(a)(b)", "["]}},
            [f"{COLLECTOR}source.filter.metricsFormat[1] Invalid"],
        ),
        (
            "StdOut",
            {"filter": {"metricsFormat": ["["]}},
            [f"{COLLECTOR}source.filter.metricsFormat[0] Invalid"],
        ),
        ("Push", {"filter": {"metricsFormat": ["["]}}, []),
    ],
)
def test_a_collector_has_what_its_kind_needs(
    judge: Judge, kind: str, source: Document | None, expected: list[str]
) -> None:
    def change(document: Document) -> None:
        document["spec"]["metricsCollectorSpec"] = {"collector": {"kind": kind}, "source": source}
        objective = document["spec"]["objective"]
        objective["objectiveMetricName"] = "loss"  # a name that a scrape can have too
        objective.pop("additionalMetricNames", None)
        objective.pop("metricStrategies", None)

    assert paths(judge(change, check_filter=complain_of_brackets)) == expected


def test_a_scrape_needs_a_name_of_prometheus(judge: Judge) -> None:
    def change(document: Document) -> None:
        document["spec"]["metricsCollectorSpec"] = {"collector": {"kind": "PrometheusMetric"}}
        document["spec"]["objective"]["objectiveMetricName"] = "val/loss"
        document["spec"]["objective"]["additionalMetricNames"] = ['loss{split="val"}']

    [fault] = judge(change)
    assert fault.path == "spec.objective"
    assert "val/loss" in fault.message


def test_a_custom_collector_with_a_container_is_taken(judge: Judge) -> None:
    collector = {"collector": {"kind": "Custom", "customCollector": {"image": "mine:1"}}}
    assert judge(setting("spec", "metricsCollectorSpec", to=collector)) == []


def test_a_wrong_filter_is_repeated_with_what_is_wrong(judge: Judge) -> None:
    collector = {"source": {"filter": {"metricsFormat": ["[a"]}}}
    faults = judge(
        setting("spec", "metricsCollectorSpec", to=collector), check_filter=complain_of_brackets
    )
    assert [str(fault) for fault in faults] == [
        (
            f'{COLLECTOR}source.filter.metricsFormat[0]: Invalid value: "[a": '
            "invalid filter: missing closing ]; add it"
        )
    ]


def test_without_defaults_a_file_collector_must_say_all(document: Document) -> None:
    document["spec"]["metricsCollectorSpec"] = {"collector": {"kind": "File"}}
    document["spec"]["trialTemplate"] |= {"successCondition": "s", "failureCondition": "f"}
    bare = faults_of(parse_experiment(document), check_filter=lambda _: None)
    assert paths(list(bare)) == [f"{PLACE}.path Required", f"{PLACE}.format Required"]
    full = faults_of(with_defaults(parse_experiment(document)), check_filter=lambda _: None)
    assert full == ()
