"""`trialwatch tune`: from a command line to a result, and what mistakes get."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.experiment_runs import Machine, wait_for
from trialwatch.__main__ import main

TRAIN = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--opt")
arguments = parser.parse_args()
print(f"epoch 1 loss={arguments.lr} accuracy={1 - arguments.lr}")
"""
LR = "lr=0.001..0.1:log"
OPT = "opt=adam,sgd"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    yield made
    made.close()


def stored(machine: Machine) -> list[Path]:
    return sorted((machine.folder / ".trialwatch" / "default").iterdir())


def test_a_line_tunes_a_program_and_the_same_line_continues(machine: Machine) -> None:
    line = ("tune", "--maximize", "accuracy", "--param", LR, "--param", OPT, "--also", "loss")
    program = ("--", "python3", "train.py", "--lr={lr}", "--opt", "{opt}")

    status, out, err = machine.call(*line, "--trials=2", *program)
    assert (status, err) == (0, "")
    assert "2 trials: 2 succeeded" in out
    assert "  accuracy" in out
    assert "  loss" in out

    status, out, err = machine.call(*line, "--trials=3", *program)
    assert (status, err) == (0, "")
    assert "continuing with 2 trials" in out
    assert "the program with these values:\n  python3 train.py --lr=0.0" in out
    assert "3 trials: 3 succeeded" in out
    assert len(stored(machine)) == 1


def test_values_arrive_by_the_environment_and_by_a_file(machine: Machine) -> None:
    (machine.folder / "train.sh").write_text('echo "loss=$LR"; cat "$1"; echo "a=$(true)b"\n')

    status, out, err = machine.call(
        *("tune", "--minimize=loss", "--param", LR, "--param=n=1..9", "--trials=1"),
        *("--", "LR={lr}", "sh", "train.sh", "{params.json}"),
    )

    assert (status, err) == (0, ""), out
    [trial] = machine.trials(stored(machine)[0].name).values()
    lr, n = (one["value"] for one in trial["spec"]["parameterAssignments"])
    [log] = (stored(machine)[0] / "logs").glob("*/*/training.log")
    assert log.read_text() == f'loss={lr}\n{{"lr": {lr}, "n": {n}}}\na=b\n'


def test_metrics_are_read_from_a_file(machine: Machine) -> None:
    (machine.folder / "train.sh").write_text('echo "{\\"val\\": {\\"loss\\": $1}}" > "$2"\n')

    status, out, err = machine.call(
        *("tune", "--minimize=val.loss", "--param", LR, "--trials=2", "--parallel=2"),
        *("--file=metrics.jsonl", "--metrics-format=JSON"),
        *("--", "sh", "train.sh", "{lr}", "{file}"),
    )

    assert (status, err) == (0, ""), out
    assert "2 trials: 2 succeeded" in out


def test_a_metric_that_is_not_printed_ends_the_run_with_the_ones_that_are(machine: Machine) -> None:
    status, out, err = machine.call(
        *("tune", "--maximize", "acuracy", "--param", LR, "--trials=9"),
        *("--", "python3", "train.py", "--lr={lr}"),
    )

    assert status == 2, out
    assert "the program prints no metric 'acuracy'; it prints\n" in err
    assert "  accuracy       1" in err
    assert err.endswith(
        'did you mean "accuracy"? Then write\n'
        "  trialwatch tune --maximize accuracy --param lr=0.001..0.1:log --trials=9 --"
        " python3 train.py --lr={lr}\n"
    )


def test_a_pattern_finds_the_names_that_it_matches(machine: Machine) -> None:
    line = ("tune", "--param", LR, r"--metrics-format=(\w+) is (\S+)")
    program = ("--", "sh", "-c", "echo quality is {lr}")

    status, out, err = machine.call(*line, *program)
    assert (status, err) == (0, "")
    assert "  quality       1" in out

    status, out, err = machine.call(*line, "--maximize=qualty", *program)
    assert status == 2
    assert "the program prints no metric 'qualty'; it prints\n" in err
    assert 'did you mean "quality"? Then write\n' in err


def test_a_program_that_prints_no_metric_gets_how_to_print_one(machine: Machine) -> None:
    status, out, err = machine.call(
        *("tune", "--maximize", "accuracy", "--param", LR, "--", "sh", "-c", ": {lr}")
    )

    assert status == 2, out
    assert (
        "the program prints no metric 'accuracy', and no other: let it print lines such as" in err
    )


