from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from leadlight.errors import NotFoundError, StoreError, StoreInUse, StoreVersionError, UsageError
from leadlight.store.open import open_store


def test_a_new_store_has_all_tables(tmp_path: Path) -> None:
    engine = open_store("duckdb:deep/in/here.duckdb", tmp_path, create=True)
    assert list(engine.columns("leads")) == ["lead", "id", "created_at"]
    engine.close()
    assert (tmp_path / "deep" / "in" / "here.duckdb").exists()


def test_none_yet(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no store yet at .*\nRun `leadlight ingest` to make it."):
        open_store("duckdb:none.duckdb", tmp_path)
    assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize("address", ["leads.duckdb", "duckdb:", "oracle:x", "mysql://u:secret@h/db"])
def test_no_address_of_a_store(tmp_path: Path, address: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(address, tmp_path)
    assert "secret" not in str(caught.value)
    assert "Write `store: duckdb:" in str(caught.value)


@pytest.mark.parametrize("address", ["postgresql://u:secret@127.0.0.1:1/db", "postgres://u:secret@127.0.0.1:1/db"])
def test_a_server_that_does_not_answer(tmp_path: Path, address: str) -> None:
    with pytest.raises(StoreError, match="the store in PostgreSQL cannot be reached") as caught:
        open_store(address, tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:se%zzcret@127.0.0.1:1/db",
        "postgresql://u:secr et@127.0.0.1:1/db",
        "postgresql://u:p@secret@127.0.0.1:1/db",
        "postgresql://u:secret@[::1/db",
        "postgresql://u:secret/more@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?password=se%zzcret",
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(tmp_path: Path, address: str) -> None:
    with pytest.raises(StoreError, match="the address in PostgreSQL cannot be read") as caught:
        open_store(address, tmp_path)
    assert "%40" in str(caught.value.fix)
    assert not any(part in str(caught.value) for part in ("secr", "zzcret", "more"))


def test_why_a_server_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be reached: .*127\.0\.0\.1.* failed: Connection refused$"):
        open_store("postgresql://u:secret@127.0.0.1:1/db", tmp_path)


def test_a_variable_that_is_not_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="NOBODY_SET_THIS is not set"):
        open_store("postgresql://u:${NOBODY_SET_THIS}@127.0.0.1:1/db", tmp_path)


def test_none_yet_in_postgres(tmp_path: Path, postgres_store: str) -> None:
    with pytest.raises(NotFoundError, match="there is no store yet"):
        open_store(postgres_store, tmp_path)
    open_store(postgres_store, tmp_path, create=True).close()
    open_store(postgres_store, tmp_path).close()


def test_a_folder_and_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store("duckdb:.", tmp_path)
    (tmp_path / "x.duckdb").write_bytes(b"hello" * 5000)
    with pytest.raises(StoreError, match="it is no DuckDB file"):
        open_store("duckdb:x.duckdb", tmp_path)


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        connection.execute("CREATE TABLE theirs (a INTEGER)")
    with pytest.raises(StoreError, match="is a database, but not a store of Leadlight"):
        open_store("duckdb:x.duckdb", tmp_path, create=True)


def test_a_newer_store_says_what_to_do(tmp_path: Path) -> None:
    open_store("duckdb:x.duckdb", tmp_path, create=True).close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        connection.execute("INSERT INTO migrations VALUES (999, 'from the future', TIMESTAMP '2030-01-01')")
    with pytest.raises(StoreVersionError, match="is of version 999; this Leadlight knows versions up to"):
        open_store("duckdb:x.duckdb", tmp_path, read_only=True)


def test_in_use_names_the_process(tmp_path: Path) -> None:
    open_store("duckdb:x.duckdb", tmp_path, create=True).close()
    script = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "x.duckdb")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreInUse) as caught:
            open_store("duckdb:x.duckdb", tmp_path, read_only=True)
        holder.kill()
    assert str(holder.pid) in caught.value.holder
    open_store("duckdb:x.duckdb", tmp_path).close()  # free again


def test_a_file_that_was_made_and_not_filled(tmp_path: Path) -> None:
    """What is left when the very first ingest is killed before anything was kept."""
    duckdb.connect(str(tmp_path / "x.duckdb")).close()
    for read_only in (True, False):
        with pytest.raises(NotFoundError, match="there is no store yet at .*x.duckdb\nRun `leadlight ingest`"):
            open_store("duckdb:x.duckdb", tmp_path, read_only=read_only)
    open_store("duckdb:x.duckdb", tmp_path, create=True).close()
    open_store("duckdb:x.duckdb", tmp_path, read_only=True).close()


def test_memory_is_always_new(tmp_path: Path) -> None:
    engine = open_store("duckdb::memory:", tmp_path, read_only=True)
    engine.execute("INSERT INTO erased VALUES ('s', 'h', TIMESTAMP '2026-01-01')")
    engine.close()
    assert list(tmp_path.iterdir()) == []
