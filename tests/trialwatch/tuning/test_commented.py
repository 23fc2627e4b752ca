"""An Experiment's file with comments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.objects.experiments import render_experiment
from api.objects.yamltext import load_objects
from tests.trialwatch.tuning.test_experiment import request
from trialwatch.tuning.commented import commented_yaml
from trialwatch.tuning.experiment import build_experiment
from trialwatch.tuning.explained import FileNotes, explain

EXPERIMENT = build_experiment(request("LR={lr}", "sh", "-c", "echo '# x'\n# y\n", "{lr}"))


def test_each_comment_stands_before_its_block() -> None:
    text = commented_yaml(
        EXPERIMENT,
        {(): ["top", ""], ("spec", "objective"): ["o"], ("spec", "parameters", 0): ["p"]},
    )

    assert text.startswith("# top\n#\napiVersion:")
    assert "spec:\n  # o\n  objective:\n" in text
    assert "  parameters:\n  # p\n  - name: lr\n" in text


def test_the_explained_file_names_what_to_check() -> None:
    notes = FileNotes(
        file="e.yaml",
        command="python train.py --lr 0.1",
        guessed_metric=True,
        parameters={"lr": "lr was 0.1"},
        kept=("epochs",),
    )
    text = commented_yaml(EXPERIMENT, explain(EXPERIMENT, notes))

    assert "  # CHECK: lr was 0.1\n  - name: lr\n" in text
    assert "  # CHECK: The metric that decides, as the program prints it" in text
    assert "# CHECK: The image with the program" in text
    assert "These stay as they are: epochs." in text
    assert "    trialwatch tune -- python train.py --lr 0.1" in text
    assert max(map(len, text.splitlines())) <= 100


@given(st.text(max_size=30).filter(lambda text: text.isprintable()), st.booleans())
def test_comments_do_not_change_the_experiment(command: str, guessed: bool) -> None:  # noqa: FBT001
    notes = FileNotes(file="e.yaml", command=command, guessed_metric=guessed, kept=(command,))
    text = commented_yaml(EXPERIMENT, explain(EXPERIMENT, notes))

    assert load_objects(text) == load_objects(commented_yaml(EXPERIMENT, {}))
    assert load_objects(text) == [render_experiment(EXPERIMENT)]
