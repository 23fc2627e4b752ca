"""`trialwatch ui`: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.trialwatch.commands.test_plot import keep
from trialwatch.__main__ import main
from trialwatch.commands import ui
from trialwatch.screens.run_pages import run_pages


@contextmanager
def pages(root: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the command; give the printed address and the process."""
    command = [sys.executable, "-m", "trialwatch", "ui", "--state-dir", str(root)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def get(address: str, path: str, token: str) -> object:
    base = address.partition("/#")[0]
    request = urllib.request.Request(f"{base}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_it_prints_an_address_whose_token_opens_the_experiments(tmp_path: Path) -> None:
    keep(tmp_path, "team", "random")

    with pages(tmp_path) as (address, process):
        match = re.fullmatch(r"http://127\.0\.0\.1:\d+/#token=([\w-]{32})", address)
        assert match, address
        listed = get(address, "/api/v1/experiments", match[1])
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(address, "/api/v1/experiments", "x")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0

    assert isinstance(listed, dict)
    assert [row["name"] for row in listed["experiments"]] == ["random"]


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("0.0.0.0:0", "can be reached by other machines"),
        (":0", "can be reached by other machines"),
        ("127.0.0.1", "is not HOST:PORT: write 127.0.0.1:0"),
    ],
)
def test_an_address_that_is_no_loopback_address_is_refused(
    tmp_path: Path, listen: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ui", "--state-dir", str(tmp_path), "--listen", listen]) == 2

    output = capsys.readouterr()
    assert words in output.err
    assert output.out == ""


def test_the_pages_of_a_run_end_with_it(tmp_path: Path) -> None:
    keep(tmp_path, "team", "random")

    with run_pages(tmp_path, open_browser=False) as address:
        token = address.partition("token=")[2]
        listed = get(address, "/api/v1/experiments", token)

    assert isinstance(listed, dict)
    assert len(listed["experiments"]) == 1
    with pytest.raises(OSError, match=r"refused|reset"):
        get(address, "/api/v1/experiments", token)


def test_open_without_pages_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "examples/random.yaml", "--open"]) == 2

    assert "--open needs --ui" in capsys.readouterr().err


def test_each_flag_is_documented() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    ui.add_arguments(parser)
    flags = {text for action in parser._actions for text in action.option_strings}  # noqa: SLF001
    rows = re.findall(
        r"^\| (`-[^|]*)\| [^|]*`ui`", (ROOT / "docs" / "ui.md").read_text(), re.MULTILINE
    )

    assert {flag for cell in rows for flag in re.findall(r"`(--?[a-z-]+)", cell)} == flags
