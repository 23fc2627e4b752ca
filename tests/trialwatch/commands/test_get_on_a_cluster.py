"""`trialwatch get` and `plot` against a cluster: what they show of this machine, they show there."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest
import yaml

from api.objects.yamlout import dump_objects
from api.objects.yamltext import load_objects
from kube.cluster import ref_of
from kube.errors import NotFound
from kube.resources import KNOWN
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from runner.state.directory import state_of
from tests.trialwatch.cluster_experiments import CommandLine, experiment_in, names


async def test_tables_are_those_of_kubectl(katib: MemoryCluster, command_line: CommandLine) -> None:
    await experiment_in(katib, "team")

    status, experiments, err = await command_line("get", "experiments")
    _, trials, _ = await command_line("get", "trials", "random")

    assert (status, err) == (0, ""), err
    titles = ["NAME", "TYPE", "STATUS", "AGE", "TRIALS", "BEST"]
    assert experiments.splitlines()[0].split() == titles
    assert experiments.splitlines()[1].endswith("   0/12     Validation-accuracy=0.9711")
    assert names(experiments) == ["random"]
    assert names((await command_line("get", "trial/random-0001"))[1]) == ["random-0001"]
    assert names(trials) == [f"random-{number:04x}" for number in range(8)]
    assert re.fullmatch(
        r"random-0001 +Succeeded +True +\d+s +lr=0.0011\d* num-layers=3 optimizer=adam"
        r" +Validation-accuracy=0.9711 Train-accuracy=0.9931",
        trials.splitlines()[2],
    )


async def test_a_watch_prints_each_change_until_the_user_interrupts(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    [experiment, *_, waiting] = await experiment_in(katib, "team")
    watch = await command_line.start("get", "trials", "random", "-w")
    assert watch.stdout is not None
    lines = [await watch.stdout.readline() for _ in range(9)]
    running = {"type": "Running", "status": "True"}
    await katib.patch(ref_of(experiment), {"status": {"trials": 9}}, status=True)  # another kind
    await katib.patch(ref_of(waiting), {"metadata": {"labels": {"a": "b"}}})  # not in the table
    await katib.patch(ref_of(waiting), {"status": {"conditions": [running]}}, status=True)
    changed = await watch.stdout.readline()
    watch.send_signal(signal.SIGINT)
    rest, err = await watch.communicate()

    assert names(b"".join(lines).decode()) == [f"random-{number:04x}" for number in range(8)]
    assert re.match(rb"random-0007 +Running +True ", changed)
    assert (watch.returncode, rest, err) == (130, b"", b"")


async def test_wide_tables_show_what_was_chosen_and_the_values_that_stand_for_the_trial(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    await experiment_in(katib, "team")

    _, experiments, _ = await command_line("get", "experiments", "random", "-o", "wide")
    _, trials, _ = await command_line("get", "trials", "random-0001", "-o", "wide")

    assert experiments.splitlines()[0].split()[0] == "NAMESPACE"
    assert re.match(r"team +random .* random-0001", experiments.splitlines()[1])
    assert "lr=0.0011" in trials
    assert "Validation-accuracy=0.9711 Train-accuracy=0.9931" in trials


async def test_the_same_objects_give_the_same_output_here_and_there(
    katib: MemoryCluster, command_line: CommandLine, tmp_path: Path
) -> None:
    [experiment, *trials] = await experiment_in(katib, "team")
    state = state_of(tmp_path / "state", "team", "random")
    state.make()
    state.experiment.write_text(dump_objects([experiment]))
    for trial in trials:
        path = state.trials / f"{trial['metadata']['name']}.yaml"  # type: ignore[index, call-overload]  # a document
        path.write_text(dump_objects([trial]))

    for words in (
        ("experiments", "-o", "json"),
        ("experiments", "random", "-o", "yaml"),
        ("trials", "random", "-o", "json"),
        ("trials", "random-0003", "-o", "yaml"),
    ):
        with state.locked():  # else it counts as interrupted
            here = await command_line("get", *words, "--state-dir", "state")
        there = await command_line("get", *words)
        assert here == there
        assert there[0] == 0


async def test_the_trials_of_an_experiment_are_a_list_even_where_there_is_but_one(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    [_, first, *others] = await experiment_in(katib, "team")
    for one in others:
        await katib.delete(ref_of(one))

    _, listed, _ = await command_line("get", "trials", "random", "-o", "json")
    _, itself, _ = await command_line("get", "trials", "random-0000", "-o", "json")

    assert json.loads(listed) == {"apiVersion": "v1", "kind": "List", "items": [first]}
    assert json.loads(itself) == first


async def test_objects_are_given_without_who_wrote_which_field(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    documents = await experiment_in(katib, "team")
    history = {"metadata": {"managedFields": [{"manager": "kubectl"}]}}
    await katib.patch(ref_of(documents[0]), history)

    _, out, _ = await command_line("get", "experiment", "random", "-o", "yaml")

    [shown] = load_objects(out)
    assert "managedFields" not in out
    assert shown["spec"] == documents[0]["spec"]


async def test_namespaces_are_chosen_as_with_kubectl(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    await experiment_in(katib, "team", "mine")
    await experiment_in(katib, "other", "theirs")

    assert names((await command_line("get", "experiments"))[1]) == ["mine"]
    assert names((await command_line("get", "experiments", "-n", "other"))[1]) == ["theirs"]
    everywhere = (await command_line("get", "experiments", "-A"))[1]
    assert everywhere.splitlines()[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert names(everywhere) == ["team", "other"]


async def test_trials_of_equal_names_are_shown_of_the_namespace_that_is_meant(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    await experiment_in(katib, "team")
    await experiment_in(katib, "other")

    _, out, _ = await command_line("get", "trials", "random", "-n", "other", "-o", "json")

    spaces = {one["metadata"]["namespace"] for one in json.loads(out)["items"]}
    assert spaces == {"other"}


# -- which place is meant -------------------------------------------------------------------


async def test_a_state_directory_here_comes_before_the_cluster_and_says_so(
    katib: MemoryCluster, command_line: CommandLine, tmp_path: Path
) -> None:
    await experiment_in(katib, "team")
    (tmp_path / ".trialwatch").mkdir()

    status, out, err = await command_line("get", "experiments")
    named = await command_line("get", "experiments", "--context", "here")

    assert (status, out) == (0, "")
    assert err.splitlines() == [
        "trialwatch get: showing .trialwatch; use --context NAME for a cluster",
        (
            "there are no experiments in .trialwatch; start one with `trialwatch run EXPERIMENT.yaml`,"
            " or use --context for a cluster"
        ),
    ]
    assert (names(named[1]), named[2]) == (["random"], "")


async def test_a_place_that_is_named_is_not_explained(
    command_line: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / ".trialwatch").mkdir()

    _, _, err = await command_line("get", "trials", "--state-dir", ".trialwatch")

    assert len(err.splitlines()) == 1


async def test_several_kubeconfigs_are_read_as_one(
    katib: MemoryCluster, command_line: CommandLine, tmp_path: Path
) -> None:
    await experiment_in(katib, "team")

    status, out, _ = await command_line(
        "get", "experiments", KUBECONFIG=f"{tmp_path}/none:{command_line.kubeconfig}"
    )

    assert (status, names(out)) == (0, ["random"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("get", "trials", "--state-dir", "x", "--context", "here"),
            "--state-dir selects this machine, and --context selects a cluster: use only one of them",
        ),
        (
            ("get", "trials", "--context", "her"),
            'there is no context her in {kubeconfig}; did you mean "here"?',
        ),
        (
            ("get", "trials", "--kubeconfig", "none"),
            (
                "--kubeconfig: cannot use none: the file does not exist; give the path of a valid kubeconfig"
            ),
        ),
        (
            ("get", "experiments", "randm"),
            (
                "there is no experiment randm in the namespace team of the context here; did you mean"
                ' "random"?'
            ),
        ),
        (
            ("get", "experiments", "x", "-n", "other"),
            (
                "there is no experiment x in the namespace other of the context here; create one with"
                " `kubectl apply -f EXPERIMENT.yaml`, or use -A to search all namespaces"
            ),
        ),
        (("get", "trial/"), "'trial/' is not an object: write trial NAME, or trial/NAME"),
        (("get", "trial/a", "b"), "'trial/a' is not an object: write trial NAME, or trial/NAME"),
        (("get", "trials", "x"), "; there are random-0000, random-0001, "),
        (("plot", "randm"), 'did you mean "random"?'),
        (("plot", "-n", "other"), "there are no experiments in the namespace other of"),
        (("plot", "-A"), "choose one: -n team random, -n team second"),
    ],
)
async def test_what_is_not_there_is_said_in_one_line(
    katib: MemoryCluster, command_line: CommandLine, words: tuple[str, ...], says: str
) -> None:
    await experiment_in(katib, "team")
    if "-A" in words:
        await experiment_in(katib, "team", "second")

    status, out, err = await command_line(*words)

    assert (status, out) == (2, "")
    assert says.format(kubeconfig=command_line.kubeconfig) in err
    assert len(err.splitlines()) == 1


async def test_a_context_needs_a_kubeconfig(command_line: CommandLine) -> None:
    status, _, err = await command_line("get", "trials", "--context", "here", KUBECONFIG="")

    assert status == 2
    assert "--context here needs a kubeconfig: give --kubeconfig FILE" in err


async def test_nothing_there_is_no_error(command_line: CommandLine) -> None:
    status, out, err = await command_line("get", "trials")

    assert (status, out) == (0, "")
    assert err == (
        "there are no trials in the namespace team of the context here; create one with"
        " `kubectl apply -f EXPERIMENT.yaml`, or use -A to search all namespaces\n"
    )


async def test_a_server_that_is_away_is_said_with_its_address(
    katib_api: ApiServer, command_line: CommandLine
) -> None:
    await katib_api.stop()

    status, out, err = await command_line("get", "trials")

    assert (status, out) == (1, "")
    assert re.match(r"trialwatch get: .* cannot reach the API server: .*127", err)
    assert len(err.splitlines()) == 1


async def test_a_cluster_without_katibs_kinds_is_an_error_and_one_without_objects_is_not(
    tmp_path: Path,
) -> None:
    bare = MemoryCluster([one for one in KNOWN if "kubeflow" not in one.api_version])
    async with served(bare) as server:
        status, _, err = await CommandLine(tmp_path, server)("get", "trials")

    assert status == 2
    assert err == (
        "trialwatch get: the context here does not have Katib's kinds: install trialwatch"
        " (docs/install.md) or Katib there, or use another context with --context\n"
    )


async def test_without_rights_it_says_which(katib: MemoryCluster, tmp_path: Path) -> None:
    async with served(katib, token="sesame") as server:
        command_line = CommandLine(tmp_path, server)
        config = yaml.safe_load(command_line.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": "wrong"}
        command_line.kubeconfig.write_text(yaml.safe_dump(config))
        status, _, err = await command_line("get", "trials")

    assert status == 2
    assert "401 Unauthorized" in err
    assert len(err.splitlines()) == 1


# -- plot -----------------------------------------------------------------------------------


async def test_the_report_of_an_experiment_is_written_into_this_directory(
    katib: MemoryCluster, command_line: CommandLine, tmp_path: Path
) -> None:
    await experiment_in(katib, "team")

    status, out, err = await command_line("plot", "random")

    assert (status, out, err) == (0, "random.html\n", "")
    text = (tmp_path / "random.html").read_text()
    assert "Optimal trial: random-0001" in text
    rows = text.split("<h2>All trials</h2>")[1]
    places = [rows.index(f"random-{number:04x}") for number in range(8)]
    assert places == sorted(places)


async def test_the_one_experiment_of_a_namespace_need_not_be_named(
    katib: MemoryCluster, command_line: CommandLine, tmp_path: Path
) -> None:
    await experiment_in(katib, "team")
    await experiment_in(katib, "other")

    assert (await command_line("plot", "-o", "a.html"))[:2] == (0, "a.html\n")
    assert (tmp_path / "a.html").exists()


# -- without a cluster's client -------------------------------------------------------------


@pytest.mark.parametrize("missing", ["kubernetes", "aiohttp"])
@pytest.mark.parametrize(
    "words",
    [["get", "trials"], ["logs", "t"], ["plot"], ["explain", "p"]],
    ids=lambda words: words[0],
)
async def test_a_client_that_is_not_installed_is_named_with_what_installs_it(
    command_line: CommandLine, words: list[str], missing: str
) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from trialwatch.__main__ import main\n"
        f"sys.exit(main({words!r}))"
    )
    process = await command_line.start_python("-c", script)
    out, err = await process.communicate()

    assert (process.returncode, out) == (2, b"")
    assert err.decode() == (
        f"trialwatch {words[0]}: cannot access a cluster: the package {missing} is not installed;"
        " pip install 'trialwatch[cluster]'\n"
    )


async def test_delete_removes_the_experiment_and_leaves_the_trials_to_the_controller(
    katib: MemoryCluster, command_line: CommandLine
) -> None:
    [experiment, *_] = await experiment_in(katib, "team")

    here, _, err = await command_line("delete", "experiment/random", "--yes")
    kubeconfig = str(command_line.kubeconfig)
    status, out, _ = await command_line(
        "delete", "experiment/random", "--yes", "--kubeconfig", kubeconfig
    )

    assert (here, status) == (2, 0)
    assert "there is no experiment random in .trialwatch" in err
    assert out == "deleted experiment random with 8 trials\n"
    with pytest.raises(NotFound):
        await katib.get(ref_of(experiment))
