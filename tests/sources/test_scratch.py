"""Folders for a while: nothing of them stays, however their process ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from leadlight.sources.scratch import Scratch, remove_left, scratch

HOLDS = """
import sys
from leadlight.sources.scratch import Scratch
made = Scratch()
(made.path / "copy.csv").write_text("ann@x.example")
print(made.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for what is needed for a while, which these tests have alone."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_killed_process_left_is_removed_and_what_one_uses_is_not(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with scratch() as ours:
            remove_left()
            assert (left / "copy.csv").exists()
            process.kill()
            process.wait(10)
            assert (left / "copy.csv").exists()
            used = Scratch()
            assert sorted(place.iterdir()) == sorted([ours, used.path])
            used.cleanup()
            used.cleanup()
    assert list(place.iterdir()) == []


def test_what_is_not_ours_stays(place: Path) -> None:
    """Without a lock of ours; readable by others; a link; a file."""
    kept = place / "kept"
    for name, mode in {"leadlight-learning": 0o700, "leadlight-open": 0o755, "kept": 0o700, "other-1": 0o700}.items():
        (place / name).mkdir(mode=mode)
        (place / name).chmod(mode)
    for name in ("leadlight-open", "kept", "other-1"):
        (place / name / ".lock").touch()
    (place / "leadlight-link").symlink_to(kept)
    (place / "leadlight-lock").mkdir(mode=0o700)
    (place / "leadlight-lock" / ".lock").symlink_to(kept / ".lock")
    (place / "leadlight-file").touch()
    before = sorted(place.iterdir())
    remove_left()
    assert sorted(place.iterdir()) == before
    assert (kept / ".lock").exists()
