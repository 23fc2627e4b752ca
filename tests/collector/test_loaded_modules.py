"""A collector loads what its kind needs, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LOAD = """
import sys
from pathlib import Path
from api.sidecar import from_argv
from collector.app import plan_of
from collector.core.attempt_streams import new_streams_of
import collector.__main__
words = "-t t -m loss -s-db db:1 --run-dir /r --native --source " + sys.argv[1]
plan = plan_of(from_argv([*words.split(), "-path", "/log"]))
plan.extraction_of("/log/tfevents")
print(*sorted(sys.modules))
"""


def _modules(source: str) -> set[str]:
    command = [sys.executable, "-c", _LOAD, source]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize("source", ["stdout", "file"])
def test_other_kinds_do_not_load_what_reads_event_files(source: str) -> None:
    loaded = _modules(source)
    assert "collector.app" in loaded
    assert not {name for name in loaded if "event" in name and name.split(".")[0] in _OWN}
    assert not {name for name in loaded if name.startswith("google_crc32c")}


def test_the_kind_of_event_files_loads_a_handful_of_modules_more() -> None:
    more = _modules("events") - _modules("file")
    assert "filters.event_files.extractor" in more
    assert not {name for name in more if name.split(".")[0] in ("tensorboard", "numpy")}
    assert len({name for name in more if not name.startswith("google.protobuf")}) <= 40


_OWN = ("api", "collector", "filters")
