"""Real runs, and their pages in Debian's chromium. `make test-ui` installs what this needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.architecture.tree import ROOT

PATIENCE = 60_000
"""Milliseconds for what a page must show in the end; the machine may be busy."""
TRAINER = Path(__file__).parent / "data" / "train.py"


@dataclass
class Pages:
    """The address of a running `trialwatch ui`."""

    address: str
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return self.address.partition("/#")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]


@dataclass
class Seen:
    """A page, and what was wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)


def tune(root: Path, *flags: str, trials: int = 6, steps: int = 12) -> subprocess.Popen[bytes]:
    """Start a real run."""
    command = [
        sys.executable, "-m", "trialwatch", "tune", "--minimize", "loss", "--trials", str(trials),
        "--param", "lr=0.001..0.1:log", "--param", "act=relu,gelu", "--state-dir", str(root), *flags,
        "--", sys.executable, str(TRAINER), "--lr={lr}", "--act={act}", f"--steps={steps}",
    ]  # fmt: skip
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


@contextmanager
def served(root: Path) -> Iterator[Pages]:
    """Serve the pages of a state directory."""
    command = [sys.executable, "-m", "trialwatch", "ui", "--state-dir", str(root)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            yield Pages(process.stdout.readline().strip(), process)
        finally:
            process.kill()


@pytest.fixture(scope="session")
def ended_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state directory of a run that has ended: some trials have succeeded, one has failed."""
    root = tmp_path_factory.mktemp("ended")
    run = tune(root)
    _, errors = run.communicate(timeout=600)
    assert run.returncode == 0, errors.decode()
    return root


@pytest.fixture(scope="session")
def pages(ended_run: Path) -> Iterator[Pages]:
    """The pages of that run."""
    with served(ended_run) as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    path = shutil.which("chromium")
    assert path, "chromium is missing: apt-get install chromium"
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past."""
    found = browser.new_context(viewport={"width": 1280, "height": 860})
    found.set_default_timeout(PATIENCE)
    yield found
    found.close()


@pytest.fixture
def seen(context: BrowserContext) -> Iterator[Seen]:
    """A page; the test fails if it has logged an error, such as a violation of its policy."""
    found = Seen(context.new_page())
    found.page.on("pageerror", lambda error: found.faults.append(str(error)))
    found.page.on(
        "console",
        lambda message: found.faults.append(message.text) if message.type == "error" else None,
    )
    yield found
    assert found.faults == []
