"""Which waiting call is next, and how much may wait."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from suggestion.service.searches import QueueFullError
from suggestion.workers.fair_queue import FairQueue, QueueBounds

SMALL = QueueBounds(namespace_calls=3, namespace_bytes=100, all_calls=5, all_bytes=150)


def filled(*calls: str, bounds: QueueBounds = SMALL) -> FairQueue[str]:
    """Return a queue; the first letter of a call is its namespace, its length its size."""
    queue: FairQueue[str] = FairQueue(bounds)
    for call in calls:
        queue.put(call[0], call, len(call))
    return queue


def taken(queue: FairQueue[str], busy: Collection[str] = ()) -> list[str]:
    return [call for _ in range(len(queue)) if (call := queue.next(busy)) is not None]


def test_namespaces_take_turns_and_each_ones_calls_keep_their_order() -> None:
    queue = filled("a1", "a2", "a3", "b1", "c1")

    assert taken(queue) == ["a1", "b1", "c1", "a2", "a3"]
    assert len(queue) == 0


def test_a_namespace_that_has_had_its_turn_is_behind_one_that_came_later() -> None:
    queue = filled("a1", "a2")

    assert queue.next(()) == "a1"
    queue.put("b", "b1", 2)
    queue.put("a", "a3", 2)
    assert taken(queue) == ["a2", "b1", "a3"]


def test_a_busy_namespace_waits_and_keeps_its_place() -> None:
    queue = filled("a1", "b1", "b2")

    assert queue.next({"a"}) == "b1"
    assert queue.next({"a", "b"}) is None
    assert taken(queue) == ["a1", "b2"]


def test_a_namespace_whose_call_has_ended_is_behind_those_that_waited_for_that() -> None:
    queue = filled("a1")
    assert queue.next(()) == "a1"
    queue.put("a", "a2", 2)
    queue.put("b", "b1", 2)
    queue.served("a")
    queue.served("unknown")

    assert taken(queue) == ["b1", "a2"]


def test_a_removed_call_is_not_taken_and_makes_room() -> None:
    queue = filled("a1", "a2", "a3")
    queue.remove("a", "a2")
    queue.remove("a", "a2")
    queue.put("a", "a4", 2)

    assert taken(queue) == ["a1", "a3", "a4"]


@pytest.mark.parametrize(
    ("waiting", "namespace", "size", "message"),
    [
        (("a1", "a2", "a3"), "a", 1, r"^namespace a: 3 calls \(6 bytes\) wait for a search; ask"),
        (("a" * 60,), "a", 41, r"^namespace a: 1 calls \(60 bytes\) wait"),
        (("1", "2"), "", 101, r"^namespace \(none\): 0 calls"),
        (("a1", "b1", "c1", "d1", "e1"), "f", 1, r"^5 calls \(10 bytes\) of all namespaces wait"),
        (("a" * 80, "b" * 60), "c", 11, r"^2 calls \(140 bytes\) of all namespaces wait"),
    ],
)
def test_a_call_too_many_is_refused(
    waiting: tuple[str, ...], namespace: str, size: int, message: str
) -> None:
    queue = filled(*waiting)
    with pytest.raises(QueueFullError, match=message):
        queue.put(namespace, "more", size)

    assert sorted(taken(queue)) == sorted(waiting)


def test_a_full_namespace_leaves_room_for_others() -> None:
    queue = filled("a1", "a2", "a3")
    queue.put("b", "b1", 100)

    assert taken(queue) == ["a1", "b1", "a2", "a3"]


def test_the_size_of_taken_calls_counts_no_more() -> None:
    queue = filled("a" * 100)
    taken(queue)
    queue.put("a", "again", 100)

    assert taken(queue) == ["again"]
