from __future__ import annotations

import json
from datetime import datetime

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.store.runs import finish_run, start_run


def test_numbers_rise_and_counts_are_kept(store: DuckDBEngine) -> None:
    begun, ended = datetime(2026, 1, 1), datetime(2026, 1, 2)
    runs = [start_run(store, verb, started_at=begun, scorecard="house") for verb in ("ingest", "score")]
    finish_run(store, runs[1], finished_at=ended, counts={"scores": 5})
    assert runs == [1, 2]
    assert store.rows("SELECT run, verb, finished_at, scorecard FROM runs ORDER BY run") == [
        (1, "ingest", None, "house"), (2, "score", ended, "house"),
    ]  # fmt: skip
    assert json.loads(store.rows("SELECT counts FROM runs WHERE run = 2")[0][0]) == {"scores": 5}
