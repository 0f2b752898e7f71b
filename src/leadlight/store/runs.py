"""What was done, when, with which counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine


def start_run(
    engine: Engine,
    verb: str,
    *,
    started_at: datetime,
    as_of: datetime | None = None,
    scorecard: str | None = None,
    version: str | None = None,
) -> int:
    """Note that a verb has begun; return the run's number. Times are naive UTC.

    >>> from leadlight.store.open import open_store
    >>> from pathlib import Path
    >>> engine = open_store("duckdb::memory:", Path())
    >>> start_run(engine, "ingest", started_at=datetime(2026, 1, 1))
    1
    """
    run = int(engine.rows("SELECT coalesce(max(run), 0) + 1 FROM runs")[0][0])
    engine.execute(
        "INSERT INTO runs VALUES (?, ?, ?, NULL, ?, ?, ?, NULL)", [run, verb, started_at, as_of, scorecard, version]
    )
    return run


def finish_run(engine: Engine, run: int, *, finished_at: datetime, counts: Mapping[str, Any]) -> None:
    """Note that a run has ended, and what came of it."""
    engine.execute(
        "UPDATE runs SET finished_at = ?, counts = ? WHERE run = ?", [finished_at, json.dumps(dict(counts)), run]
    )
