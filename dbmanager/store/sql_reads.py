"""The queries, as SQLAlchemy expressions: the same for every database but for what is a number."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.sql.selectable import CTE, CompoundSelect, ScalarSelect

from dbmanager.store.contract import Query, TrialKey
from dbmanager.store.schema import observation_logs, sources

ROWS = observation_logs.c
SOURCES = sources.c

Number = Callable[[ColumnElement[str]], ColumnElement[float]]
"""Makes the expression that is a value's number, or NULL where it is no finite one."""


def rows_of(key: TrialKey) -> ColumnElement[bool]:
    """Say which rows are a trial's. Rows without a time, which Katib passes over, are none."""
    return and_(ROWS.trial_name == key.trial, ROWS.namespace == key.namespace)


def sources_of(key: TrialKey) -> ColumnElement[bool]:
    """Say which sources are a trial's, its lock among them."""
    return and_(SOURCES.trial_name == key.trial, SOURCES.namespace == key.namespace)


def namespaces(trial: str) -> CompoundSelect[Any]:
    """Ask under which namespaces a trial name is stored.

    One step of the recursion finds the next namespace in the index; `DISTINCT` would walk over all
    rows of the trial.
    """
    first = select(func.min(ROWS.namespace).label("namespace")).where(ROWS.trial_name == trial)
    found = first.cte("found", recursive=True)
    following = (
        select(func.min(ROWS.namespace))
        .where(ROWS.trial_name == trial, ROWS.namespace > found.c.namespace)
        .correlate(found)
        .scalar_subquery()
    )
    found = found.union_all(select(following).where(found.c.namespace.is_not(None)))
    return union(
        select(found.c.namespace).where(found.c.namespace.is_not(None)),
        select(SOURCES.namespace).where(SOURCES.trial_name == trial, SOURCES.source != ""),
    )


def outcomes(key: TrialKey, unsourced: ColumnElement[bool]) -> Select[tuple[str, str | None, bool]]:
    """Ask how a trial's sources ended, and whether it has rows without a source."""
    columns = select(SOURCES.source, SOURCES.outcome, unsourced)
    return columns.where(sources_of(key), SOURCES.source != "")


def unsourced(key: TrialKey) -> ColumnElement[bool]:
    """Say whether a trial has rows without a source."""
    # Written out, since a bound "" would not be known to be the "" of the partial index.
    nothing: ColumnElement[str] = literal("", literal_execute=True)
    return exists().where(rows_of(key), ROWS.source == nothing)


def unsourced_noted(key: TrialKey) -> ColumnElement[bool]:
    """Say whether a trial's own row notes that it has rows without a source."""
    own = sources.alias("own").c
    of_trial = and_(own.trial_name == key.trial, own.namespace == key.namespace)
    return exists().where(of_trial, own.source == "", own.last_sequence > 0)


def page(
    query: Query, wanted: Collection[str], after: tuple[int, int] | None, size: int
) -> Select[tuple[int, int, str, str]]:
    """Ask for the next rows in their order."""
    conditions = [_given(query.key, wanted, query.metrics)]
    if after is not None:
        micros, row_id = after
        # So written, each half is one range of the index, for all the planners.
        conditions.append(
            and_(
                ROWS.time >= micros,
                or_(and_(ROWS.time == micros, ROWS.id > row_id), ROWS.time > micros),
            )
        )
    if query.from_micros is not None:
        conditions.append(ROWS.time >= query.from_micros)
    if query.to_micros is not None:
        conditions.append(ROWS.time <= query.to_micros)
    columns = select(ROWS.id, ROWS.time, ROWS.metric_name, ROWS.value)
    return columns.where(*conditions).order_by(ROWS.time, ROWS.id).limit(size)


def last_id() -> Select[tuple[int | None]]:
    """Ask for the id of the row that was stored last, of whatever trial."""
    return select(func.max(ROWS.id))


