from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pytest

from leadlight.engines import postgres as module
from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError

MOMENT = datetime(2026, 3, 12, 10, 30, 0, 123_456)
TABLE = pa.table(
    {
        "n": pa.array([1.5, None, float("inf"), float("nan"), 5e-324]),
        "t": pa.array(["x", "", None, 'a"b,\nc', "nul\0"]),
        "b": pa.array([True, None, False, True, False]),
        "m": pa.array([MOMENT, None, MOMENT, MOMENT, MOMENT], pa.timestamp("us")),
        "i": pa.array([1, None, -(2**31), 2**31 - 1, 0], pa.int32()),
        "d": pa.array(["p", None, "q", "p", "p"]).dictionary_encode(),
    }
)


@pytest.fixture
def engine(postgres_store: str) -> Iterator[PostgresEngine]:
    engine = PostgresEngine(postgres_store)
    yield engine
    engine.close()


def test_arrow_comes_back_as_it_went_in(engine: PostgresEngine) -> None:
    engine.register("held", TABLE)
    found = engine.arrow("SELECT * FROM held").to_pydict()
    given = TABLE.to_pydict()
    assert str(found.pop("n")) == str(given.pop("n"))
    assert found.pop("t") == [*given.pop("t")[:-1], "nul"]  # PostgreSQL keeps no NUL in texts
    assert found == given
    engine.unregister("held")
    assert engine.columns("held") == {}


def test_rows_travel_in_batches(engine: PostgresEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 10)
    engine.register("held", pa.table({"n": range(25)}))
    assert [len(batch) for batch in engine.batches("held")] == [10, 10, 5]
    assert engine.arrow("SELECT n FROM held WHERE n < ?", [20]).num_rows == 20
    assert engine.arrow("SELECT n, 'x' AS t FROM held WHERE n < 0").schema.names == ["n", "t"]


def test_what_nobody_chose_is_set_to_our_taste(engine: PostgresEngine, postgres_store: str) -> None:
    chosen = PostgresEngine(f"{postgres_store}%20-c%20work_mem%3D8MB")
    try:
        ours, theirs = (one.rows("SHOW work_mem")[0] for one in (engine, chosen))
        assert (ours, theirs) == (("64MB",), ("8MB",))
        assert {one.rows("SHOW random_page_cost")[0] for one in (engine, chosen)} == {("1.1",)}
    finally:
        chosen.close()


def test_a_failed_transaction_leaves_nothing(engine: PostgresEngine) -> None:
    engine.execute("CREATE TABLE kept (a INTEGER)")

    def fail() -> None:
        with engine.transaction():
            engine.execute("INSERT INTO kept VALUES (1)")
            with engine.transaction():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert engine.rows("SELECT * FROM kept") == []
    assert engine.tables() == {"kept"}


def test_one_process_writes_at_a_time(postgres_store: str) -> None:
    one, other = PostgresEngine(postgres_store), PostgresEngine(postgres_store)
    one.execute("CREATE TABLE t (a INTEGER)")
    seen = []

    def write() -> None:
        with other.transaction():
            seen.append(other.rows("SELECT count(*) FROM t")[0][0])

    with one.transaction():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(0.3)
        assert seen == []
        one.execute("INSERT INTO t VALUES (1)")
    thread.join(10)
    assert seen == [1]
    one.close()
    other.close()


def test_prepared_statements_take_keys_and_times(engine: PostgresEngine) -> None:
    for value in (1, 2):
        found = engine.prepared("SELECT $1 + 1 AS n, CAST($2 AS TIMESTAMP) AS at", [value, MOMENT])
        assert found == [{"n": value + 1, "at": MOMENT}]


def test_columns_have_the_names_of_duckdb(engine: PostgresEngine) -> None:
    engine.execute(
        'CREATE TABLE t (a DOUBLE, b VARCHAR, c BOOLEAN, d TIMESTAMP, "e f" INTEGER, g UHUGEINT, h DOUBLE[])'
    )
    assert engine.columns("t") == {
        "a": "DOUBLE", "b": "VARCHAR", "c": "BOOLEAN", "d": "TIMESTAMP", "e f": "INTEGER", "g": "UHUGEINT",
        "h": "DOUBLE[]",
    }  # fmt: skip


def test_no_password_in_the_message() -> None:
    with pytest.raises(StoreError) as caught:
        PostgresEngine("postgresql://ann:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)
