"""Image archives with one static program, made without a registry and without Docker."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.binaries import run
from tests.cluster.settings import PAUSE

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PAUSE_C = """
#include <signal.h>
#include <unistd.h>
static void end(int signal) { _exit(signal == SIGINT ? 130 : 0); }
int main(void) {
    signal(SIGINT, end);
    signal(SIGTERM, end);
    signal(SIGCHLD, SIG_IGN);
    for (;;) pause();
}
"""


def pause(folder: Path) -> Path:
    """Return the archive of the image that holds a pod's namespaces."""
    program = compiled(folder / "pause", _PAUSE_C)
    return scratch(folder / "pause.tar", PAUSE, {"pause": program}, {"Entrypoint": ["/pause"]})


def compiled(path: Path, source: str) -> bytes:
    """Return a static program."""
    code = path.with_suffix(".c")
    code.write_text(source)
    run(["cc", "-static", "-O1", "-s", "-o", str(path), str(code)])
    return path.read_bytes()


def scratch(
    archive: Path, name: str, programs: Mapping[str, bytes], config: Mapping[str, object]
) -> Path:
    """Write the archive of an image that has these programs and nothing else."""
    layer = _tar({path: (data, 0o755) for path, data in programs.items()})
    described = json.dumps(
        {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": config,
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"],
            },
        }
    ).encode()
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {
        "config.json": described,
        "layer.tar": layer,
        "manifest.json": json.dumps(manifest).encode(),
    }
    archive.write_bytes(_tar({path: (data, 0o644) for path, data in files.items()}))
    return archive


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for path, (data, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            tar.addfile(entry, io.BytesIO(data))
    return held.getvalue()
