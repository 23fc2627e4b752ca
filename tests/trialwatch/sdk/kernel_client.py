"""`python kernel_client.py CELLS.json`: runs cells in a real Jupyter kernel, as a notebook does.

A cell is an object: `code`; `interrupt` or `kill`: the text in a live view at which the user
interrupts, or the kernel is killed. Each output is printed as a line of JSON: its kind and its text.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

_PATIENCE = 120


class Cell:
    """One cell, and what happens to it while it runs."""

    def __init__(self, kernel: KernelManager, pid: int, cell: dict[str, str]) -> None:
        self._kernel, self._pid, self._cell = kernel, pid, dict(cell)

    def __call__(self, message: dict[str, Any]) -> None:
        """Print an output; end the cell when its time has come."""
        kind, content = message["msg_type"], message["content"]
        texts = {"stream": content.get("text"), "error": content.get("evalue")}
        data = content.get("data", {})
        text = texts.get(kind, data.get("text/plain"))
        if text is None:
            return
        line = json.dumps({"kind": kind, "text": text, "html": "text/html" in data})
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        if self._is_time("kill", text):
            os.kill(self._pid, signal.SIGKILL)
            sys.exit(0)
        if self._is_time("interrupt", text):
            self._kernel.interrupt_kernel()

    def _is_time(self, what: str, text: str) -> bool:
        found = what in self._cell and self._cell[what] in text
        return found and bool(self._cell.pop(what))


def main(cells: list[dict[str, str]]) -> None:
    """Run the cells."""
    kernel = KernelManager(transport="ipc")
    assert kernel.kernel_spec is not None
    kernel.kernel_spec.argv = [sys.executable, *kernel.kernel_spec.argv[1:]]
    kernel.start_kernel()
    client = kernel.client()
    client.start_channels()
    client.wait_for_ready(timeout=_PATIENCE)
    try:
        found: list[str] = []
        client.execute_interactive(
            "import os; print(os.getpid())",
            output_hook=lambda message: found.append(message["content"].get("text", "")),
        )
        pid = int("".join(found))
        for cell in cells:
            hook = Cell(kernel, pid, cell)
            client.execute_interactive(cell["code"], output_hook=hook, timeout=_PATIENCE)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
