"""The queries, as SQLAlchemy expressions: equal for all databases, except for `Number`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.sql.selectable import CTE, CompoundSelect, ScalarSelect

from dbmanager.store.contract import NO_STEP, Place, Query, TrialKey
from dbmanager.store.schema import observation_logs, sources

ROWS = observation_logs.c
SOURCES = sources.c
_COLUMNS = (ROWS.id, ROWS.time, ROWS.metric_name, ROWS.value, ROWS.step)
"""The fields of a `Row`, in their order."""
row_step: ColumnElement[int] = func.coalesce(ROWS.step, text(str(NO_STEP)))
"""The step of a row as the order of reads compares it."""

Number = Callable[[ColumnElement[str]], ColumnElement[float]]
"""Makes the expression of a value's number; NULL if the value is not a finite number."""


def rows_of(key: TrialKey) -> ColumnElement[bool]:
    """Return the condition for the rows of a trial."""
    return and_(ROWS.trial_name == key.trial, ROWS.namespace == key.namespace)


def sources_of(key: TrialKey) -> ColumnElement[bool]:
    """Return the condition for the sources of a trial, including the row that is its lock."""
    return and_(SOURCES.trial_name == key.trial, SOURCES.namespace == key.namespace)


def namespaces(trial: str) -> CompoundSelect[Any]:
    """Select the namespaces that have a trial of this name.

    Each step of the recursion finds the next namespace in the index; `DISTINCT` would read all rows
    of the trial.
    """
    first = select(func.min(ROWS.namespace).label("namespace")).where(ROWS.trial_name == trial)
    walk = first.cte("walk", recursive=True)
    following = (
        select(func.min(ROWS.namespace))
        .where(ROWS.trial_name == trial, ROWS.namespace > walk.c.namespace)
        .correlate(walk)
        .scalar_subquery()
    )
    walk = walk.union_all(select(following).where(walk.c.namespace.is_not(None)))
    return union(
        select(walk.c.namespace).where(walk.c.namespace.is_not(None)),
        select(SOURCES.namespace).where(SOURCES.trial_name == trial, SOURCES.source != ""),
    )


def last_numbers(key: TrialKey) -> Select[tuple[str, int]]:
    """Select a trial's sources, each with the number of its last report."""
    columns = select(SOURCES.source, SOURCES.last_sequence)
    return columns.where(sources_of(key), SOURCES.source != "")


def outcomes(key: TrialKey, unsourced: ColumnElement[bool]) -> Select[tuple[str, str | None, bool]]:
    """Select how a trial's sources ended, and whether it has rows without a source."""
    columns = select(SOURCES.source, SOURCES.outcome, unsourced)
    return columns.where(sources_of(key), SOURCES.source != "")


def unsourced(key: TrialKey) -> ColumnElement[bool]:
    """Return the condition that a trial has rows without a source."""
    # A literal, not a parameter: only then does the planner use the partial index.
    nothing: ColumnElement[str] = literal("", literal_execute=True)
    return exists().where(rows_of(key), ROWS.source == nothing)


def unsourced_noted(key: TrialKey) -> ColumnElement[bool]:
    """Return the condition that a trial's own row records rows without a source."""
    own = sources.alias("own").c
    of_trial = and_(own.trial_name == key.trial, own.namespace == key.namespace)
    return exists().where(of_trial, own.source == "", own.last_sequence > 0)


def page(
    query: Query,
    visible: Collection[str],
    after: Place | None,
    size: int,
    step: ColumnElement[int] = row_step,
) -> Select[Any]:
    """Select the next rows of the visible sources, in order; `step` orders rows of equal times."""
    conditions = [is_visible(query.key, visible, query.metrics)]
    if after is not None:
        micros, last_step, row_id = after
        same_step = and_(row_step == last_step, ROWS.id > row_id)
        # In this form, each half is one range of the index for every planner.
        conditions.append(
            and_(
                ROWS.time >= micros,
                or_(
                    and_(ROWS.time == micros, or_(row_step > last_step, same_step)),
                    ROWS.time > micros,
                ),
            )
        )
    if query.from_micros is not None:
        conditions.append(ROWS.time >= query.from_micros)
    if query.to_micros is not None:
        conditions.append(ROWS.time <= query.to_micros)
    columns = select(*_COLUMNS)
    return columns.where(*conditions).order_by(ROWS.time, step, ROWS.id).limit(size)


def last_id() -> Select[tuple[int | None]]:
    """Select the highest id of all rows."""
    return select(func.max(ROWS.id))


