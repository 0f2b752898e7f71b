from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError
from leadlight.service.keys import Keys
from leadlight.service.shelf import FileShelf, Shelf, TableShelf


@pytest.fixture(params=["file", "table"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "file":
        yield FileShelf(tmp_path / ".leadlight")
        return
    engine = PostgresEngine(request.getfixturevalue("postgres_store"))
    yield TableShelf(engine)
    engine.close()


def test_a_document_is_what_it_was_changed_to(shelf: Shelf) -> None:
    assert (shelf.read("keys"), shelf.version("keys")) == (None, None)
    content = {"a": [1, "é\0\u2028", None]}
    assert shelf.change("keys", lambda found: content if found is None else "there was one") == content
    first = shelf.version("keys")
    assert shelf.read("keys") == content
    shelf.change("others", lambda _: 1)
    assert shelf.version("keys") == first
    shelf.change("keys", lambda found: {**found, "b": 2})
    assert shelf.read("keys")["b"] == 2
    assert shelf.version("keys") not in (first, None)


def test_a_change_that_fails_changes_nothing(shelf: Shelf) -> None:
    shelf.change("keys", lambda _: [1])
    with pytest.raises(ZeroDivisionError):
        shelf.change("keys", lambda _: 1 // 0)
    assert shelf.read("keys") == [1]
    assert shelf.change("keys", lambda found: [*found, 2]) == [1, 2]


def test_no_change_of_several_at_once_is_lost(shelf: Shelf) -> None:
    def add() -> None:
        for _ in range(10):
            shelf.change("count", lambda found: (found or 0) + 1)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shelf.read("count") == 30


def test_processes_change_one_file_in_turn(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from leadlight.service.shelf import FileShelf\n"
        "for _ in range(50): FileShelf(Path(sys.argv[1])).change('count', lambda found: (found or 0) + 1)"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    processes = [subprocess.Popen(words) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert FileShelf(tmp_path).read("count") == 100


def test_files_are_read_by_their_owner_alone(tmp_path: Path) -> None:
    FileShelf(tmp_path).change("keys", lambda _: 1)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_processes_on_one_postgresql_know_the_same_keys(postgres_store: str) -> None:
    engines = [PostgresEngine(postgres_store) for _ in range(2)]
    here, there = (Keys(TableShelf(engine)) for engine in engines)
    first = here.make_first("admin", ["manage"])
    assert first is not None
    assert there.make_first("admin", ["manage"]) is None, "one process makes the first key, however many start"
    assert there.find(first) is not None
    secret, key = here.make("a", ["read"])
    there.look()
    assert there.find(secret) == key
    there.revoke(key.id)
    here.look()
    assert here.find(secret) is None
    for engine in engines:
        engine.close()


def test_schemas_of_one_database_know_nothing_of_each_other(postgres_store: str, postgres_uri: str) -> None:
    other = "leadlight_other_of_shelf"
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {other}".encode())
        engines = [PostgresEngine(postgres_store), PostgresEngine(f"{postgres_uri}&options=-csearch_path%3D{other}")]
        here, there = (Keys(TableShelf(engine)) for engine in engines)
        secret, _ = here.make("a", ["manage"])
        there.look()
        assert there.find(secret) is None
        assert there.all() == []
        for engine in engines:
            engine.close()
        connection.execute(f"DROP SCHEMA {other} CASCADE".encode())


def test_a_lost_connection_is_made_again(postgres_store: str) -> None:
    engine = PostgresEngine(postgres_store)
    shelf = TableShelf(engine)
    keys = Keys(shelf)
    secret, key = keys.make("a", ["read"])
    backend = engine.connection.info.backend_pid
    with psycopg.connect(postgres_store, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    with pytest.raises(StoreError, match="cannot be asked"):
        keys.look()
    assert keys.find(secret) == key, "what is known stays good"
    keys.look()
    assert shelf.read("keys") is not None
    engine.close()


def test_a_disk_that_takes_nothing_is_the_stores_fault_and_changes_nothing(tmp_path: Path) -> None:
    shelf = FileShelf(tmp_path)
    shelf.change("keys", lambda _: [1])
    (tmp_path / "keys.new").mkdir()  # where the new file would be written
    with pytest.raises(StoreError, match=r"keys\.json cannot be written"):
        shelf.change("keys", lambda _: [2])
    assert shelf.read("keys") == [1]