def test_a_metric_that_is_only_nan_does_not_end_the_run(machine: Machine) -> None:
    status, out, err = machine.call(
        *("tune", "--minimize=loss", "--param", LR, "--trials=2", "--parallel=1"),
        *("--", "sh", "-c", "test -f a && echo loss=1; touch a; echo loss=nan; : {lr}"),
    )

    assert status == 0, out + err
    assert "2 trials: 1 succeeded" in out


def test_a_program_that_always_fails_ends_the_run_with_the_cause(machine: Machine) -> None:
    status, out, err = machine.call(
        *("tune", "--maximize", "accuracy", "--param", LR, "--", "python3", "train.py", "--x={lr}")
    )

    assert status == 2, out
    # Three failures end the search; the trials that run beside them may fail before it ends.
    assert re.search(
        r"the first \d trials failed, so the search was ended: the program ended with status 2;"
        r" its last output:\n    usage: train\.py",
        err,
    )
    assert "\n    train.py: error: unrecognized arguments: --x=" in err
    assert "\n  trialwatch logs train-" in err


def test_a_search_that_found_no_metric_has_failed_and_is_not_continued(machine: Machine) -> None:
    line = ("tune", "--maximize", "acuracy", "--param", LR)
    machine.call(*line, "--", "python3", "train.py", "--lr={lr}")

    status, out, err = machine.call("get", "trials")
    assert (status, err) == (0, ""), out
    assert "Interrupted" not in out
    status, out, err = machine.call("get", "experiments", "-o", "wide")
    assert (status, err) == (0, ""), out
    assert (
        "Experiment has failed because the program prints no metric 'acuracy'; it prints accuracy"
        in out
    )


def test_a_program_that_was_mended_runs_all_its_trials_again(machine: Machine) -> None:
    line = ("tune", "--maximize", "accuracy", "--param", LR, "--trials=6")
    program = ("--", "python3", "train.py", "--lr={lr}")
    (machine.folder / "train.py").write_text("raise SystemExit('a mistake')")
    status, _, err = machine.call(*line, *program)
    assert status == 2
    assert "a mistake" in err

    (machine.folder / "train.py").write_text(TRAIN)
    status, out, err = machine.call(*line, *program)

    assert (status, err) == (0, "")
    assert "\n6 trials: 6 succeeded, in " in out


def test_a_search_that_runs_again_without_its_metric_ends_again(machine: Machine) -> None:
    line = (
        "tune",
        "--maximize",
        "acuracy",
        "--param",
        LR,
        "--",
        "python3",
        "train.py",
        "--lr={lr}",
    )
    machine.call(*line)

    status, out, err = machine.call(*line)

    assert status == 2, out
    assert "  accuracy       1  " in err


def test_without_an_objective_the_program_runs_once_and_the_next_line_is_shown(
    machine: Machine,
) -> None:
    status, out, err = machine.call(
        *("tune", "--param", LR, "--", "python3", "train.py", "--lr={lr}")
    )

    assert (status, err) == (0, "")
    assert (
        out
        == """\
no --maximize or --minimize is given, so the program runs once with lr=0.01:
epoch 1 loss=0.010000000000000004 accuracy=0.99

metrics in the output:
  metric    values  first  last  smallest  largest
  accuracy       1   0.99  0.99      0.99     0.99
  loss           1   0.01  0.01      0.01     0.01

write next:
  trialwatch tune --maximize accuracy --param lr=0.001..0.1:log -- python3 train.py --lr={lr}
or:
  trialwatch tune --minimize loss --param lr=0.001..0.1:log -- python3 train.py --lr={lr}
"""
    )
    assert not (machine.folder / ".trialwatch").exists()


def test_a_second_ctrl_c_kills_a_first_look_and_shows_the_metrics_so_far(machine: Machine) -> None:
    script = "trap '' INT; echo loss=1; touch begun; while :; do sleep 0.05; done"
    process = machine.start("tune", "--", "sh", "-c", script)
    wait_for((machine.folder / "begun").exists)

    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == "ending the program; Ctrl-C again kills it\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (0, "")
    assert "  loss         1" in out


def test_parameters_that_the_program_repeats_are_not_metrics(machine: Machine) -> None:
    status, out, _ = machine.call("tune", "--param", LR, "--", "echo", "lr={lr}", "loss=1")

    assert status == 0
    assert "  lr " not in out.split("metrics in the output:")[1]


def test_of_a_very_long_output_the_start_and_the_end_are_read(machine: Machine) -> None:
    script = "echo loss=1; seq 1 400000; echo loss=0.25"
    _, out, _ = machine.call("tune", "--", "sh", "-c", script)
    said = out.split("\nmetrics in the output ", 1)[1]

    assert said.startswith("(the first and the last 1 MiB of 2.6 MiB):\n")
    assert ["loss", "2", "1", "0.25", "0.25", "1"] in [line.split() for line in said.splitlines()]


