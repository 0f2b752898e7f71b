import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from leadlight.errors import DataError
from leadlight.sources.sql import expand

from .conftest import Reader


@pytest.fixture
def duck(folder: Path) -> None:
    with duckdb.connect(str(folder / "x.duckdb")) as other:
        other.execute(
            "CREATE TABLE leads AS SELECT 'L' || i AS id, i AS a, "
            "TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL 1 HOUR * i AS w, {'p': i, 'q': 'z'} AS s "
            "FROM range(3) t(i)"
        )


@pytest.fixture
def lite(folder: Path) -> None:
    with sqlite3.connect(folder / "x.sqlite") as other:
        other.execute("CREATE TABLE leads (id, a, w TEXT, big)")
        rows = [("a", 1, "2026-01-01 10:00:00", 2**60), ("b", None, "2026-01-02 10:00:00", 1), ("c", 2.5, None, None)]
        other.executemany("INSERT INTO leads VALUES (?, ?, ?, ?)", rows)
    other.close()


@pytest.fixture(scope="module")
def server(postgres_uri: str) -> Iterator[str]:
    """The address of a real PostgreSQL with a table of every kind of column."""
    with psycopg.connect(postgres_uri) as other:
        other.execute("CREATE SCHEMA crm")
        other.execute(
            "CREATE TABLE crm.leads AS SELECT i::BIGINT AS id, (i + 0.5)::NUMERIC AS n, i / 4.0::FLOAT8 AS f, "
            "TIMESTAMPTZ '2026-01-31 10:00+02' AS at, TIMESTAMP '2026-01-31 10:00' AS naive, DATE '2026-01-31' AS d, "
            "i % 2 = 0 AS ok, '{\"a\": [1]}'::JSONB AS js, ARRAY['x', 'y'] AS tags, "
            "'11111111-1111-1111-1111-111111111111'::UUID AS u, '\\x01'::BYTEA AS raw "
            "FROM generate_series(1, 50000) AS t(i)"
        )
    yield postgres_uri
    with psycopg.connect(postgres_uri) as other:
        other.execute("DROP SCHEMA crm CASCADE")


@pytest.mark.usefixtures("duck")
def test_duckdb(read_source: Reader) -> None:
    result = read_source(sql="duckdb:x.duckdb", table="leads", id="id")
    assert result.types == {"a": "number", "w": "time", "s_p": "number", "s_q": "text"}
    assert result.rows[2] == ("L2", 2.0, dt.datetime(2026, 1, 1, 2), 2.0, "z")
    query = "SELECT id, a * 2 AS b FROM leads ORDER BY a DESC;"
    assert read_source(sql="duckdb:x.duckdb", query=query, id="id").rows == [("L2", 4.0), ("L1", 2.0), ("L0", 0.0)]


@pytest.mark.usefixtures("lite")
def test_sqlite(read_source: Reader) -> None:
    result = read_source(sql="sqlite:x.sqlite", table="leads", id="id")
    assert result.rows == [
        ("a", 1.0, dt.datetime(2026, 1, 1, 10), str(2**60)),
        ("b", None, dt.datetime(2026, 1, 2, 10), "1"),
        ("c", 2.5, None, None),
    ]
    query = "SELECT id FROM leads WHERE a > 0"
    assert read_source(sql="sqlite:x.sqlite", query=query, id="id").rows == [("a",), ("c",)]


def test_postgres(server: str, read_source: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_DATABASE", server)
    result = read_source(sql="${CRM_DATABASE}", table="crm.leads", id="id")
    assert result.reading.rows == 50_000
    assert result.rows[2] == (
        "3", 3.5, 0.75, dt.datetime(2026, 1, 31, 8), dt.datetime(2026, 1, 31, 10), dt.datetime(2026, 1, 31), False,
        '{"a": [1]}', '["x", "y"]', "11111111-1111-1111-1111-111111111111", "01",
    )  # fmt: skip
    assert result.reading.files[0].path.startswith("crm.leads of ")
    with pytest.raises(DataError) as caught:
        read_source(sql="${CRM_DATABASE}", query="SELECT nix FROM crm.leads", id="id")
    assert str(caught.value).splitlines()[1] == 'sources.src: the database says: column "nix" does not exist'


def test_no_secret_is_told(read_source: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPW", "open-sesame")
    for address in (
        "postgresql://u:${PGPW}@127.0.0.1:1/x",
        "postgresql://u@127.0.0.1:1/x?password=${PGPW}&bad=${PGPW}",
        "postgresql://u:p@${PGPW}@127.0.0.1:1/x",
        "postgresql://u:${PGPW}%zz@127.0.0.1:1/x",
    ):
        with pytest.raises(DataError) as caught:
            read_source(sql=address, table="leads", id="id")
        assert "open-sesame" not in str(caught.value)


@pytest.mark.usefixtures("duck", "lite")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"sql": "duckdb:x.duckdb", "table": "leds"}, "there is no table 'leds'; did you mean 'leads'? Known: leads"),
        ({"sql": "sqlite:x.sqlite", "table": "leds"}, "there is no table 'leds'; did you mean 'leads'? Known: leads"),
        ({"sql": "duckdb:y.duckdb", "table": "leads"},
         "there is no file y.duckdb: the workspace's folder has x.duckdb, …"),
        ({"sql": "duckdb:x.duckdb", "query": "selec 1"},
         'the database says: Parser Error: syntax error at or near "selec"'),
        ({"sql": "sqlite:x.duckdb", "table": "leads"}, "the database says: file is not a database"),
        ({"sql": "sqlite:x.sqlite", "query": "DELETE FROM leads"},
         "the database says: attempt to write a readonly database"),
        ({"sql": "mysql://u:pw@x/y", "table": "leads"},
         "'mysql' is no database we read: write duckdb:FILE, sqlite:FILE or postgresql://…"),
    ],
)  # fmt: skip
def test_refused(read_source: Reader, spec: dict[str, str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_source(id="id", **spec)
    assert str(caught.value).splitlines()[1] == f"sources.src: {message}"


@pytest.mark.usefixtures("duck")
def test_a_query_cannot_write(read_source: Reader) -> None:
    with pytest.raises(DataError, match="read-only"):
        read_source(sql="duckdb:x.duckdb", query="DROP TABLE leads", id="id")
    assert len(read_source(sql="duckdb:x.duckdb", table="leads", id="id").rows) == 3


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "1")
    assert expand("x${A}y$A${A}", "src") == "x1y$A1"
    with pytest.raises(DataError) as caught:
        expand("${NO_1}${NO_2}", "src")
    assert str(caught.value).splitlines()[1:] == [
        "sources.src.sql: the environment variable NO_1 is not set",
        "sources.src.sql: the environment variable NO_2 is not set",
    ]
