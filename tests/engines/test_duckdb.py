from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DISABLED, DuckDBEngine
from leadlight.errors import StoreError, StoreInUse
from leadlight.expr.types import Type


@pytest.fixture
def engine() -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine(None)
    engine.execute("CREATE TABLE t (n INTEGER)")
    yield engine
    engine.close()


def numbers(engine: Engine) -> list[int]:
    return [n for (n,) in engine.rows("SELECT n FROM t ORDER BY n")]


# ------------------------------------------------------------------------------------------------------ transactions


def test_all_is_kept(engine: DuckDBEngine) -> None:
    with engine.transaction():
        engine.execute("INSERT INTO t VALUES (1)")
        engine.execute("INSERT INTO t VALUES (?)", [2])
    assert numbers(engine) == [1, 2]


def insert_and(engine: DuckDBEngine, number: int, then: Callable[[], object]) -> None:
    """Insert a number and do something else, all or nothing."""
    with engine.transaction():
        engine.execute("INSERT INTO t VALUES (?)", [number])
        then()


def fail(error: BaseException) -> Callable[[], object]:
    """Return what raises an error."""

    def raise_it() -> None:
        raise error

    return raise_it


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_nothing_is_kept_after_an_error(engine: DuckDBEngine, error: BaseException) -> None:
    with pytest.raises(type(error)):
        insert_and(engine, 1, fail(error))
    assert numbers(engine) == []
    insert_and(engine, 2, lambda: None)
    assert numbers(engine) == [2]


def test_a_nested_one_joins_the_outer_one(engine: DuckDBEngine) -> None:
    with pytest.raises(ValueError, match="late"):
        insert_and(engine, 1, lambda: (insert_and(engine, 2, lambda: None), fail(ValueError("late"))()))
    assert numbers(engine) == []


def test_an_error_that_the_outer_one_handles_takes_nothing_back(engine: DuckDBEngine) -> None:
    with engine.transaction():
        with pytest.raises(ValueError, match="inner"):
            insert_and(engine, 1, fail(ValueError("inner")))
        engine.execute("INSERT INTO t VALUES (2)")
    assert numbers(engine) == [1, 2]


def test_a_statement_that_fails_ends_all(engine: DuckDBEngine) -> None:
    with pytest.raises(duckdb.ConversionException):
        insert_and(engine, 1, lambda: engine.execute("INSERT INTO t VALUES ('x')"))
    assert numbers(engine) == []


def test_a_commit_that_fails_leaves_the_engine_usable(engine: DuckDBEngine) -> None:
    other = engine.connection.cursor()
    engine.execute("CREATE TABLE k (n INTEGER PRIMARY KEY)")
    other.execute("BEGIN")
    other.execute("INSERT INTO k VALUES (1)")

    def insert_the_same_and_be_late() -> None:
        engine.execute("INSERT INTO k VALUES (1)")
        other.execute("COMMIT")

    with pytest.raises(duckdb.TransactionException, match="Failed to commit"):
        insert_and(engine, 1, insert_the_same_and_be_late)
    assert engine.rows("SELECT count(*) FROM k") == [(1,)]
    assert numbers(engine) == []
    insert_and(engine, 2, lambda: None)
    assert numbers(engine) == [2]


# ------------------------------------------------------------------------------------------------------- in and out


def test_arrow_goes_in_and_out(engine: DuckDBEngine) -> None:
    given = pa.table({"n": [1, 2], "s": ["a", None]})
    engine.register("given", given)
    engine.execute("INSERT INTO t SELECT n FROM given")
    assert engine.arrow("SELECT * FROM given WHERE n > ?", [1]).to_pylist() == [{"n": 2, "s": None}]
    engine.unregister("given")
    with pytest.raises(duckdb.CatalogException):
        engine.rows("SELECT * FROM given")
    assert numbers(engine) == [1, 2]


def test_columns_in_order_and_none_of_what_is_not_there(engine: DuckDBEngine) -> None:
    engine.execute('CREATE TABLE "odd name" ("at" TIMESTAMP, n DOUBLE)')
    assert engine.columns("odd name") == {"at": "TIMESTAMP", "n": "DOUBLE"}
    assert engine.columns("nothing") == {}


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Type.NUMBER, 0.1 + 0.2), (Type.TEXT, "naïve 'x'"), (Type.BOOL, False),
     (Type.TIME, datetime.fromisoformat("2026-03-01T00:00:00.000001"))],
)  # fmt: skip
def test_each_type_is_held_exactly(engine: DuckDBEngine, kind: Type, value: object) -> None:
    engine.execute(f"CREATE TABLE v (v {engine.capabilities.types[kind]})")
    engine.execute("INSERT INTO v VALUES (?)", [value])
    assert engine.rows("SELECT v FROM v") == [(value,)]