def stored_lately(key: TrialKey, row_id: int, size: int) -> Select[Any]:
    """Select a trial's next rows of all sources, by walking along the ids of all trials.

    Fast if few rows were stored after the id. An index of each trial's ids would cost time for
    every row, and only watchers would use it.
    """
    columns = select(*_COLUMNS)
    # In this form, no planner can choose the trial's index instead.
    of_trial = and_(
        func.coalesce(ROWS.trial_name, "") == key.trial,
        func.coalesce(ROWS.namespace, "") == key.namespace,
    )
    rows = columns.where(ROWS.id > row_id, of_trial, ROWS.time.is_not(None))
    return rows.order_by(ROWS.id).limit(size)


def ids_behind(key: TrialKey, row_id: int, size: int) -> Select[tuple[int]]:
    """Select the next ids of a trial, by walking over all entries of the trial in the index."""
    ids = select(ROWS.id).where(rows_of(key), ROWS.time.is_not(None))
    # In this form, no planner can choose to walk along the ids of all trials instead.
    return ids.where(ROWS.id + 0 > row_id).order_by(ROWS.id + 0).limit(size)


def with_ids(ids: Collection[int]) -> Select[Any]:
    """Select rows by their ids, in the order of ids."""
    columns = select(*_COLUMNS)
    return columns.where(ROWS.id.in_(ids)).order_by(ROWS.id)


def summaries(
    key: TrialKey, visible: Collection[str], metrics: Collection[str], number: Number
) -> Select[Any]:
    """Select the fields of each metric's `Summary`, in their order.

    The rows are read twice, for any number of metrics: first for the minima and maxima, then for
    the times at which these occurred first. The texts are then found by time, in the index.
    """
    visible_rows = is_visible(key, visible, metrics)
    rows = (
        select(ROWS.metric_name.label("metric"), ROWS.time, number(ROWS.value).label("number"))
        .where(visible_rows)
        .cte("given")
    )
    extremes = _extremes(rows)
    reached = _first_times(rows, extremes)

    def at(of: Column[Any], time: ColumnElement[int], *, last: bool = False) -> Select[Any]:
        rows_at = select(of).where(visible_rows, ROWS.metric_name == extremes.c.metric)
        order = (row_step.desc(), ROWS.id.desc()) if last else (row_step, ROWS.id)
        return rows_at.where(ROWS.time == time).order_by(*order).limit(1)

    def bound(
        of: Column[Any], time: ColumnElement[int], *, last: bool = False
    ) -> ScalarSelect[Any]:
        return at(of, time, last=last).correlate(extremes).scalar_subquery()

    def extreme(
        of: Column[Any], time: ColumnElement[int], value: ColumnElement[float]
    ) -> ScalarSelect[Any]:
        with_value = at(of, time).where(number(ROWS.value) == value)
        return with_value.correlate(extremes, reached).scalar_subquery()

    first, last = extremes.c.first_time, extremes.c.last_time

    def parts(of: Column[Any]) -> tuple[ScalarSelect[Any], ...]:
        return (
            bound(of, first),
            bound(of, last, last=True),
            extreme(of, reached.c.low_time, extremes.c.low),
            extreme(of, reached.c.high_time, extremes.c.high),
        )

    return select(
        extremes.c.metric,
        extremes.c.count,
        *parts(ROWS.value),
        first,
        last,
        *parts(ROWS.step),
    ).join_from(extremes, reached, extremes.c.metric == reached.c.metric)


def _extremes(rows: CTE) -> CTE:
    """Return the table of each metric's count, first and last time, minimum and maximum."""
    return (
        select(
            rows.c.metric,
            func.count().label("count"),
            func.min(rows.c.time).label("first_time"),
            func.max(rows.c.time).label("last_time"),
            func.min(rows.c.number).label("low"),
            func.max(rows.c.number).label("high"),
        )
        .group_by(rows.c.metric)
        .cte("extremes")
    )


def _first_times(rows: CTE, extremes: CTE) -> CTE:
    """Return the table of the times at which each metric's minimum and maximum occurred first."""
    low = case((rows.c.number == extremes.c.low, rows.c.time))
    high = case((rows.c.number == extremes.c.high, rows.c.time))
    return (
        select(rows.c.metric, func.min(low).label("low_time"), func.min(high).label("high_time"))
        .join_from(rows, extremes, rows.c.metric == extremes.c.metric)
        .group_by(rows.c.metric)
        .cte("reached")
    )


def is_visible(
    key: TrialKey, visible: Collection[str], metrics: Collection[str]
) -> ColumnElement[bool]:
    """Return the condition for rows that a read returns; Katib ignores rows without a time, too."""
    condition = and_(rows_of(key), ROWS.time.is_not(None), ROWS.source.in_(sorted(visible)))
    return and_(condition, ROWS.metric_name.in_(metrics)) if metrics else condition
