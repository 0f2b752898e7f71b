"""The printed SQL, run by ClickHouse on tables of the documented shape, gives what DuckDB gives.

Runs where `chdb` (ClickHouse as a library, of the extra `bench`) is installed; it is not needed for anything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.compare import feature_faults, score_faults
from reference.effort import tries
from reference.engine import KINDS, DuckDBTables, Rows, Store, at, compiled, table_rows
from reference.scorer import Scores, World
from reference.worlds import EVENT_KINDS, Theme, examples

chdb = pytest.importorskip("chdb.session", reason="chdb is not installed (it comes with the extra `bench`)")

FEATURES = ("attribute", "expr", "age", "until", "after", "account", *EVENT_KINDS)
CRITERIA = ("category", "bands", "pair", "event", "event", "when")
LEADS = Theme(features=FEATURES, criteria=CRITERIA, accounts=True, grades=True)
EXPRESSIONS = Theme(features=("expr",), criteria=("when",))

TYPES = {
    pa.string(): "String", pa.float64(): "Float64", pa.bool_(): "Bool", pa.timestamp("us"): "DateTime64(6, 'UTC')",
    pa.int32(): "Int32",
}  # fmt: skip
FAR = datetime(2299, 12, 31)
"""ClickHouse's times end there, so that is how far ahead `known_until` of what is still known can be."""


class ClickHouseTables:
    """One ClickHouse in this process for many examples; its tables are emptied between them."""

    def __init__(self, folder: Path) -> None:
        self._session = chdb.Session(str(folder))
        self._session.query("CREATE DATABASE w ENGINE = Atomic")
        self._session.query("USE w")
        self._session.query(
            "SET output_format_json_quote_64bit_integers = 0, output_format_json_quote_64bit_floats = 0"
        )
        for table, columns in KINDS.items():
            written = ", ".join(f"`{name}` Nullable({TYPES[kind]})" for name, kind in columns.items())
            self._session.query(f"CREATE TABLE w.{table} ({written}) ENGINE = Memory")

    @contextmanager
    def loaded(self, world: World) -> Iterator[Store]:
        """Give a store that holds this world."""
        for table, rows in table_rows(world).items():
            self._fill(table, rows)
        try:
            yield Store("clickhouse", self._rows, self._prepared, self._fill)
        finally:
            for table in KINDS:
                self._session.query(f"TRUNCATE TABLE w.{table}")

    def _fill(self, table: str, rows: Rows) -> None:
        if rows:
            lines = "\n".join(json.dumps(row, default=written, allow_nan=False) for row in rows)
            self._session.query(f"INSERT INTO w.{table} FORMAT JSONEachRow {lines}")

    def _rows(self, sql: str) -> Rows:
        found = json.loads(self._session.query(sql, "JSONCompact").bytes())
        names = [column["name"] for column in found["meta"]]
        readers = [reader(column["type"]) for column in found["meta"]]
        return [
            {
                name: value if value is None else read(value)
                for name, read, value in zip(names, readers, row, strict=True)
            }
            for row in found["data"]
        ]

    def _prepared(self, sql: str, parameters: Sequence[Any]) -> Rows:
        raise NotImplementedError("parameters are for the store's own engine")

    def close(self) -> None:
        """Let go of the files."""
        self._session.close()


def written(value: datetime) -> str:
    return min(value, FAR).isoformat(sep=" ")


def reader(kind: str) -> Callable[[Any], Any]:
    """Return what reads a value of a type from JSON; truth values that are numbers are told apart later."""
    kind = kind.removeprefix("Nullable(")
    return datetime.fromisoformat if kind.startswith("DateTime64") else float if kind.startswith("Float") else same


def same(value: Any) -> Any:
    return value


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DuckDBTables, ClickHouseTables]]:
    duckdb, clickhouse = DuckDBTables(), ClickHouseTables(tmp_path_factory.mktemp("clickhouse"))
    yield duckdb, clickhouse
    duckdb.close()
    clickhouse.close()


def answers(tables, example):
    """Features and scores of one engine as of one moment."""
    ready, moment = compiled(example), at(example.moments[0])
    with tables.loaded(example.world) as store:
        return ready.features(store, moment), ready.scores(store, moment)


def as_asked(example, features):
    """Take numbers for truth values, or for numbers with a point, where the feature's type says so."""
    casts = {"bool": bool, "number": float}
    kinds = {name: casts.get(str(kind)) for name, kind in example.feature_types.items()}
    return {
        key: {name: kinds[name](value) if kinds[name] and value is not None else value for name, value in row.items()}
        for key, row in features.items()
    }


def check(example, both):
    (features, scores), (their_features, their_scores) = (answers(tables, example) for tables in both)
    assert feature_faults(features, as_asked(example, their_features)) == []
    assert score_faults(Scores(scores), their_scores) == []


@tries(25)
@given(example=st.one_of(examples(LEADS)))
def test_scores_and_features(example, both):
    check(example, both)


@tries(25)
@given(example=examples(EXPRESSIONS))
def test_conditions_and_expressions(example, both):
    check(example, both)
