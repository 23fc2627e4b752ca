"""The component `monitoring`, as a user's kustomization adds it, and the files that are made for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from api import names
from manifests.monitoring.__main__ import FOLDER, texts
from manifests.monitoring.catalog import PROGRAMS
from manifests.monitoring.dashboard import dashboard_text
from tests.manifests.kustomize import with_component
from tests.manifests.rendered_objects import Object, containers, named, pods, selects

DASHBOARD: dict[str, Any] = json.loads((FOLDER / "trialwatch.json").read_text())
GRAPHS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Object, ...]:
    return with_component(tmp_path_factory.mktemp("monitoring"), "monitoring")


def test_the_files_are_those_that_make_monitoring_writes() -> None:
    for path, text in texts().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make monitoring`"


def test_the_objects_are_in_the_namespace_of_the_programs(rendered: tuple[Object, ...]) -> None:
    for kind in ("PodMonitor", "PrometheusRule"):
        found = named(rendered, kind, "trialwatch")["metadata"]
        assert found["namespace"] == names.CORE_NAMESPACE
        assert found["labels"] == {"app.kubernetes.io/part-of": "trialwatch"}


def test_the_monitor_selects_the_port_of_metrics_of_every_pod(
    rendered: tuple[Object, ...],
) -> None:
    monitor = named(rendered, "PodMonitor", "trialwatch")["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]

    jobs = set()
    for name, pod in pods(rendered).items():
        labels = pod["metadata"]["labels"]
        assert selects(monitor["selector"], labels)
        assert endpoint["port"] in {port["name"] for port in containers(rendered)[name]["ports"]}
        jobs.add(labels[monitor["jobLabel"]])
    assert jobs == {program.job for program in PROGRAMS}
    assert endpoint["honorLabels"], "else `namespace` of katib_... is not that of the experiment"


def test_the_dashboard_is_in_a_config_map_that_grafanas_sidecar_finds(
    rendered: tuple[Object, ...],
) -> None:
    config = named(rendered, "ConfigMap", "trialwatch-dashboard")

    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["namespace"] == names.CORE_NAMESPACE
    assert json.loads(config["data"]["trialwatch.json"]) == json.loads(dashboard_text())


def test_grafanas_own_model_knows_every_field_of_the_dashboard() -> None:
    register_default_plugins()

    read = json.dumps(Dashboard.from_json(DASHBOARD), cls=JSONEncoder)

    assert json.loads(read) == DASHBOARD


def test_each_part_of_the_dashboard_has_an_id_of_its_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]

    assert len(set(ids)) == len(ids)
    assert all(ids)


def test_panels_do_not_overlap_and_stay_within_the_grid() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", GRAPHS, ids=lambda panel: panel["title"])
def test_a_panel_reads_the_chosen_prometheus(panel: dict[str, Any]) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}

    assert panel["datasource"] == source
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references) > 0
    assert all(target["datasource"] == source for target in panel["targets"])


def test_the_variables_that_queries_use_are_those_of_the_dashboard() -> None:
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}

    assert variables == {"datasource", "namespace"}
    assert DASHBOARD["schemaVersion"] > 30