def test_times_are_utc_whatever_the_machine_says(engine: DuckDBEngine) -> None:
    assert engine.rows("SELECT '2026-07-01 12:00+02'::TIMESTAMPTZ::TIMESTAMP::VARCHAR") == [("2026-07-01 10:00:00",)]


def test_a_prepared_query_takes_each_kind_of_value_and_sees_what_is_new(engine: DuckDBEngine) -> None:
    asked = "SELECT $1::VARCHAR AS s, $2::TIMESTAMP AS t, n FROM t WHERE n >= $3 ORDER BY n"
    moment = datetime.fromisoformat("2026-03-01T00:00:00.000001")
    assert engine.prepared(asked, ["it's; DROP TABLE t", moment, 1]) == []
    engine.execute("INSERT INTO t VALUES (1), (2)")
    assert engine.prepared(asked, ["it's; DROP TABLE t", moment, 2]) == [
        {"s": "it's; DROP TABLE t", "t": moment, "n": 2}
    ]
    assert engine.rows("SELECT count(*) FROM duckdb_prepared_statements()") == [(1,)]


def test_memory_limit() -> None:
    engine = DuckDBEngine(None, memory_limit="100MiB")
    assert engine.rows("SELECT current_setting('memory_limit')") == [("100.0 MiB",)]
    engine.close()


# ------------------------------------------------------------------------------------------------------------- files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    engine = DuckDBEngine(tmp_path / "s.duckdb")
    engine.execute("CREATE TABLE t AS SELECT 1 AS n, 'a secret that must go' AS s")
    engine.close()
    return tmp_path / "s.duckdb"


def test_read_only_reads_and_does_not_write(file: Path) -> None:
    engine = DuckDBEngine(file, read_only=True)
    assert numbers(engine) == [1]
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        engine.execute("DELETE FROM t")
    engine.close()


HOLD = """
import sys, duckdb
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("read_only", [False, True])
def test_another_process_that_holds_the_store_is_named(file: Path, read_only: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreInUse) as caught:
            DuckDBEngine(file, read_only=read_only)
        other.communicate("\n")
    assert caught.value.holder.startswith(f"process {other.pid} (python")
    assert str(caught.value) == (
        f"the store {file} is in use by {caught.value.holder}\nWait until it has finished, or stop it, then try again."
    )
    DuckDBEngine(file).close()


def test_two_readers_do_not_mind_each_other(file: Path) -> None:
    first, second = DuckDBEngine(file, read_only=True), DuckDBEngine(file, read_only=True)
    assert numbers(first) == numbers(second) == [1]
    first.close()
    assert numbers(second) == [1]
    second.close()


@pytest.mark.parametrize("content", [b"id,name\n1,Ann\n" * 1000, b"\0" * 20_000, b"x"])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        DuckDBEngine(path)
    assert str(caught.value) == (f"{path} is not a store: it is no DuckDB file\nName another file under `store:`.")
    assert path.read_bytes() == content


def test_a_damaged_store_is_an_error_of_ours(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])
    with pytest.raises(StoreError, match=f"^the store {file} cannot be opened: "):
        DuckDBEngine(file).rows("SELECT * FROM t")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: IO Error"):
        DuckDBEngine(tmp_path / "no" / "s.duckdb")


def test_rewriting_leaves_nothing_of_what_was_deleted(file: Path) -> None:
    engine = DuckDBEngine(file)
    assert engine.prepared("SELECT n FROM t WHERE n = $1", [1]) == [{"n": 1}]
    engine.execute("INSERT INTO t VALUES (2, 'stays')")
    engine.execute("DELETE FROM t WHERE n = 1")
    engine.rewrite()
    assert engine.prepared("SELECT n FROM t WHERE n = $1", [2]) == [{"n": 2}]
    assert engine.rows("SELECT current_setting('TimeZone')") == [("UTC",)]
    engine.close()
    content = file.read_bytes()
    assert b"secret" not in content
    assert b"stays" in content
    assert [path.name for path in file.parent.iterdir()] == ["s.duckdb"]


def test_sums_over_ordered_tables_read_them_once(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path / "a.duckdb")
    engine.rewrite()  # connects anew
    assert engine.rows("SELECT current_setting('disabled_optimizers')") == [(DISABLED,)]
    engine.close()
