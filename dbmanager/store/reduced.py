"""Summaries of a job of several pods: its pods, and the summary of their reduced series.

The statement and the function of the store in memory compute the same; the contract suite compares
them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, distinct, func, literal_column, or_, select
from sqlalchemy.sql.selectable import CTE

from api.names import UNAVAILABLE
from api.reductions import NUMERIC, Reduction, reduction_of_source
from dbmanager.store.contract import Row, Summary
from dbmanager.store.finite import number_of
from dbmanager.store.sql_reads import ROWS, Number, row_step

NOT_A_NUMBER = "nan"
"""The reduced value at a step at which no pod has a finite number."""
_REDUCERS: Final[Mapping[Reduction, Callable[[Sequence[float]], float]]] = {
    Reduction.MEAN: fmean,
    Reduction.MIN: min,
    Reduction.MAX: max,
}
_AGGREGATES: Final = {Reduction.MEAN: func.avg, Reduction.MIN: func.min, Reduction.MAX: func.max}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedPods:
    """The pods of a job, and how their series become one."""

    reduction: Reduction
    pods: Mapping[str, int]
    """A number for each visible source: sources of one pod have the same."""


def reduced_pods(visible: Collection[str]) -> ReducedPods | None:
    """Return the pods of the visible sources; None if no value is computed of several pods."""
    known = {source: reduction_of_source(source) for source in sorted(visible)}
    wanted = [each.reduction for each in known.values() if each and each.reduction in NUMERIC]
    if not wanted:
        return None
    pods: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for source, each in known.items():
        # Without a name in the job, each source counts as a pod of its own.
        pod = f"pod {each.pod}" if each and each.pod else f"source {source}"
        pods[source] = numbers.setdefault(pod, len(numbers))
    return ReducedPods(reduction=wanted[0], pods=pods)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    value: float | None
    pods: int
    micros: int


def reduced_summary(rows: Sequence[tuple[Row, str]], pods: ReducedPods) -> Summary:
    """Return the summary of one metric's rows with their sources, in order.

    There is at least one row, and no row is `unavailable`.
    """
    stepped = all(row.step is not None for row, _ in rows)
    counts: defaultdict[int, int] = defaultdict(int)
    latest: dict[int, dict[int, Row]] = {}
    for row, source in rows:
        pod = pods.pods[source]
        counts[pod] += 1
        key = row.step if stepped and row.step is not None else counts[pod]
        latest.setdefault(key, {})[pod] = row
    points = {key: _reduced(at.values(), pods.reduction) for key, at in latest.items()}
    enough = min(max(point.pods for point in points.values()), _majority(len(counts)))
    complete = {key: point for key, point in sorted(points.items()) if point.pods >= enough}
    known = {key: point.value for key, point in complete.items() if point.value is not None}
    first, last = min(complete), max(complete)
    low = min(known, key=lambda key: known[key]) if known else None
    high = max(known, key=lambda key: known[key]) if known else None
    return Summary(
        metric=rows[0][0].metric,
        count=len(complete),
        first=_text(complete[first].value),
        last=_text(complete[last].value),
        minimum=None if low is None else _text(known[low]),
        maximum=None if high is None else _text(known[high]),
        first_micros=complete[first].micros,
        last_micros=complete[last].micros,
        first_step=first if stepped else None,
        last_step=last if stepped else None,
        minimum_step=low if stepped else None,
        maximum_step=high if stepped else None,
    )


def _majority(pods: int) -> int:
    return pods // 2 + 1


def _reduced(rows: Collection[Row], reduction: Reduction) -> _Point:
    numbers = [number for row in rows if (number := number_of(row.value)) is not None]
    value = float(_REDUCERS[reduction](numbers)) if numbers else None
    return _Point(value=value, pods=len(rows), micros=max(row.micros for row in rows))


def _text(value: float | None) -> str:
    return NOT_A_NUMBER if value is None else repr(float(value))


def reduced_points(
    is_visible: ColumnElement[bool], pods: ReducedPods, number: Number
) -> Select[Any]:
    """Select, for each metric, its reduced points that a summary needs: at most four.

    The columns are those that `summaries_of_points` reads.
    """
    names: dict[str, ColumnElement[int]] = {
        source: literal_column(str(pod)) for source, pod in pods.pods.items()
    }
    rows = (
        select(
            ROWS.metric_name.label("metric"),
            case(names, value=ROWS.source).label("pod"),
            ROWS.time,
            row_step.label("step"),
            ROWS.id,
            number(ROWS.value).label("number"),
        )
        .where(is_visible, ROWS.value != UNAVAILABLE)
        .cte("pod_rows")
    )
    keyed = _keyed(rows)
    points = _at_keys(keyed, _AGGREGATES[pods.reduction])
    return _outstanding(points, _pods_of_metrics(keyed))


def _keyed(rows: CTE) -> CTE:
    """Return the rows with their keys: the step, or the row's number within its pod."""
    of = rows.c
    without_step = func.min(of.step).over(partition_by=of.metric)
    index = func.row_number().over(
        partition_by=(of.metric, of.pod), order_by=(of.time, of.step, of.id)
    )
    columns = select(
        *(of.metric, of.pod, of.time, of.step, of.id, of.number),
        case((without_step >= 0, of.step), else_=index).label("point"),
        case((without_step >= 0, 1), else_=0).label("stepped"),
    )
    return columns.cte("keyed")


