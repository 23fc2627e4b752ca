"""The Grafana dashboard: the rows of `panels` in Grafana's own types.

`grafana-foundation-sdk` is generated from Grafana's schemas, so mypy checks each field that is set.
"""

from __future__ import annotations

import itertools
import json
from typing import Final

from grafana_foundation_sdk.builders import (
    common as common_builders,
)
from grafana_foundation_sdk.builders import (
    dashboard,
    prometheus,
    stat,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableRefresh,
)

from manifests.monitoring.panels import ROWS, Panel, Query

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDTH, _HEIGHT = 8, 7
"""Of a panel, in units of Grafana's grid, which is 24 wide."""


def dashboard_text() -> str:
    """Return the dashboard as JSON, as Grafana imports it."""
    built = (
        dashboard.Dashboard("trialwatch")
        .uid("trialwatch")
        .description("Experiments, and the programs of trialwatch. Made by `make monitoring`.")
        .tags(["trialwatch", "katib"])
        .timezone("browser")
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("namespace")
            .label("Namespace of experiments")
            .datasource(_SOURCE)
            .query("label_values(katib_experiments_current, namespace)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(multi=True)
            .include_all(include_all=True)
            .all_value(".*")
        )
    )
    ids = itertools.count(1)
    for row in ROWS:
        built.with_row(dashboard.Row(row.title).id(next(ids)))
        for panel in row.panels:
            built.with_panel(_panel(panel).id(next(ids)))
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _panel(panel: Panel) -> stat.Panel | timeseries.Panel:
    shown = stat.Panel() if panel.is_number else _graph()
    shown.title(panel.title).description(panel.description).datasource(_SOURCE)
    shown.unit(panel.unit).height(_HEIGHT).span(_WIDTH)
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        shown.with_target(_target(letter, query))
    return shown


def _graph() -> timeseries.Panel:
    legend = (
        common_builders.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    return timeseries.Panel().legend(legend).min(0).fill_opacity(10)


def _target(letter: str, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(letter).expr(query.expression).datasource(_SOURCE)
    return target.legend_format(query.legend) if query.legend else target
