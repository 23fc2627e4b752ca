"""What a collector imports before it follows a training: each module takes time at each start."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from api.sidecar import MetricsSource
from tests.collector.pod_processes import Trial, eventually, trial

_PATTERN = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
_FILE = "METRICS_FILE"
KINDS: dict[str, tuple[str, ...]] = {
    "stdout": ("--source=stdout",),
    "stdout with a stop rule": (
        "--source=stdout",
        "-stop-rule",
        "loss;0.5;greater;3",
        "-s-earlystop",
        "127.0.0.1:9",
    ),
    "stdout with a pattern": ("--source=stdout", "-f", _PATTERN),
    "file": ("--source=file", "-path", _FILE),
    "JSON file": ("--source=file", "-path", _FILE, "-format", "JSON"),
    "event files": ("--source=events", "-path", _FILE),
    "file without a launcher": ("--source=file", "-path", _FILE, "--unwrapped"),
}
OURS = {"api", "collector", "filters", "serving"}
LIBRARIES = {"watchdog", "org"}
"""`copy` looks for a module `org` of Jython."""
BY_KIND = {"event files": {"google_crc32c"}, "stdout with a pattern": {"re2"}}
MOST = 190
"""Modules beside those of Python's own start. They were about 310 when gRPC was among them."""
_IMPORT = re.compile(r"import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)


def imported_until_it_follows(pod: Trial, kind: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Start a collector beside a training; return the modules that it imported by then."""
    log = pod.folder / "metrics.log"
    flags = [str(log) if word == _FILE else word for word in KINDS[kind]]
    if "--unwrapped" not in flags:
        pod.trainer(["sleep", "60"], *(["--file", str(log)] if str(log) in flags else []))
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPROFILEIMPORTTIME", "1")
        pod.collector(*flags)
    pod.await_following()
    eventually(lambda: "import time:" in pod.log_text, lambda: pod.log_text)
    before, _, _ = pod.log_text.partition("following attempt 1")
    _, _, own = before.partition("| site\n")
    return set(_IMPORT.findall(own))


@pytest.mark.parametrize("kind", KINDS)
def test_a_collector_imports_little_before_it_follows(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trial(tmp_path, "127.0.0.1:9") as pod:
        imported = imported_until_it_follows(pod, kind, monkeypatch)

    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    allowed = OURS | LIBRARIES | BY_KIND.get(kind, set())
    assert {name.partition(".")[0] for name in foreign} <= allowed
    assert not imported & {
        "asyncio",
        "collector.grpc_clients",
        "email",
        "http",
        "ssl",
        "urllib.request",
    }
    assert not imported & {"filters.default_finder", "filters.likeness", "filters.tables"}
    assert len(imported) <= MOST, sorted(imported)


def test_each_source_of_metrics_is_among_these_kinds() -> None:
    words = {word for flags in KINDS.values() for word in flags}
    assert {f"--source={source}" for source in MetricsSource} <= words
