"""Statements of DuckDB, run by a real PostgreSQL, give what DuckDB gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.engines.translate import numbered, translated
from leadlight.store.open import open_store

MOMENT = datetime(2026, 3, 12, 10, 30, 0, 250_000)


@pytest.fixture(scope="module")
def postgres(postgres_module_store: str) -> Iterator[Engine]:
    engine = open_store(postgres_module_store, Path(), create=True)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Engine]:
    engine = DuckDBEngine(None)
    yield engine
    engine.close()


T = "(VALUES (1, 'a', 2.0, NULL), (1, 'b', 3.0, 5), (2, NULL, 1.0, 4), (2, 'd', 3.0, 4)) t(k, name, x, y)"
"""A table as a query."""

QUERIES: list[tuple[str, list[Any]]] = [
    (f"SELECT k, arg_max(name, x) AS m FROM {T} GROUP BY ALL ORDER BY k", []),
    (f"SELECT k, arg_min(name, (x, y)) FILTER (WHERE x > ?) AS m FROM {T} GROUP BY ALL ORDER BY k", [1.5]),
    (f"SELECT k, name FROM {T} QUALIFY row_number() OVER (PARTITION BY k ORDER BY x DESC) = 1 ORDER BY k", []),
    (f"SELECT count(*) FROM {T} WHERE list_contains(?::VARCHAR[], name)", [["a", "d", "z"]]),
    (f"SELECT k, count(*) FILTER (WHERE name IS NULL), sum(k), avg(y) FROM {T} GROUP BY k ORDER BY k", []),
    (f"SELECT approx_count_distinct(k), count(DISTINCT name) FROM {T}", []),
    ("SELECT epoch_us(?::TIMESTAMP), ?::TIMESTAMP - to_microseconds(?)", [MOMENT, MOMENT, 1_500_000]),
    ("SELECT (epoch_us(?::TIMESTAMP) - 7) // ?", [MOMENT, 1000]),
    ("SELECT md5_number_lower('abc') % 1000, md5_number_upper('abc'), hex(md5_number('abc')) = ?", ["x"]),
    ("SELECT strlen('häß'), length('häß'), sha256('salt' || 'id'), starts_with('abc', 'ab')", []),
    ("SELECT contains('a%b', '%'), contains('ab', '%'), list_extract(?::BIGINT[], 2)", [[5, 7]]),
    ("SELECT floor(jaro_winkler_similarity('martha', 'marhta') * 1e6), jaro_winkler_similarity('a', 'b')", []),
    ("SELECT floor(jaro_winkler_similarity('dixon', 'dicksonx') * 1e6), jaro_winkler_similarity('', 'b')", []),
    ("SELECT unnest(generate_series(?::TIMESTAMP, ?::TIMESTAMP, to_microseconds(?))) AS at", [MOMENT, datetime(2026, 3, 12, 10, 31), 15_000_000]),  # noqa: E501
    ("SELECT a.x, b.y FROM (VALUES (1), (5)) a(x) ASOF JOIN (VALUES (0, 'p'), (4, 'q')) b(t, y) ON b.t <= a.x ORDER BY 1", []),  # noqa: E501
    ("SELECT a.x FROM (VALUES (1), (5)) a(x) ANTI JOIN (VALUES (5)) b(x) ON a.x = b.x", []),
    (f"SELECT any_value(name) FROM {T} WHERE k = 2", []),
    (f"SELECT k, x FROM {T} WHERE CASE name WHEN 'a' THEN TRUE WHEN 'd' THEN TRUE ELSE FALSE END AND x > 1 ORDER BY x", []),  # noqa: E501
    (f"SELECT x FROM {T} WHERE NOT CASE name WHEN 'a' THEN TRUE WHEN 'd' THEN TRUE ELSE FALSE END ORDER BY x", []),
    (f"SELECT CASE name WHEN 'a' THEN TRUE ELSE FALSE END AS known FROM {T} ORDER BY x, k", []),
    ("SELECT date_diff('microsecond', ?::TIMESTAMP, ?::TIMESTAMP)", [MOMENT, datetime(1777, 7, 7, 7, 7, 7, 777_777)]),
    ("SELECT date_diff('microsecond', ?::TIMESTAMP, ?::TIMESTAMP)", [MOMENT, MOMENT + timedelta(microseconds=1)]),
    ("SELECT [1.5, 2]::DOUBLE[] AS v, CASE WHEN ? THEN 1 ELSE 2 END", [True]),
    ("SELECT '?' || ?, \"?\" FROM (SELECT 1 AS \"?\")", ["'; DROP TABLE leads; --"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "parameters"), QUERIES)
def test_both_give_the_same_rows(duckdb: Engine, postgres: Engine, query: str, parameters: list[Any]) -> None:
    assert postgres.rows(query, parameters) == duckdb.rows(query, parameters)


def test_a_table_is_made_of_itself(duckdb: Engine, postgres: Engine) -> None:
    for engine in (duckdb, postgres):
        engine.execute("CREATE TEMP TABLE made AS SELECT 1 AS a, 'x' AS b")
        engine.execute("CREATE OR REPLACE TEMP TABLE made AS SELECT a + 1 AS a, b FROM made")
        engine.execute("INSERT INTO made BY NAME SELECT ? AS b, 5 AS a", ["y"])
        assert engine.rows("SELECT * FROM made ORDER BY a") == [(2, "x"), (5, "y")]
        engine.execute("DROP TABLE made")


def test_values_looked_for_find_their_index() -> None:
    case = "CASE type WHEN 'a' THEN TRUE WHEN 'b' THEN TRUE ELSE FALSE END"
    assert translated(f"SELECT 1 FROM e WHERE lead = 1 AND ({case})").endswith("AND (\"type\" IN ('a', 'b'))")
    assert " IN " not in translated(f"SELECT {case} FROM e")
    assert " IN " not in translated(f"SELECT 1 FROM e WHERE NOT {case}")
    assert " IN " not in translated("SELECT 1 FROM e WHERE CASE type WHEN 'a' THEN TRUE ELSE NULL END")


def test_parameters_are_numbered_where_they_stand() -> None:
    assert numbered("SELECT ?::INT, '?', \"?\" -- ?\n, ?") == "SELECT $1::INT, '?', \"?\" -- ?\n, $2"


def test_names_are_quoted_and_texts_stay_texts() -> None:
    assert translated("SELECT \"a\"\"b\", 'it''s' FROM t") == 'SELECT "a""b", \'it\'\'s\' FROM "t"'
