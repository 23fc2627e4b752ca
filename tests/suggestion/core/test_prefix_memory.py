"""What is remembered of a history saves time, and never changes an answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from suggestion.algorithms import cma_es, grid_search
from suggestion.core.algorithm import Search
from suggestion.core.prefix_memory import PrefixMemory
from suggestion.core.registry import find
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import built, double, integer

PLANE = built(double("x", "0", "1"), integer("n", "0", "9"))
GRID = built(integer("m", "0", "19"), integer("n", "0", "9"))
ONE, TWO = PastTrial(loss=1.0), PastTrial(loss=2.0)


def forget() -> None:
    cma_es.LEARNED.clear()
    grid_search.VISITED.clear()


def ended(trial: PastTrial, dice: random.Random) -> PastTrial:
    """Return how a running trial has gone on: it runs, succeeds, fails, or is deleted."""
    if not trial.running or dice.random() < 0.5:
        return trial
    draw = dice.random()
    if draw < 0.1:
        return PastTrial()
    return replace(trial, running=False, loss=None if draw < 0.2 else dice.random())


@pytest.mark.parametrize(
    ("search", "space"),
    [
        (find("cmaes").make(), PLANE),
        (find("cmaes").make(restart_strategy="bipop"), PLANE),
        (find("grid").make(), GRID),
    ],
    ids=["cmaes", "restarting cmaes", "grid"],
)
@pytest.mark.parametrize("seed", range(3))
def test_an_answer_is_the_same_with_memory_and_without(
    search: Search, space: SearchSpace, seed: int
) -> None:
    forget()
    dice = random.Random(seed)
    answers: list[tuple[History, tuple[Point, ...]]] = []
    history: History = ()
    for _ in range(40):
        points = search.suggest(space, history, dice.randrange(1, 5), seed)
        answers.append((history, points))
        history += tuple(PastTrial(assignments=point, running=True) for point in points)
        if dice.random() < 0.2:
            history += (PastTrial(running=True),)
        if dice.random() < 0.1:
            earlier = history[: dice.randrange(len(history) + 1)]
            answers.append((earlier, search.suggest(space, earlier, 1, seed)))
        history = tuple(ended(one, dice) for one in history)

    for history, points in answers:
        forget()
        assert search.suggest(space, history, len(points), seed) == points


def losses(*values: float | None) -> History:
    """Return as many trials of the plane, all ended; None: one that failed."""
    points = find("random").make().suggest(PLANE, (), len(values), 1)
    pairs = zip(points, values, strict=True)
    return tuple(PastTrial(assignments=point, loss=loss) for point, loss in pairs)


def still_running(history: History, index: int) -> History:
    return (*history[:index], replace(history[index], running=True), *history[index + 1 :])


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (losses(*range(5), None), still_running(losses(*range(5), None), 5)),
        (
            still_running(losses(*range(5), None, *range(5), None), 5),
            still_running(still_running(losses(*range(5), None, *range(5), None), 5), 11),
        ),
    ],
    ids=["a member runs", "a member of the next generation runs"],
)
def test_a_trial_that_failed_elsewhere_does_not_count_as_failed_while_it_runs(
    known: History, asked: History
) -> None:
    """Another experiment may have the same space, seed and results, such as an example's."""
    search = find("cmaes").make()
    forget()
    expected = search.suggest(PLANE, asked, 1, 1)
    forget()
    search.suggest(PLANE, known, 1, 1)

    assert search.suggest(PLANE, asked, 1, 1) == expected


@pytest.mark.parametrize(
    ("name", "space"), [("cmaes", PLANE), ("grid", GRID)], ids=["cmaes", "grid"]
)
def test_a_second_question_looks_only_at_new_trials(
    name: str, space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = find(name).make()
    points = find("random").make().suggest(space, (), 60, 1)
    history = tuple(PastTrial(assignments=point, loss=float(i)) for i, point in enumerate(points))
    read: list[object] = []
    texts: Callable[..., tuple[str, ...] | None] = SearchSpace.texts

    def counting(self: SearchSpace, assignments: Point) -> tuple[str, ...] | None:
        read.append(assignments)
        return texts(self, assignments)

    monkeypatch.setattr(SearchSpace, "texts", counting)
    forget()
    search.suggest(space, history[:-1], 1, 1)
    assert len(read) == 59
    read.clear()
    search.suggest(space, history, 1, 1)

    assert len(read) <= 12  # of the last two generations, at most


def test_a_state_counts_only_for_histories_that_begin_like_its_own() -> None:
    memory: PrefixMemory[str] = PrefixMemory("loss")

    for history, expected in (
        ((ONE, TWO), ("state", 1)),
        ((ONE,), ("state", 1)),
        ((TWO, ONE), None),
        ((), None),
    ):
        memory.put("key", (ONE,), "state")
        assert memory.take("key", history) == expected
        assert memory.take("key", history) is None


def test_the_oldest_experiments_are_forgotten() -> None:
    memory: PrefixMemory[int] = PrefixMemory("loss")
    for key in range(10):
        memory.put(key, (ONE,), key)

    kept = [key for key in range(10) if memory.take(key, (ONE,)) is not None]

    assert kept == [6, 7, 8, 9]
