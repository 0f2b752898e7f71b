from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leadlight.cli.app import main


@pytest.mark.parametrize("verb", ["backup", "retain"])
def test_who_serves_is_to_be_asked(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "leadlight.yaml").write_text("store: duckdb:store.duckdb\n")
    hold = (
        f"import duckdb; held = duckdb.connect({str(tmp_path / 'store.duckdb')!r}); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        code = main([verb, "-w", str(tmp_path)])
        other.communicate("\n")
    assert code != 0
    assert f"POST /v1/{verb}" in " ".join(capsys.readouterr().err.split())
