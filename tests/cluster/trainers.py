"""The images of the tests' trainers: one static program in several kinds of images."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.images import compiled, scratch

SCRATCH = "trialwatch.test/trainer:1"
"""`FROM scratch`: the program `/trainer` (trainer.c) and nothing else; no ENTRYPOINT."""
ENTRYPOINT = "trialwatch.test/entrypoint:1"
"""The same program as ENTRYPOINT, so that a pod needs no command."""
OWN_SHELL = "trialwatch.test/own-shell:1"
"""Its `/bin/sh` and `/bin/ls` are the same program: no shell, and no busybox."""
STOP_SIGNAL = "trialwatch.test/stop-signal:1"
"""The same with STOPSIGNAL SIGUSR1."""

_SOURCE = Path(__file__).with_name("trainer.c")


def archives(folder: Path) -> list[Path]:
    """Write the archives of all of them."""
    program = compiled(folder / "trainer", _SOURCE.read_text())
    alone = {"trainer": program}
    shell = {"trainer": program, "bin/sh": program, "bin/ls": program}
    path = {"Env": ["PATH=/bin"]}
    return [
        scratch(folder / "scratch.tar", SCRATCH, alone, {}),
        scratch(folder / "entrypoint.tar", ENTRYPOINT, alone, {"Entrypoint": ["/trainer"]}),
        scratch(folder / "shell.tar", OWN_SHELL, shell, path),
        scratch(folder / "signal.tar", STOP_SIGNAL, alone, {"StopSignal": "SIGUSR1"}),
    ]
