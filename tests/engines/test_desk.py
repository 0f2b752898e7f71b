from __future__ import annotations

import pyarrow as pa

from leadlight.engines.desk import desk
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.engines.postgres import PostgresEngine


def test_duckdb_is_its_own_desk() -> None:
    engine = DuckDBEngine(None)
    with desk(engine, "any") as beside:
        assert beside is engine
    engine.close()


def test_tables_are_brought_from_postgres(postgres_store: str) -> None:
    engine = PostgresEngine(postgres_store)
    engine.register("t", pa.table({"a": [1.5, None], "b": ["x", ""], "c": [True, None]}))
    with desk(engine, "t") as beside:
        assert beside.rows("SELECT * FROM t ORDER BY b DESC") == [(1.5, "x", True), (None, "", None)]
    engine.close()
