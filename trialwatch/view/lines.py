"""What is told where there is no terminal: one line for each thing that happened."""

from __future__ import annotations

from collections.abc import Iterator

from api.faults import visible
from trialwatch.view.standing import Row, Standing, State
from trialwatch.view.words import choice, counted, duration


def opening(standing: Standing) -> Iterator[str]:
    """Say what is about to happen; and where a run goes on, what has happened already."""
    objective = standing.objective
    most = standing.most
    limit = "trials without limit" if most is None else f"{counted(most, 'trial')} at most"
    yield (
        f"experiment {visible(standing.name)}: {objective.type.value} {visible(objective.metric)}"
        f" by {visible(standing.algorithm)}, {limit}"
    )
    if standing.rows:
        yield f"going on with {counted(len(standing.rows), 'trial')}, of which {_ended(standing)}"
        if standing.best is not None:
            yield _best(standing.best, standing)


def _ended(standing: Standing) -> str:
    return f"{standing.ended:,} {'has' if standing.ended == 1 else 'have'} ended"


def news(before: Standing, after: Standing) -> Iterator[str]:
    """Tell what is new: trials that started, trials that ended, another best one."""
    known = {row.name: row.state for row in before.rows}
    for row in after.rows:
        was = known.get(row.name, State.WAITING)
        if was is State.WAITING and row.state is not State.WAITING:
            yield f"{visible(row.name)} started: {choice(row.assignments)}"
        if row.state.ended and not was.ended:
            yield f"{visible(row.name)} {_end(row)}"
    if after.best is not None and _differs(before.best, after.best):
        yield _best(after.best, after)


def _differs(before: Row | None, after: Row) -> bool:
    return before is None or before.name != after.name


def _end(row: Row) -> str:
    what = "ended without metrics" if row.state is State.WITHOUT_METRICS else row.state.value
    ran = f" after {duration(row.seconds)}" if row.seconds is not None else ""
    values = " ".join(f"{visible(name)}={visible(text)}" for name, text in row.metrics.items())
    well = row.state in (State.SUCCEEDED, State.STOPPED)
    told = values if well else visible(row.cause)
    return f"{what}{ran}{f': {told}' if told else ''}"


def _best(best: Row, standing: Standing) -> str:
    metric = standing.objective.metric
    value = best.metrics.get(metric, "")
    return f"best so far: {visible(metric)}={visible(value)} by {visible(best.name)}"
