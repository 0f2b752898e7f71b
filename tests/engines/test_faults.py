from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb
import psycopg
import pytest

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.engines.faults import Unreachable, cause, reachable
from leadlight.engines.postgres import PostgresEngine


@pytest.fixture
def engine(postgres_store: str) -> Iterator[PostgresEngine]:
    with closing(PostgresEngine(postgres_store)) as engine:
        yield engine


def asked(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with reachable(engine):
        return engine.rows(sql)


def test_a_lost_connection_is_said_and_the_next_question_is_answered(
    engine: PostgresEngine, postgres_store: str
) -> None:
    engine.be("worker")
    with closing(PostgresEngine(postgres_store)) as other:
        other.rows("SELECT pg_terminate_backend(?, 10000)", [engine.connection.info.backend_pid])
    with pytest.raises(Unreachable, match="cannot be asked"):
        asked(engine, "SELECT 1")
    assert asked(engine, "SELECT 1") == [(1,)]
    assert asked(engine, "SELECT 1 WHERE current_setting('application_name') LIKE 'leadlight worker %'") == [(1,)]


def test_a_fault_of_the_statement_stays_what_it_is(engine: PostgresEngine) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        asked(engine, "SELECT * FROM nothing")
    with closing(DuckDBEngine(None)) as other, pytest.raises(duckdb.CatalogException):
        asked(other, "SELECT * FROM nothing")


def test_what_went_wrong_first_is_the_cause(engine: PostgresEngine) -> None:
    def twice() -> None:
        with engine.transaction():
            try:
                engine.execute("SELECT * FROM nothing")
            finally:
                engine.execute("SELECT 1")

    with pytest.raises(psycopg.errors.InFailedSqlTransaction) as raised:
        twice()
    found = cause(engine, raised.value)
    assert isinstance(found, psycopg.errors.UndefinedTable)
    assert not engine.unusable(found)
    assert engine.unusable(psycopg.errors.DiskFull("no space"))
