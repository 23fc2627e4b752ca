"""The points that were accepted last: the same one again is not a new one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from api.report_limits import LARGEST_STEP
from collector.mlflow.exchange import LoggedPoint

NO_STEP = -1
"""The step of a point that is stored without one."""
MOST_RECENT = 4_096
"""Points that are remembered; the metrics of one request are usually few."""


class RecentPoints:
    """Remembers points, the last ones only.

    A client sends a request again if its answer was lost, and MLflow's own store keeps one of two
    metrics that are the same in all parts.
    """

    def __init__(self, points: Iterable[LoggedPoint] = ()) -> None:
        """Begin with these points, the oldest first: those that were accepted before a restart."""
        self._points: OrderedDict[LoggedPoint, None] = OrderedDict()
        self.remember(points)

    def new(self, points: Iterable[LoggedPoint]) -> tuple[LoggedPoint, ...]:
        """Return the points that are not remembered, each once and in their order."""
        return tuple(point for point in dict.fromkeys(points) if _key(point) not in self._points)

    def remember(self, points: Iterable[LoggedPoint]) -> None:
        """Remember points that were accepted."""
        self._points.update(dict.fromkeys(map(_key, points)))
        while len(self._points) > MOST_RECENT:
            self._points.popitem(last=False)


def _key(point: LoggedPoint) -> LoggedPoint:
    """Return the point as it is stored: a step that the store does not take is not kept."""
    return point if 0 <= point.step <= LARGEST_STEP else point._replace(step=NO_STEP)
