"""What a process that serves does to its memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from leadlight.service.tuning import ALLOCATOR, LARGE_ONES, settled_objects, tune_allocator

LOADED_LATER = """
import os, sys
import leadlight.cli.app, leadlight.cli.serve_verbs
from leadlight.service.tuning import ALLOCATOR, tune_allocator
assert not [name for name in sys.modules if name in ("duckdb", "_duckdb")], "DuckDB was loaded before"
tune_allocator()
print(os.environ[ALLOCATOR])
"""


def test_what_is_there_is_left_out_of_collections_for_a_while() -> None:
    before = gc.get_freeze_count()
    with settled_objects():
        assert gc.get_freeze_count() > before + 1_000
    assert gc.get_freeze_count() == 0


def test_the_allocator_hears_of_it_before_duckdb_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED_LATER], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == LARGE_ONES, done.stderr


def test_who_has_tuned_it_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOCATOR, "dirty_decay_ms:0")
    tune_allocator()
    assert os.environ[ALLOCATOR] == "dirty_decay_ms:0"