def _at_keys(keyed: CTE, aggregate: Any) -> CTE:  # noqa: ANN401 - a generic function of SQLAlchemy
    """Return the reduced value at each key, over the last row of each pod there."""
    of = keyed.c
    newest = func.row_number().over(
        partition_by=(of.metric, of.pod, of.point),
        order_by=(of.time.desc(), of.step.desc(), of.id.desc()),
    )
    ranked = select(of.metric, of.point, of.stepped, of.time, of.number, newest.label("nth"))
    last = ranked.cte("ranked").c
    return (
        select(
            last.metric,
            last.point,
            last.stepped,
            aggregate(last.number).label("value"),
            func.count().label("pods"),
            func.max(last.time).label("time"),
        )
        .where(last.nth == 1)
        .group_by(last.metric, last.point, last.stepped)
        .cte("points")
    )


def _pods_of_metrics(keyed: CTE) -> CTE:
    """Return for each metric how many pods have it."""
    of = keyed.c
    pods = func.count(distinct(of.pod)).label("known")
    return select(of.metric, pods).group_by(of.metric).cte("metric_pods")


def _outstanding(points: CTE, metrics: CTE) -> Select[Any]:
    """Select the first, last, lowest and highest of the points that enough pods have."""
    of = points.c
    most = func.max(of.pods).over(partition_by=of.metric).label("most")
    joined = points.join(metrics, metrics.c.metric == of.metric)
    counted = select(*of, most, metrics.c.known).select_from(joined).cte("counted").c
    no_number = case((counted.value.is_(None), 1), else_=0)
    orders = {
        "nth": (counted.point,),
        "nth_last": (counted.point.desc(),),
        "nth_low": (no_number, counted.value, counted.point),
        "nth_high": (no_number, counted.value.desc(), counted.point),
    }
    ranks = (
        func.row_number().over(partition_by=counted.metric, order_by=order).label(name)
        for name, order in orders.items()
    )
    of_metric = func.count().over(partition_by=counted.metric).label("count")
    columns = (counted.metric, counted.point, counted.stepped, counted.value, counted.time)
    enough = or_(counted.pods == counted.most, 2 * counted.pods > counted.known)
    complete = select(*columns, of_metric, *ranks).where(enough)
    ranked = complete.cte("ordered")
    first = [ranked.c[name] == 1 for name in orders]
    return select(ranked).where(first[0] | first[1] | first[2] | first[3])


def summaries_of_points(found: Iterable[Sequence[Any]]) -> list[Summary]:
    """Return the summaries of the rows of `reduced_points`, by name."""
    by_metric: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in found:
        by_metric[row[0]].append(row)
    return [_summary(by_metric[metric]) for metric in sorted(by_metric)]


def _summary(found: Sequence[Sequence[Any]]) -> Summary:
    first, last, low, high = (
        next(row for row in found if row[place] == 1) for place in (6, 7, 8, 9)
    )
    metric, _, stepped, _, _, count = first[:6]
    has_number = low[3] is not None

    def step(row: Sequence[Any], *, known: bool = True) -> int | None:
        return int(row[1]) if stepped and known else None

    return Summary(
        metric=metric,
        count=count,
        first=_text(first[3]),
        last=_text(last[3]),
        minimum=_text(low[3]) if has_number else None,
        maximum=_text(high[3]) if has_number else None,
        first_micros=first[4],
        last_micros=last[4],
        first_step=step(first),
        last_step=step(last),
        minimum_step=step(low, known=has_number),
        maximum_step=step(high, known=has_number),
    )
