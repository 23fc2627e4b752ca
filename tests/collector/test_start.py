"""What a collector imports before it follows a training: each module takes time at each start."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from api.sidecar import MetricsSource
from tests.collector.pod_processes import Trial, eventually, trial
from tests.dbmanager.database_servers import free_port

_PATTERN = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
_FILE, _ADDRESS = "METRICS_FILE", "ADDRESS"
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
    "pushes": ("--source=stdout", "--push", _ADDRESS),
    "scrapes": ("--source=stdout", "--scrape", "http://127.0.0.1:9/metrics"),
    "file without a launcher": ("--source=file", "-path", _FILE, "--unwrapped"),
}
OURS = {"api", "collector", "filters", "serving"}
LIBRARIES = {"watchdog", "org"}
"""`copy` looks for a module `org` of Jython."""
BY_KIND = {
    "event files": {"google_crc32c"},
    "stdout with a pattern": {"re2"},
    "scrapes": {"prometheus_client", "snappy"},
}
LATE = {"asyncio", "collector.grpc_clients", "filters.default_finder", "filters.likeness"}
"""What is loaded after the collector follows."""
OF_HTTP = {"email", "http", "ssl", "urllib.request"}
"""What only the kinds that speak HTTP load."""
MOST, MOST_WITH_HTTP = 220, 290
"""Modules beside those of Python's own start. They were about 330 when gRPC was among them."""
_IMPORT = re.compile(r"import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)


def imported_until_it_follows(pod: Trial, kind: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Start a collector beside a training; return the modules that it imported by then."""
    log = pod.folder / "metrics.log"
    places = {_FILE: str(log), _ADDRESS: f"127.0.0.1:{free_port()}"}
    flags = [places.get(word, word) for word in KINDS[kind]]
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
    has_http = kind in ("pushes", "scrapes")
    allowed = OURS | LIBRARIES | BY_KIND.get(kind, set())
    assert {name.partition(".")[0] for name in foreign} <= allowed
    assert not imported & (LATE if has_http else LATE | OF_HTTP)
    assert len(imported) <= (MOST_WITH_HTTP if has_http else MOST), sorted(imported)


def test_each_source_of_metrics_is_among_these_kinds() -> None:
    words = {word for flags in KINDS.values() for word in flags}
    assert {f"--source={source}" for source in MetricsSource} <= words
