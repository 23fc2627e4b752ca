"""The API over a source in memory: what it answers, and how it fails."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from api.types import Assignment
from tests.contracts.pages_source import FIRST, KEY, SECOND, of_team, points, two_trials
from tests.trialwatch.view.watched_experiment import trial
from tests.ui.server.pages_client import EXPERIMENT, opened, with_experiment
from ui.server.built_files import NOT_BUILT
from ui.sources.port import StoredExperiment
from ui.testing.memory_source import MemorySource

OWN = {"X-Trialwatch": "1"}


async def test_all_experiments_are_listed() -> None:
    async with (
        opened(await with_experiment()) as client,
        client.get("/api/v1/experiments") as answer,
    ):
        listed = await answer.json()

    assert [row["name"] for row in listed["experiments"]] == ["random"]
    assert listed["where"] == "in memory"


async def test_a_curve_has_the_best_and_the_running_trials() -> None:
    source = await with_experiment()
    await source.report(KEY, FIRST, points("0.1", "0.9", metric="Validation-accuracy"))
    await source.report(KEY, SECOND, points("0.2", metric="Validation-accuracy"))

    async with opened(source) as client:
        path = f"{EXPERIMENT}/curves?metric=Validation-accuracy"
        async with client.get(path) as answer:
            found = await answer.json()

    assert {one["trial"]: one["value"] for one in found["curves"]} == {
        FIRST: [0.1, 0.9],
        SECOND: [0.2],
    }
    assert found["band"] is None


async def test_a_long_answer_is_compressed() -> None:
    source = MemorySource()
    trials = tuple(trial(n, value="0.5") for n in range(200))
    await source.put(StoredExperiment(experiment=of_team(trials), trials=trials))

    async with opened(source) as client:
        headers = {"Accept-Encoding": "gzip"}
        async with client.get(f"{EXPERIMENT}/trials", headers=headers) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert len(gzip.compress(await answer.read())) < 8_000


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/experiments/team/other", 404, "there is no experiment other"),
        (f"{EXPERIMENT}/trials/none", 404, "there is no trial none"),
        (f"{EXPERIMENT}/trials/{SECOND}/log", 404, "has printed nothing yet"),
        (f"{EXPERIMENT}/curves", 400, "the parameter metric is missing"),
        (f"{EXPERIMENT}/curves?metric=a&buckets=9", 400, "from 10 to 2000"),
        (f"{EXPERIMENT}/curves?metric=a&from=7&to=3", 400, "from: 7 is greater than to: 3"),
        ("/api/v1/nothing", 404, "the API has no path"),
        ("/api/v1/experiments/team/other/stream", 404, "there is no experiment other"),
    ],
)
async def test_a_failure_says_what_is_wrong(path: str, status: int, words: str) -> None:
    async with opened(await with_experiment()) as client, client.get(path) as answer:
        assert answer.status == status
        assert words in (await answer.json())["error"]


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    source = await with_experiment()
    source.unavailable = "the database is being restarted"

    async with (
        opened(source) as client,
        client.get(f"{EXPERIMENT}/trials/{FIRST}/curves") as answer,
    ):
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert (await answer.json())["error"] == "the database is being restarted"


@pytest.mark.parametrize("body", ["{", "[]", '{"text": 1}', '{"text": "x", "metrics": []}', "\xff"])
async def test_a_body_that_cannot_be_used_is_a_fault_of_the_caller(body: str) -> None:
    headers = {**OWN, "Content-Type": "application/json"}
    async with (
        opened(await with_experiment()) as client,
        client.post("/api/v1/metrics-format", data=body, headers=headers) as answer,
    ):
        assert answer.status == HTTPStatus.BAD_REQUEST
        assert (await answer.json())["error"]


async def test_a_body_that_is_too_long_is_refused() -> None:
    headers = {**OWN, "Content-Type": "application/json"}
    async with (
        opened(await with_experiment()) as client,
        client.post(
            "/api/v1/metrics-format", data=io.BytesIO(b" " * (5 << 20)), headers=headers
        ) as answer,
    ):
        assert answer.status == HTTPStatus.BAD_REQUEST
        assert "4 MiB" in (await answer.json())["error"]


async def test_names_and_values_of_hostile_users_stay_text() -> None:
    source = MemorySource()
    first, second = two_trials()
    hostile = (Assignment(name="optimizer", value="=HYPERLINK(1)</script><img src=x onerror=1>"),)
    first = replace(first, spec=replace(first.spec, assignments=hostile))
    await source.put(StoredExperiment(experiment=of_team((first, second)), trials=(first, second)))

    async with opened(source) as client, client.get(f"{EXPERIMENT}/trials.csv") as answer:
        text = await answer.text()
        assert answer.content_type == "text/csv"

    assert "'=HYPERLINK(1)</script>" in text, "a spreadsheet must not run it"


@pytest.mark.parametrize("value", ["16777217", "64", "007", "0.0012345678901", "-1.5", "1e-7"])
async def test_a_saved_table_has_each_value_as_its_trial_got_it(value: str) -> None:
    source = MemorySource()
    first, second = two_trials()
    given = (Assignment(name="lr", value=value),)
    first = replace(first, spec=replace(first.spec, assignments=given))
    await source.put(StoredExperiment(experiment=of_team((first, second)), trials=(first, second)))

    async with opened(source) as client, client.get(f"{EXPERIMENT}/trials.csv") as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))

    assert rows[0]["lr"] == value


async def test_the_head_of_a_saved_table_is_no_formula() -> None:
    source = MemorySource()
    made = of_team(())
    assert made.spec.objective
    objective = replace(made.spec.objective, metric="=1+1")
    hostile = replace(made, spec=replace(made.spec, objective=objective))
    await source.put(StoredExperiment(experiment=hostile, trials=()))

    async with opened(source) as client, client.get(f"{EXPERIMENT}/trials.csv") as answer:
        (head,) = csv.reader(io.StringIO(await answer.text()))

    assert "'=1+1" in head
    assert "=1+1" not in head


async def test_pages_that_are_not_built_say_which_word_builds_them(tmp_path: Path) -> None:
    async with opened(await with_experiment(), tmp_path) as client, client.get("/") as answer:
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert await answer.text() == f"{NOT_BUILT}\n"
        assert "make ui" in NOT_BUILT


async def test_each_page_is_the_same_file_and_is_read_again_only_when_it_has_changed(
    tmp_path: Path,
) -> None:
    (tmp_path / "index.html").write_text('<base href="__BASE__">')
    (tmp_path / "main.js").write_text("run()")
    async with opened(await with_experiment(), tmp_path, token="") as client:
        tag = ""
        for path in ("/", "/e/team/random/curves", "/e/a.b/c.js"):
            async with client.get(path) as answer:
                assert await answer.text() == '<base href="/">'
                tag = answer.headers["ETag"]
        async with client.get("/", headers={"If-None-Match": tag}) as answer:
            assert answer.status == HTTPStatus.NOT_MODIFIED
        async with client.get("/main.js") as answer:
            assert await answer.text() == "run()"
            assert answer.content_type.endswith("javascript")


@pytest.mark.parametrize("path", ["/..%2Fapp.py", "/%2e%2e/app.py", "/.gitignore"])
async def test_no_file_outside_of_the_folder_is_served(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "index.html").write_text("the page")
    (tmp_path / "app.py").write_text("secret")

    async with opened(await with_experiment(), folder) as client, client.get(path) as answer:
        assert await answer.text() == "the page"