def stored_lately(key: TrialKey, row_id: int, size: int) -> Select[tuple[int, int, str, str]]:
    """Ask for the next rows by id, whatever their source, along the ids of all trials.

    Right where few rows were stored behind the id. There is no index of a trial's ids: each row
    would pay for it, and only watchers use it.
    """
    columns = select(ROWS.id, ROWS.time, ROWS.metric_name, ROWS.value)
    # So written, no planner can choose the trial's index instead.
    of_trial = and_(
        func.coalesce(ROWS.trial_name, "") == key.trial,
        func.coalesce(ROWS.namespace, "") == key.namespace,
    )
    wanted = columns.where(ROWS.id > row_id, of_trial, ROWS.time.is_not(None))
    return wanted.order_by(ROWS.id).limit(size)


def ids_behind(key: TrialKey, row_id: int, size: int) -> Select[tuple[int]]:
    """Ask for the next ids of a trial, along all entries of the trial in its index."""
    ids = select(ROWS.id).where(rows_of(key), ROWS.time.is_not(None))
    # So written, no planner can choose to walk along the ids of all trials instead.
    return ids.where(ROWS.id + 0 > row_id).order_by(ROWS.id + 0).limit(size)


def with_ids(ids: Collection[int]) -> Select[tuple[int, int, str, str]]:
    """Ask for rows by their ids, in their order."""
    columns = select(ROWS.id, ROWS.time, ROWS.metric_name, ROWS.value)
    return columns.where(ROWS.id.in_(ids)).order_by(ROWS.id)


def summaries(
    key: TrialKey, wanted: Collection[str], metrics: Collection[str], number: Number
) -> Select[Any]:
    """Ask for the fields of each metric's `Summary`, in their order.

    The rows are looked at twice, however many metrics there are: once for the numbers, once for
    when they came first. The texts are then found by their time, in the index.
    """
    given = _given(key, wanted, metrics)
    rows = (
        select(ROWS.metric_name.label("metric"), ROWS.time, number(ROWS.value).label("number"))
        .where(given)
        .cte("given")
    )
    extremes = _extremes(rows)
    reached = _reached(rows, extremes)

    def text_at(time: ColumnElement[int], *, last: bool = False) -> Select[tuple[str]]:
        at = select(ROWS.value).where(given, ROWS.metric_name == extremes.c.metric)
        return at.where(ROWS.time == time).order_by(ROWS.id.desc() if last else ROWS.id).limit(1)

    def text_of(time: ColumnElement[int], value: ColumnElement[float]) -> ScalarSelect[str]:
        at = text_at(time).where(number(ROWS.value) == value)
        return at.correlate(extremes, reached).scalar_subquery()

    first, last = extremes.c.first_time, extremes.c.last_time
    return select(
        extremes.c.metric,
        extremes.c.count,
        text_at(first).correlate(extremes).scalar_subquery(),
        text_at(last, last=True).correlate(extremes).scalar_subquery(),
        text_of(reached.c.low_time, extremes.c.low),
        text_of(reached.c.high_time, extremes.c.high),
        first,
        last,
    ).join_from(extremes, reached, extremes.c.metric == reached.c.metric)


def _extremes(rows: CTE) -> CTE:
    """Make: of each metric the count, the first and last time, the least and greatest number."""
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


def _reached(rows: CTE, extremes: CTE) -> CTE:
    """Make: of each metric when its least and its greatest number came first."""
    low = case((rows.c.number == extremes.c.low, rows.c.time))
    high = case((rows.c.number == extremes.c.high, rows.c.time))
    return (
        select(rows.c.metric, func.min(low).label("low_time"), func.min(high).label("high_time"))
        .join_from(rows, extremes, rows.c.metric == extremes.c.metric)
        .group_by(rows.c.metric)
        .cte("reached")
    )


def _given(key: TrialKey, wanted: Collection[str], metrics: Collection[str]) -> ColumnElement[bool]:
    given = and_(rows_of(key), ROWS.time.is_not(None), ROWS.source.in_(sorted(wanted)))
    return and_(given, ROWS.metric_name.in_(metrics)) if metrics else given
