"""The generated code equals the output of `make proto`: it is not edited, and not out of date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

PROTOS = sorted((ROOT / "api").glob("*/*.proto"))


def test_there_is_a_proto() -> None:
    assert PROTOS


@pytest.mark.parametrize("proto", PROTOS, ids=lambda path: path.parent.name)
def test_the_generated_code_is_what_make_proto_gives(proto: Path, tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: nothing to compare to")
    kinds = ["--python_out", "--pyi_out"]
    if "\nservice " in proto.read_text(encoding="utf-8"):
        kinds.append("--grpc_python_out")
    outputs = [f"{kind}={tmp_path}" for kind in kinds]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs]

    subprocess.run([*command, str(proto.relative_to(ROOT))], cwd=ROOT, check=True)

    generated = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(generated) == len(kinds)
    for path in generated:
        kept = ROOT / path.relative_to(tmp_path)
        assert kept.read_bytes() == path.read_bytes(), f"{kept.name}: run `make proto`"
