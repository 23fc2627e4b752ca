"""The queries, as SQLAlchemy expressions: the same for every database but for what is a number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.sql.selectable import CompoundSelect

from dbmanager.schema import observation_logs, sources
from dbmanager.store import Query, TrialKey

LOGS = observation_logs.c
SOURCES = sources.c


def of_trial(key: TrialKey) -> ColumnElement[bool]:
    """Say which rows are a trial's."""
    return and_(LOGS.trial_name == key.trial, LOGS.namespace == key.namespace)


def namespaces(trial: str) -> CompoundSelect[Any]:
    """Ask under which namespaces a trial name is stored."""
    return union(
        select(LOGS.namespace).where(LOGS.trial_name == trial),
        select(SOURCES.namespace).where(SOURCES.trial_name == trial),
    )


def source_states(key: TrialKey) -> Select[Any]:
    """Ask how each of a trial's sources ended."""
    return select(SOURCES.source, SOURCES.outcome).where(
        SOURCES.trial_name == key.trial, SOURCES.namespace == key.namespace
    )


def an_unsourced_row(key: TrialKey) -> Select[Any]:
    """Ask for one row without a source."""
    return (
        select(literal(1))
        .select_from(observation_logs)
        .where(of_trial(key), LOGS.source == "", LOGS.time.is_not(None))
        .limit(1)
    )


def page(
    query: Query, shown: Collection[str], after: tuple[int, int] | None, size: int
) -> Select[Any]:
    """Ask for the next rows in their order."""
    wanted = _shown(query.key, shown, query.metrics)
    if query.from_micros is not None:
        wanted = and_(wanted, LOGS.time >= query.from_micros)
    if query.to_micros is not None:
        wanted = and_(wanted, LOGS.time <= query.to_micros)
    if after is not None:
        micros, row_id = after
        wanted = and_(
            wanted,
            LOGS.time >= micros,  # what the index can begin at
            or_(LOGS.time > micros, LOGS.id > row_id),
        )
    return (
        select(LOGS.id, LOGS.time, LOGS.metric_name, LOGS.value)
        .where(wanted)
        .order_by(LOGS.time, LOGS.id)
        .limit(size)
    )


def stored_behind(key: TrialKey, row_id: int, size: int) -> Select[Any]:
    """Ask for the next rows by id, whatever their source."""
    return (
        select(LOGS.id, LOGS.time, LOGS.metric_name, LOGS.value)
        .where(of_trial(key), LOGS.id > row_id, LOGS.time.is_not(None))
        .order_by(LOGS.id)
        .limit(size)
    )


def summaries(
    key: TrialKey,
    shown: Collection[str],
    metrics: Sequence[str],
    number: Callable[[ColumnElement[str]], ColumnElement[float]],
) -> Select[Any]:
    """Ask for one row a metric: name, count, first, last, smallest, largest, times.

    `number` makes the expression that is a value's number, or NULL where it is no finite one.
    """
    valued = (
        select(
            LOGS.metric_name.label("metric"),
            LOGS.value.label("value"),
            LOGS.time.label("time"),
            LOGS.id.label("id"),
            number(LOGS.value).label("number"),
        )
        .where(_shown(key, shown, tuple(metrics)))
        .subquery("valued")
    )
    row = valued.c
    none = row.number.is_(None)
    text_of_number = case((row.number.is_not(None), row.value))

    def first(expression: ColumnElement[str], *order: ColumnElement[Any]) -> ColumnElement[str]:
        return func.first_value(expression).over(partition_by=row.metric, order_by=order)

    ordered = (
        select(
            row.metric,
            row.time,
            first(row.value, row.time, row.id).label("first"),
            first(row.value, row.time.desc(), row.id.desc()).label("last"),
            first(text_of_number, none, row.number, row.time, row.id).label("low"),
            first(text_of_number, none, row.number.desc(), row.time, row.id).label("high"),
        )
    ).subquery("ordered")
    of = ordered.c
    return (
        select(
            of.metric,
            func.count(),
            func.min(of.first),
            func.min(of.last),
            func.min(of.low),
            func.min(of.high),
            func.min(of.time),
            func.max(of.time),
        )
        .group_by(of.metric)
        .order_by(of.metric)
    )


def without_trial(key: TrialKey) -> tuple[Delete, Delete]:
    """Delete a trial's rows; delete its sources."""
    return (
        delete(observation_logs).where(of_trial(key)),
        delete(sources).where(SOURCES.trial_name == key.trial, SOURCES.namespace == key.namespace),
    )


def _shown(key: TrialKey, shown: Collection[str], metrics: tuple[str, ...]) -> ColumnElement[bool]:
    wanted = and_(of_trial(key), LOGS.source.in_(sorted(shown)), LOGS.time.is_not(None))
    return and_(wanted, LOGS.metric_name.in_(metrics)) if metrics else wanted
