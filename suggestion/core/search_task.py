"""Reads an experiment: which search, in which space, with which seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.errors import Fault, SpecError
from api.faults import forbidden, required
from api.types import ExperimentSpec, Objective, ObjectiveType, SuggestedTrial, Trial
from suggestion.core.algorithm import (
    RANDOM_STATE,
    Algorithm,
    ExplainingSearch,
    Proposal,
    ProposingSearch,
    Search,
    Values,
)
from suggestion.core.network_space import network_space_of
from suggestion.core.registry import find, names
from suggestion.core.search_space import Point, SearchSpace, space_of
from suggestion.core.trial_history import history_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTask:
    """The search that an experiment asks for."""

    space: SearchSpace
    objective: Objective
    search: Search
    seed: int | None
    """The setting `random_state`; None if it is not set."""
    seeded: bool
    """Whether the search is random and so needs a seed."""
    has_checkpoints: bool = False
    """Whether each trial has a directory, which begins as a copy of its parent's."""

    def suggest(
        self, trials: Sequence[Trial], earlier: int, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose `count` points after the `earlier` ones; fewer if the space has no more points."""
        return tuple(one.assignments for one in self.propose(trials, earlier, count, seed).trials)

    def propose(self, trials: Sequence[Trial], earlier: int, count: int, seed: int) -> Proposal:
        """Choose the same points, and return all that the search says of them."""
        history = history_of(trials, self.objective, earlier)
        if isinstance(self.search, ProposingSearch):
            return self.search.propose(self.space, history, count, seed)
        points = self.search.suggest(self.space, history, count, seed)
        return Proposal(
            trials=tuple(SuggestedTrial(name="", assignments=point) for point in points)
        )

    @property
    def explanation(self) -> str:
        """How this space is searched; "" if the name of the algorithm says it all."""
        search = self.search
        return search.explain(self.space) if isinstance(search, ExplainingSearch) else ""


def search_task_of(spec: ExperimentSpec, *, admitted: bool = False) -> SearchTask:
    """Read an experiment; `admitted`: it runs already, so only what the search needs is checked.

    Raises:
        SpecError: the faults of its parameters, objective and algorithm.
        SetupError: the algorithm's package is broken.
    """
    faults: list[Fault] = [*_objective_faults(spec.objective), *_kind_faults(spec)]
    if any(fault.path == "spec.nasConfig" for fault in faults):
        raise SpecError((*faults, *_algorithm_faults(spec)))
    try:
        space = _space(spec)
    except SpecError as error:
        raise SpecError((*faults, *error.faults, *_algorithm_faults(spec))) from None
    try:
        algorithm, values = _algorithm(spec)
    except SpecError as error:
        raise SpecError((*faults, *error.faults)) from None
    faults.extend(algorithm.validate(space, spec, values))
    if not faults and not admitted:
        faults.extend(algorithm.admit(space, spec, values))
    if faults or spec.objective is None:
        raise SpecError(tuple(faults))
    own = {key: value for key, value in values.items() if key != RANDOM_STATE or algorithm.others}
    if algorithm.budgeted:
        own |= {"budget": spec.max_trial_count, "parallel": spec.parallel_trial_count}
    return SearchTask(
        space=space,
        objective=spec.objective,
        search=algorithm.make(**own),
        seed=values.get(RANDOM_STATE),
        seeded=algorithm.seeded,
        has_checkpoints=algorithm.has_checkpoints,
    )


def check_settings(spec: ExperimentSpec) -> None:
    """Check an experiment whose parameters may be missing.

    Raises:
        SpecError: the faults of its algorithm, and of its parameters and objective if it has any.
        SetupError: the algorithm's package is broken.
    """
    if spec.parameters or spec.nas_config is not None:
        search_task_of(spec)
        return
    faults = (*_objective_faults(spec.objective), *_algorithm_faults(spec))
    if faults:
        raise SpecError(faults)


def _kind_faults(spec: ExperimentSpec) -> Iterator[Fault]:
    """Check that the algorithm searches what the experiment has: parameters, or networks."""
    try:
        algorithm = find(_name(spec))
    except SpecError:
        return
    if spec.nas_config is not None and not algorithm.networks:
        why = f"{_name(spec)} searches spec.parameters; write enas as the algorithmName, or darts"
        yield forbidden("spec.nasConfig", why)
    elif spec.nas_config is None and not algorithm.parameters:
        why = f"{_name(spec)} searches networks; write spec.nasConfig in place of spec.parameters"
        yield required("spec.nasConfig", why)


def _space(spec: ExperimentSpec) -> SearchSpace:
    """Return the space of the networks, else that of the parameters."""
    if spec.nas_config is None:
        return space_of(spec.parameters)
    return SearchSpace(dimensions=(), network=network_space_of(spec.nas_config, _name(spec)))


def _name(spec: ExperimentSpec) -> str:
    return spec.algorithm.name if spec.algorithm else ""


def _algorithm(spec: ExperimentSpec) -> tuple[Algorithm, Values]:
    """Return the algorithm and its settings."""
    if spec.algorithm is None:
        why = f"must be specified; write one of {', '.join(names())} as its algorithmName"
        raise SpecError((required("spec.algorithm", why),))
    algorithm = find(spec.algorithm.name)
    return algorithm, algorithm.read(spec.algorithm.name, spec.algorithm.settings)


def _algorithm_faults(spec: ExperimentSpec) -> tuple[Fault, ...]:
    try:
        _algorithm(spec)
    except SpecError as error:
        return error.faults
    return ()


def _objective_faults(objective: Objective | None) -> tuple[Fault, ...]:
    if objective is None:
        return (required("spec.objective", "must be specified"),)
    faults: list[Fault] = []
    if objective.type is ObjectiveType.UNKNOWN:
        faults.append(required("spec.objective.type", "must be minimize or maximize"))
    if not objective.metric:
        faults.append(required("spec.objective.objectiveMetricName", "must be specified"))
    return tuple(faults)
