from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadlight.cli.app import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `leadlight …` in this process."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")

    def command(*args: object) -> Ended:
        code = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return command


@pytest.fixture(scope="session")
def stocked_starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `leadlight init` makes, its files read and scored: in a process of its own, as a user would."""
    folder = tmp_path_factory.mktemp("starter") / "shop"
    for words in (["init", folder], ["ingest", "-w", folder], ["score", "-w", folder, "--as-of", "2026-06-01"]):
        subprocess.run([sys.executable, "-m", "leadlight", *map(str, words)], check=True, capture_output=True)
    return folder


@pytest.fixture
def starter(stocked_starter: Path, tmp_path: Path) -> Path:
    """A starter workspace of the test's own."""
    return Path(shutil.copytree(stocked_starter, tmp_path / "shop"))


def environment(**more: str) -> dict[str, str]:
    """The environment of a process that a test starts."""
    return {**os.environ, "NO_COLOR": "1", **more}