def test_without_parameters_the_next_line_has_guesses(machine: Machine) -> None:
    status, out, err = machine.call("tune", "--", "python3", "train.py", "--lr", "0.5")

    assert (status, err) == (0, "")
    assert "the program runs once as it is:" in out
    assert (
        "  trialwatch tune --maximize accuracy --param lr=0.05..5:log -- python3 train.py --lr {lr}"
        in out
    )


@pytest.mark.parametrize(
    ("script", "status", "last"),
    [
        ("exit 3", 1, "the program failed with exit status 3: mend it first"),
        ("echo hello", 1, "--file PATH if it writes metrics to a file, or --metrics-format REGEX"),
        ("echo loss=1", 0, "  trialwatch tune"),
    ],
)
def test_the_first_look_says_what_is_missing(
    machine: Machine, script: str, status: int, last: str
) -> None:
    ended, out, err = machine.call("tune", "--", "sh", "-c", script)

    assert (ended, err) == (status, "")
    assert out.splitlines()[-1].startswith(last)


def test_the_first_look_reads_the_file_with_the_metrics(machine: Machine) -> None:
    (machine.folder / "train.sh").write_text(
        'echo "{\\"a\\": {\\"loss\\": $1}}" > "$2"; cat "$3"\n'
    )

    status, out, err = machine.call(
        *("tune", "--param=n=1..9", "--file=m.jsonl", "--metrics-format=JSON"),
        *("--", "sh", "train.sh", "{n}", "{file}", "{params.json}"),
    )

    assert (status, err) == (0, "")
    assert '{"n": 5}' in out
    assert "--minimize a.loss --param n=1..9 --file=m.jsonl" in out


def test_more_gpus_than_there_are_are_refused_in_words_of_the_line(machine: Machine) -> None:
    line = ("tune", "--maximize=accuracy", "--param", LR, "--gpus-per-trial=2", "--gpus=0")
    status, out, err = machine.call(*line, *PROGRAM)

    assert (status, out) == (2, "")
    assert err == (
        "trialwatch tune: --gpus-per-trial: Invalid value: 2: each trial needs 2 GPUs, and this"
        " machine has 1 GPU (--gpus): write 1 or less, or run without GPUs by --gpus none\n"
    )


def test_a_script_that_changes_during_a_search_is_noted(machine: Machine) -> None:
    line = ("tune", "--maximize=accuracy", "--param", LR, "--trials=1", *PROGRAM)
    assert machine.call(*line)[0] == 0
    (machine.folder / "train.py").write_text(TRAIN + "\n")

    status, _, err = machine.call(*line)

    assert (status, err) == (
        0,
        (
            "trialwatch tune: note: train.py has changed since this search began, so its first trials"
            " ran another program; --fresh starts anew\n"
        ),
    )


def test_a_name_with_another_search_is_refused_in_words_of_the_line(machine: Machine) -> None:
    line = ("tune", "--maximize=accuracy", "--name=mine", "--trials=1")
    assert machine.call(*line, "--param", LR, *PROGRAM)[0] == 0

    status, _, err = machine.call(*line, "--param", "lr=0.5..0.9", *PROGRAM)

    assert status == 2
    assert err.startswith("trialwatch tune: --param: not the same as in the stored experiment")
    assert "; only --parallel, --trials may change\n" in err
    assert "trialwatch tune --fresh --maximize=accuracy --name=mine" in err


def test_a_flag_without_a_value_is_there_in_some_trials(machine: Machine) -> None:
    (machine.folder / "train.sh").write_text('echo "loss=$# args: $*" | tee -a seen\n')

    status, out, err = machine.call(
        *("tune", "--minimize=loss", "--param", "n=1,2", "--", "sh", "train.sh"),
        *("--a b", "{--amp}", "", "{n}", "{-v}"),
    )

    assert (status, err) == (0, ""), out
    seen = sorted((machine.folder / "seen").read_text().splitlines())
    assert seen == sorted(
        f"loss={3 + bool(amp) + bool(v)} args: --a b {amp} {n}{v}"
        for amp in ("--amp ", "")
        for n in (1, 2)
        for v in (" -v", "")
    )
    assert "  amp   off\n" in out
    assert "\n  sh train.sh '--a b' '' " in out


def test_the_first_look_tells_how_to_try_a_flag_without_a_value(machine: Machine) -> None:
    command = ("--", "sh", "-c", "echo loss=1 $*", "sh")
    _, out, _ = machine.call("tune", "--param=n=1..3", *command, "{--amp}", "--warm", "--n={n}")

    assert "once with n=2 amp=off:\nloss=1 --warm --n=2\n" in out
    assert out.endswith("\nto try it with and without --warm, write {--warm} in its place\n")


