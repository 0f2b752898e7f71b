"""What one process did, heard by the others."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from leadlight.engines.postgres import PostgresEngine
from leadlight.service.bell import CALLS, NAMES, Bell, ring


@pytest.fixture
def heard(postgres_store: str) -> Iterator[tuple[Bell, queue.SimpleQueue[str]]]:
    said = queue.SimpleQueue[str]()
    with closing(Bell(PostgresEngine(postgres_store), said.put)) as bell:
        yield bell, said


def test_who_listens_hears_what_is_told_of_the_same_store(
    heard: tuple[Bell, queue.SimpleQueue[str]], postgres_store: str, postgres_uri: str
) -> None:
    with closing(PostgresEngine(postgres_uri)) as other, closing(PostgresEngine(postgres_store)) as same:
        ring(other, NAMES)
        ring(same, CALLS)
    assert heard[1].get(timeout=10) == CALLS
    assert heard[1].empty()


def test_in_a_transaction_it_is_told_once_that_is_kept(
    heard: tuple[Bell, queue.SimpleQueue[str]], postgres_store: str
) -> None:
    with closing(PostgresEngine(postgres_store)) as engine:
        with suppress(ZeroDivisionError), engine.transaction():
            ring(engine, NAMES)
            raise ZeroDivisionError
        with engine.transaction():
            ring(engine, CALLS)
            assert heard[1].empty()
    assert heard[1].get(timeout=10) == CALLS


def test_after_a_lost_connection_everything_may_have_been_told(
    heard: tuple[Bell, queue.SimpleQueue[str]], postgres_store: str
) -> None:
    bell, said = heard
    with closing(PostgresEngine(postgres_store)) as engine:
        engine.rows("SELECT pg_terminate_backend(?, 10000)", [bell._engine.connection.info.backend_pid])
        assert {said.get(timeout=20), said.get(timeout=20)} == {CALLS, NAMES}
        ring(engine, CALLS)
        assert said.get(timeout=20) == CALLS
