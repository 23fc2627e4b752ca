"""The lock of a run directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import SetupError
from collector.run_directory_lock import RunDirectoryLock


def test_one_collector_holds_the_lock_and_another_acquires_it_after_its_release(
    tmp_path: Path,
) -> None:
    first = RunDirectoryLock(str(tmp_path))
    with pytest.raises(SetupError, match="another collector uses"):
        RunDirectoryLock(str(tmp_path))
    first.release()
    RunDirectoryLock(str(tmp_path)).release()
