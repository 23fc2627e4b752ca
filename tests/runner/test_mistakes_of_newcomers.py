"""What a newcomer gets wrong in an Experiment: one line for each, with the place and the remedy.

Each row changes `examples/random.yaml`, which is in order: the text to look for, the text in its
place, and the line that is printed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import SpecError, UserError
from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.validation import faults_of, warnings_of
from api.objects.yamltext import load_objects
from runner.experiments import read_examined, read_text

EXAMPLE = (Path(__file__).parents[2] / "examples" / "random.yaml").read_text()

RANDOM = "    algorithmName: random\n"
OPTIMIZER = (
    "      - name: optimizer\n        description: The optimizer\n        reference: optimizer\n"
)
USE = "                  - --optimizer=${trialParameters.optimizer}\n"


def with_setting(algorithm: str, name: str, value: str) -> str:
    settings = f"      - name: {name}\n        value: {value}\n"
    return f"    algorithmName: {algorithm}\n    algorithmSettings:\n{settings}"


SETTING = "spec.algorithm.algorithmSettings[0]"
TEMPLATE = "spec.trialTemplate"
SPACE = "spec.parameters[0].feasibleSpace"

MISTAKES = [
    (
        "an algorithm is misspelt",
        RANDOM,
        "    algorithmName: randm\n",
        'spec.algorithm.algorithmName: Invalid value: "randm": unknown algorithm name randm; did you mean "random"?',
    ),
    (
        "a condition of the job asks for what nobody reads",
        "  trialTemplate:\n",
        "  trialTemplate:\n    successCondition: status.@reverse\n",
        (
            'spec.trialTemplate.successCondition: Invalid value: "status.@reverse": "@reverse" is not supported; use'
            " paths, #(...), @this or [...]"
        ),
    ),
    (
        "an algorithm is not available",
        RANDOM,
        "    algorithmName: evolution\n",
        (
            'spec.algorithm.algorithmName: Invalid value: "evolution": unknown algorithm name evolution; write one of '
            "random, grid, sobol, tpe, multivariate-tpe, cmaes, bayesianoptimization, hyperband, pbt, qmc, gp, auto, enas, darts"
        ),
    ),
    (
        "a setting is out of range",
        RANDOM,
        with_setting("tpe", "gamma", '"2"'),
        f'{SETTING}.value: Invalid value: "2": gamma should be in the range of (0, 1); write a number above 0 and below 1',
    ),
    (
        "a setting is no number",
        RANDOM,
        with_setting("random", "random_state", "yesterday"),
        f'{SETTING}.value: Invalid value: "yesterday": failed to validate random_state(yesterday): write a whole number from 0 to 9223372036854775807',
    ),
    (
        "a setting is a number where a text belongs",
        RANDOM,
        with_setting("random", "random_state", "1234"),
        f'{SETTING}.value: Invalid value: 1234: must be a string, not a number; write it in quotes: "1234"',
    ),
    (
        "a setting is unknown",
        RANDOM,
        with_setting("random", "seed", '"1"'),
        f'{SETTING}.name: Invalid value: "seed": unknown setting seed for algorithm random; known are random_state',
    ),
    (
        "grid is to go over numbers without steps",
        RANDOM,
        "    algorithmName: grid\n",
        (
            f"{SPACE}.step: Required value: Param lr step is nil; For discrete search space, all parameters must include step; "
            "write one, or take another algorithm"
        ),
    ),
    (
        "a trial parameter is not used in the template",
        USE,
        "",
        (
            f'{TEMPLATE}.trialParameters[2].name: Invalid value: "optimizer": parameter name: optimizer in spec.trialParameters '
            "not found in spec.trialTemplate; write ${trialParameters.optimizer} where its value belongs"
        ),
    ),
    (
        "the template uses what is no trial parameter",
        OPTIMIZER,
        "",
        (
            f'{TEMPLATE}: Invalid value: "optimizer": parameters: ["optimizer"] in spec.trialTemplate not found in '
            "spec.trialParameters; add each of them there"
        ),
    ),
    (
        "a trial parameter refers to nothing",
        "        reference: optimizer\n",
        "        reference: optimiser\n",
        (
            f'{TEMPLATE}.trialParameters[2].reference: Invalid value: "optimiser": parameter reference optimiser does not exist '
            'in spec.parameters; did you mean "optimizer"?'
        ),
    ),
    (
        "the goal is no number",
        "goal: 0.99",
        "goal: high",
        'spec.objective.goal: Invalid value: "high": must be a number, not a string; write digits',
    ),
    (
        "the goal is a number in quotes",
        "goal: 0.99",
        'goal: "0.99"',
        'spec.objective.goal: Invalid value: "0.99": must be a number, not a string; write it without quotes',
    ),
    (
        "the goal is not finite",
        "goal: 0.99",
        "goal: .inf",
        'random.yaml, line 18, column 11: JSON cannot hold the number ".inf"; write a finite one',
    ),
    (
        "more are to run at a time than at all",
        "parallelTrialCount: 3",
        "parallelTrialCount: 30",
        "spec.parallelTrialCount: Invalid value: 30: should be less than or equal to spec.maxTrialCount, which is 12; write a smaller number",
    ),
    (
        "a count is a word",
        "parallelTrialCount: 3",
        "parallelTrialCount: three",
        'spec.parallelTrialCount: Invalid value: "three": must be a whole number, not a string; write digits',
    ),
    (
        "a field is misspelt",
        "maxTrialCount",
        "maxTrailCount",
        'spec.maxTrailCount: Invalid value: 12: unknown field; did you mean "maxTrialCount"?',
    ),
    (
        "a word is British",
        "type: maximize",
        "type: maximise",
        'spec.objective.type: Invalid value: "maximise": is not supported; write one of: minimize, maximize; did you mean "maximize"?',
    ),
    (
        "a parameter's type is another language's",
        "parameterType: double",
        "parameterType: float",
        'spec.parameters[0].parameterType: Invalid value: "float": is not supported; write one of: double, int, discrete, categorical',
    ),
    (
        "a bound is a number where a text belongs",
        'min: "0.01"',
        "min: 0.01",
        f'{SPACE}.min: Invalid value: 0.01: must be a string, not a number; write it in quotes: "0.01"',
    ),
    (
        "the bounds are the wrong way round",
        'min: "0.01"',
        'min: "0.1"',
        f'{SPACE}.min: Invalid value: "0.1": must not be greater than max, which is 0.03; swap the two',
    ),
    (
        "the container has another name",
        "primaryContainerName: training-container",
        "primaryContainerName: trainer",
        (
            f'{TEMPLATE}.primaryContainerName: Invalid value: "trainer": is not a container of the Job, which has training-container; '
            "name the container that trains"
        ),
    ),
    (
        "a metric is named twice",
        "      - Train-accuracy",
        "      - Validation-accuracy",
        (
            'spec.objective.additionalMetricNames: Invalid value: "Validation-accuracy": should not contain '
            "spec.objective.objectiveMetricName; delete it from this list"
        ),
    ),
    (
        "a line is indented by a tab",
        "  objective:",
        "\tobjective:",
        "random.yaml, line 16, column 1: is not valid YAML: the line contains a tab; replace it with spaces",
    ),
    (
        "a colon is missing",
        "goal: 0.99",
        "goal 0.99",
        (
            "random.yaml, line 19, column 5: is not valid YAML: could not find expected ':'; "
            "check the indentation and the quotes near it"
        ),
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [mistake[1:] for mistake in MISTAKES],
    ids=[mistake[0] for mistake in MISTAKES],
)
def test_a_mistake_is_reported_in_one_line_with_its_place_and_the_remedy(
    old: str, new: str, line: str
) -> None:
    assert old in EXAMPLE

    with pytest.raises(SpecError) as caught:
        read_text(EXAMPLE.replace(old, new, 1), "random.yaml")

    assert str(caught.value) == line


def test_a_mistake_in_an_enqueued_point_is_named_by_its_flag_or_its_annotation() -> None:
    _, by_flag = read_examined(EXAMPLE, "random.yaml", enqueue=["optimiser=sgd"])
    annotated = EXAMPLE.replace(
        "metadata:\n", 'metadata:\n  annotations: {trialwatch.dev/enqueue: "optimiser=sgd"}\n', 1
    )
    _, by_annotation = read_examined(annotated, "random.yaml")

    said = 'Invalid value: "optimiser=sgd": point 1: no parameter has the name "optimiser"'
    assert [fault.path for fault in by_flag] == ["--enqueue"]
    assert [f.path for f in by_annotation] == ["metadata.annotations[trialwatch.dev/enqueue]"]
    assert all(one.message.startswith(said) for one in (*by_flag, *by_annotation))


def test_more_enqueued_points_than_trials_are_refused() -> None:
    _, faults = read_examined(EXAMPLE, "random.yaml", enqueue=["lr=0.02"] * 13)

    assert "has 13 points for 12 trials; write a larger spec.maxTrialCount" in faults[0].message


def test_all_mistakes_are_reported_at_once() -> None:
    text = EXAMPLE.replace(RANDOM, "    algorithmName: randm\n")
    text = text.replace("parallelTrialCount: 3", "parallelTrialCount: 30").replace(USE, "")

    with pytest.raises(SpecError) as caught:
        read_text(text, "random.yaml")

    assert [fault.path for fault in caught.value.faults] == [
        "spec.parallelTrialCount",
        f"{TEMPLATE}.trialParameters[2].name",
        "spec.algorithm.algorithmName",
    ]


def test_a_file_without_an_experiment_says_what_it_has() -> None:
    with pytest.raises(UserError) as caught:
        read_text(EXAMPLE.replace("kind: Experiment", "kind: Experimet"), "random.yaml")

    assert str(caught.value) == (
        "random.yaml has no Experiment (found: Experimet); use a file with one `kind: Experiment`"
    )


def test_a_goal_that_is_left_out_is_no_mistake() -> None:
    """Kubernetes takes `goal:` with nothing behind it as left out, and so do we."""
    given = read_text(EXAMPLE.replace("goal: 0.99", "goal:"), "random.yaml")

    assert given.experiment.spec.objective is not None
    assert given.experiment.spec.objective.goal is None


def test_what_has_no_effect_is_refused_here_and_a_warning_in_a_cluster() -> None:
    text = EXAMPLE.replace(OPTIMIZER, "").replace(USE, "")
    strategies = "metricStrategies:\n      - {name: Validation-acuracy, value: latest}\n"
    text = text.replace("objectiveMetricName", f"{strategies}    objectiveMetricName")
    lines = [
        (
            'spec.parameters[2].name: Invalid value: "optimizer": has no effect: no entry of spec.trialTemplate.'
            "trialParameters has it as its reference; to use it, add the entry and write ${trialParameters.optimizer} in"
            " the template; else delete the parameter"
        ),
        (
            'spec.objective.metricStrategies[0].name: Invalid value: "Validation-acuracy": has no effect: no metric of the'
            " objective has this name; write one of: Validation-accuracy, Train-accuracy; did you mean"
            ' "Validation-accuracy"?'
        ),
    ]
    [document] = load_objects(text)
    experiment = with_defaults(parse_experiment(document))

    with pytest.raises(SpecError) as caught:
        read_text(text, "random.yaml")

    assert str(caught.value).splitlines() == lines
    assert faults_of(experiment, check_filter=lambda _: None) == ()
    assert [str(warning) for warning in warnings_of(experiment)] == lines
    assert warnings_of(read_text(EXAMPLE, "random.yaml").experiment) == ()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'max: "0.03"\n',
            'max: "0.03"\n        step: "0.1"\n',
            (
                f'{SPACE}.step: Invalid value: "0.1": is wider than the range from 0.01 to 0.03, so the parameter has one'
                " value only; write a smaller step"
            ),
        ),
        (
            'max: "0.03"\n',
            'max: "0.01"\n',
            (
                f'{SPACE}.min: Invalid value: "0.01": equals max, so the parameter has one value only; widen the range, or'
                " write the value into the template"
            ),
        ),
    ],
)
def test_a_range_of_one_value_is_taken_and_warned_of(old: str, new: str, line: str) -> None:
    assert old in EXAMPLE
    given = read_text(EXAMPLE.replace(old, new), "random.yaml")

    assert [str(warning) for warning in warnings_of(given.experiment)] == [line]


@pytest.mark.parametrize(("most", "parallel"), [(1, 1), (2, 2), (3, 3), (12, 3)])
def test_the_default_of_parallel_trials_is_never_above_the_most_trials(
    most: int, parallel: int
) -> None:
    text = EXAMPLE.replace("  parallelTrialCount: 3\n", "")
    text = text.replace("maxTrialCount: 12", f"maxTrialCount: {most}")
    given = read_text(text.replace("maxFailedTrialCount: 3", "maxFailedTrialCount: 1"), "e.yaml")

    assert given.experiment.spec.parallel_trial_count == parallel
