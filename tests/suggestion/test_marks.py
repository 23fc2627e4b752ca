"""Marking a trial as stopped early, against an API server that holds one trial."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.errors import SetupError, TrialwatchError, Unavailable, UserError
from suggestion.early_stop_status import TrialMarks

PATH = "/apis/kubeflow.org/v1beta1/namespaces/ns/trials/t-1"
RUNNING = {"type": "Running", "status": "True", "reason": "TrialRunning"}


@dataclass(slots=True)
class Cluster:
    """One trial; each write needs the version that was read."""

    trial: dict[str, Any] = field(
        default_factory=lambda: {
            "metadata": {"name": "t-1", "resourceVersion": "1"},
            "status": {"conditions": [RUNNING], "startTime": "2026-01-31T12:00:00Z"},
        }
    )
    refuse: int = 0
    """A status that every request is answered with."""
    meddling: int = 0
    """How many writes find that another has written in the meantime."""
    writes: int = 0
    url: str = ""

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.refuse:
            return self.refuse, {}
        if path not in (PATH, f"{PATH}/status"):
            return 404, {}
        if method == "PATCH":
            if self.meddling:
                self.meddling -= 1
                self._written()
            if body["metadata"]["resourceVersion"] != self.trial["metadata"]["resourceVersion"]:
                return 409, {}
            assert path.endswith("/status")
            self.trial["status"].update(body["status"])
            self.writes += 1
            self._written()
        return 200, self.trial

    def _written(self) -> None:
        metadata = self.trial["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)

    @property
    def conditions(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.trial["status"]["conditions"]
        return found


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    held = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, reply = held.answer(self.command, self.path, body)
            payload = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_PATCH = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        held.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield held
        server.shutdown()
        thread.join()


@pytest.fixture
def marks(cluster: Cluster, tmp_path: Path) -> TrialMarks:
    config = tmp_path / "kubeconfig"
    entry = {"cluster": "c", "user": "u"}
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": cluster.url}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": entry}],
                "current-context": "x",
            }
        )
    )
    return TrialMarks(config, "ns", lambda: datetime(2026, 1, 31, 12, 30, tzinfo=UTC))


async def test_the_condition_comes_last_and_the_rest_stays(
    cluster: Cluster, marks: TrialMarks
) -> None:
    await marks.mark("", "t-1")

    assert cluster.conditions == [
        RUNNING,
        {
            "type": "EarlyStopped",
            "status": "True",
            "reason": "TrialEarlyStopped",
            "message": "Trial is early stopped",
            "lastUpdateTime": "2026-01-31T12:30:00Z",
            "lastTransitionTime": "2026-01-31T12:30:00Z",
        },
    ]
    assert cluster.trial["status"]["startTime"] == "2026-01-31T12:00:00Z"


async def test_a_trial_that_is_marked_is_left_alone(cluster: Cluster, marks: TrialMarks) -> None:
    await marks.mark("", "t-1")
    await marks.mark("", "t-1")

    assert cluster.writes == 1


@pytest.mark.parametrize("end", ["Succeeded", "Failed", "Killed", "MetricsUnavailable"])
async def test_a_trial_that_has_ended_keeps_its_end(
    cluster: Cluster, marks: TrialMarks, end: str
) -> None:
    cluster.conditions.append({"type": end, "status": "True", "reason": f"Trial{end}"})
    before = [*cluster.conditions]

    await marks.mark("", "t-1")

    assert cluster.conditions == before
    assert cluster.writes == 0


async def test_a_trial_that_was_not_to_fail_after_all_is_marked(
    cluster: Cluster, marks: TrialMarks
) -> None:
    cluster.conditions.append({"type": "Failed", "status": "False", "reason": "Reconsidered"})

    await marks.mark("", "t-1")

    assert cluster.conditions[-1]["type"] == "EarlyStopped"


async def test_a_trial_without_a_status_is_marked(cluster: Cluster, marks: TrialMarks) -> None:
    cluster.trial["status"] = {}
    await marks.mark("", "t-1")

    assert [condition["type"] for condition in cluster.conditions] == ["EarlyStopped"]


async def test_where_the_controller_wrote_in_between_it_is_read_again(
    cluster: Cluster, marks: TrialMarks
) -> None:
    cluster.meddling = 2
    await marks.mark("", "t-1")

    assert cluster.conditions[-1]["type"] == "EarlyStopped"


async def test_where_others_write_all_the_time_it_gives_up(
    cluster: Cluster, marks: TrialMarks
) -> None:
    cluster.meddling = 1000

    with pytest.raises(Unavailable, match="others kept writing to trial ns/t-1; ask again"):
        await marks.mark("", "t-1")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, SetupError, "forbids to mark trial ns/t-1 .* allow get on trials and patch on"),
        (404, UserError, "there is no trial ns/t-1"),
        (500, Unavailable, "did not mark trial ns/t-1: 500"),
    ],
)
async def test_a_refusal_is_explained(
    cluster: Cluster, marks: TrialMarks, status: int, kind: type[TrialwatchError], words: str
) -> None:
    cluster.refuse = status

    with pytest.raises(kind, match=words):
        await marks.mark("", "t-1")


async def test_a_kubeconfig_that_is_missing_is_named() -> None:
    with pytest.raises(SetupError, match="trials cannot be marked as stopped"):
        await TrialMarks(Path("/nowhere/config"), None).mark("", "t-1")


async def test_a_trial_is_looked_for_where_the_caller_says(
    cluster: Cluster, marks: TrialMarks
) -> None:
    with pytest.raises(UserError, match="there is no trial elsewhere/t-1"):
        await marks.mark("elsewhere", "t-1")

    await marks.mark("ns", "t-1")
    assert cluster.writes == 1