def test_a_flag_that_takes_no_value_gets_the_line_without_one(machine: Machine) -> None:
    (machine.folder / "train.py").write_text(
        TRAIN.replace('"--opt"', '"--amp", action="store_true"')
    )
    status, _, err = machine.call(
        *(*TUNE, "--param", LR, "--param=amp=on,off", *PROGRAM, "--amp={amp}")
    )

    assert status == 2
    assert "error: argument --amp: ignored explicit argument 'o" in err
    assert err.endswith(
        "the flag takes no value: write\n  trialwatch tune --maximize=accuracy"
        " --param lr=0.001..0.1:log -- python3 train.py --lr={lr} {--amp}\n"
    )


PROGRAM = ("--", "python3", "train.py", "--lr={lr}")
TUNE = ("tune", "--maximize=accuracy")

MISTAKES = [
    (
        (*TUNE, "--param", LR, *PROGRAM[1:]),
        (
            "-- is missing before the program 'python3': write\n"
            "  trialwatch tune --maximize=accuracy --param lr=0.001..0.1:log -- python3 train.py --lr={lr}"
        ),
    ),
    (
        (*TUNE, "--", "python3", "train.py", "--lr", "0.1"),
        (
            "no parameter is given: correct the spaces in this line, and write\n"
            "  trialwatch tune --maximize accuracy --param lr=0.01..1:log -- python3 train.py --lr {lr}"
        ),
    ),
    (
        (*TUNE, "--", "python3", "train.py"),
        "no parameter is given: write {NAME} where a value belongs in the command, and --param NAME=SPACE",
    ),
    (
        (*TUNE, "--param", LR, *PROGRAM, "--n={layers}"),
        (
            "{layers} in the command has no --param: add --param layers=SPACE, such as --param layers=0.001..0.1:log,"
            " --param layers=2..5 or --param layers=adam,sgd; for the text {layers} itself, write {{layers}}"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--param=layer=2..5", *PROGRAM, "--n={layers}"),
        (
            "{layers} in the command has no --param, and --param layer is not used: write {layer} in the command, or"
            " --param layers=2..5"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--", "python3", "train.py", "--lr", "0.1"),
        (
            "--param lr has no effect, because the command has no {lr}: write {lr} where its value belongs, such as"
            " --lr {lr}, or delete --param lr=0.001..0.1:log"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--", "sh", "-c", "train $lr"),
        (
            "--param lr has no effect, because the command has no {lr}: write {lr} where its value belongs, such as"
            " {lr} in the place of $lr, or delete --param lr=0.001..0.1:log"
        ),
    ),
    (
        (*TUNE, "--param", LR, *PROGRAM, "--amp={--amp}"),
        (
            "{--amp} is the flag itself: write {--amp} in place of --amp={--amp}\nthe whole line:\n"
            "  trialwatch tune --maximize=accuracy --param lr=0.001..0.1:log -- python3 train.py --lr={lr} {--amp}\n"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--", "sh", "-c", "train {lr} {--amp}"),
        (
            "{--amp} is only a part of a word, where no word can be left out: write {amp} there, and --param"
            ' \'amp="--amp",""\'\nthe whole line:\n'
            '  trialwatch tune --maximize=accuracy --param lr=0.001..0.1:log --param \'amp="--amp",""\' --'
            " sh -c 'train {lr} {amp}'\n"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--param=amp=1..3", *PROGRAM, "{--amp}"),
        "{--amp} is there or left out, so --param amp=1..3 has no effect: delete it, or write --amp={amp} for",
    ),
    (
        (*TUNE, "--param", LR, "--param=amp=on,off", *PROGRAM, "--amp"),
        "--param amp has no effect, because the command has no {amp}: write {amp} where its value belongs,",
    ),
    (
        (*TUNE, "--param", "lr=0.1..0.001", *PROGRAM),
        (
            "--param lr=0.1..0.001: the first bound is larger than the second: write --param"
            " lr=0.001..0.1"
        ),
    ),
    (
        (*TUNE, "--param", "lr:0.1..1", *PROGRAM),
        "--param lr:0.1..1: the = after the name is missing: write --param lr=0.1..1",
    ),
    (
        (*TUNE, "--param", "0.1..1", *PROGRAM),
        (
            "--param 0.1..1: a parameter needs a name and a space: write --param NAME=0.1..1, and {NAME} in the"
            " command"
        ),
    ),
    (
        (*TUNE, "--param", "lr", "0.1..1", *PROGRAM),
        "--param lr 0.1..1: the = is missing: write --param lr=0.1..1",
    ),
    (
        (*TUNE, "--param", "lr", *PROGRAM),
        (
            "--param lr: a parameter needs a name and a space: write --param lr=0.001..0.1:log, and {lr} in the"
            " command"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--param", "lr=1..2", *PROGRAM),
        "--param lr is given twice: keep one of 0.001..0.1:log and 1..2",
    ),
    (
        (*TUNE, "--minimize=loss", "--param", LR, *PROGRAM),
        (
            "one metric decides: keep --maximize accuracy or --minimize loss, and show the other metric with"
            " --also"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--algorithm=tpe:gamma", *PROGRAM),
        "--algorithm tpe:gamma: the setting 'gamma' has no value: write --algorithm tpe:gamma=VALUE",
    ),
    (
        (*TUNE, "--param", LR, "--algorithm=randm", *PROGRAM),
        '--algorithm: Invalid value: "randm": unknown algorithm name randm; did you mean "random"?',
    ),
    (
        (*TUNE, "--param", LR, "--algorithm=grid", *PROGRAM),
        (
            "--algorithm grid needs a list or a step, and lr=0.001..0.1:log has endless values:"
            " write --param lr=0.001,0.01,0.1, or lr=0.001..0.1:log:step=NUMBER"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--trials=0", *PROGRAM),
        "--trials 0 is too small: use a number from 1",
    ),
    (
        (*TUNE, "--param", LR, "--metrics-format=JSON", *PROGRAM),
        (
            "--metrics-format JSON needs --file PATH; in the output of a program, metrics in JSON are found by their"
            " names, without --metrics-format"
        ),
    ),
    (
        (*TUNE, "--param", LR, "--metrics-format=loss", *PROGRAM),
        "--metrics-format: Invalid value: ",
    ),
    (
        (*TUNE, "--param", LR, "--", "python3", "train.py", "{lr}", "{file}"),
        (
            "{file} in the command is the path of the file with the metrics: add --file NAME, such as --file"
            " metrics.log"
        ),
    ),
    ((*TUNE, "--param", LR), "the program is missing: write it behind --, for example"),
    (
        (*TUNE, "--param", LR, "--", "pyhton3", "train.py", "{lr}"),
        "this machine has no program 'pyhton3'; did you mean \"python3\"?",
    ),
    (
        (*TUNE, "--param", LR, "--", "python3 train.py --lr={lr}"),
        "the command is one word, because it is in quotes: write -- python3 train.py --lr={lr}",
    ),
    (
        (*TUNE, "--param", LR, "--", "source", "env", "{lr}"),
        "'source' is a word of the shell: write -- sh -c 'source ... && ...'",
    ),
    (
        (*TUNE, "--param", LR, "--", "./trian", "{lr}"),
        "the program './trian' does not exist in ",
    ),
    (
        (*TUNE, "--param", LR, "--", "sub", "{lr}"),
        "'sub' is a directory: write a program behind --",
    ),
    (
        (*TUNE, "--param", LR, "--", "train", "{lr}"),
        "'train' is a file here, but not in PATH: write -- ./train {lr}",
    ),
    (
        (*TUNE, "--param", LR, "--", "python3", "-u", "trian.py", "{lr}"),
        "'trian.py' does not exist in ",
    ),
    (
        (*TUNE, "--param", LR, "--", "train.py", "{lr}"),
        (
            "'train.py' is a file that cannot be executed: write -- python3 train.py {lr}, or chmod +x"
            " train.py"
        ),
    ),
]


@pytest.mark.parametrize(("words", "message"), MISTAKES)
def test_a_mistake_gets_what_to_type(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)

    (tmp_path / "sub").mkdir()
    (tmp_path / "train").touch(0o755)

    status = main(words)

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith(f"trialwatch tune: {message}")
    assert not (tmp_path / ".trialwatch").exists()


def test_the_script_that_is_probably_meant_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)

    main((*TUNE, "--param", LR, "--", "python3", "-u", "trian.py", "{lr}"))

    assert capsys.readouterr().err.endswith(
        '; did you mean "train.py"?\nthe whole line:\n'
        "  trialwatch tune --maximize=accuracy --param lr=0.001..0.1:log -- python3 -u train.py {lr}\n"
    )


def test_a_metrics_file_beside_the_program_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)

    status = main((*TUNE, "--param", LR, "--file=metrics.log", *PROGRAM))

    assert status == 2
    assert (
        "or let the program write to a directory of its own, such as --file metrics/metrics.log"
        in (capsys.readouterr().err)
    )
