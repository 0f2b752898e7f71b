"""A backup is the whole workspace, as of one moment, and comes back as it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from tests.service.shop import make_shop

from leadlight.engines.base import Engine
from leadlight.errors import StoreInUse, UsageError
from leadlight.store.backup import BackupError, backup, restore
from leadlight.workspace import Workspace

NOW = datetime(2026, 3, 1)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_shop(tmp_path_factory.mktemp("backup") / "shop")
    workspace = Workspace(folder, now=lambda: NOW)
    workspace.ingest()
    workspace.score()
    (folder / ".leadlight" / "backups").mkdir(parents=True, exist_ok=True)
    (folder / ".leadlight" / "backups" / "old.tar").write_text("no")
    (folder / ".leadlight" / "keys.json").write_text("{}")
    with closing(sqlite3.connect(folder / ".leadlight" / "journal.sqlite", isolation_level=None)) as journal:
        journal.execute("PRAGMA journal_mode = WAL")
        journal.execute("CREATE TABLE waiting AS SELECT 7 AS position")
    return folder


@pytest.fixture(scope="module")
def made(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("made") / "shop.tar"
    Workspace(stocked, now=lambda: NOW).backup(file)
    return file


def everything(folder: Path) -> object:
    """All scores with their reasons, and all that was ever scored."""
    workspace = Workspace(folder, now=lambda: NOW)
    ledgers = [workspace.explain(f"crm-{number}", "house").as_dict() for number in (1, 2, 3)]
    return ledgers, [workspace.history("crm-1", "house").as_dict(), workspace.rank("firms").as_dict()["rows"]]


def test_it_comes_back_as_it_was(stocked: Path, made: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    back = restore(there, made, now=NOW)
    assert everything(there) == everything(stocked)
    assert back.restored
    assert back.aside is None
    assert back.tables["events"] == 2
    assert (there / ".leadlight" / "keys.json").read_text() == "{}"
    with closing(sqlite3.connect(there / ".leadlight" / "journal.sqlite")) as journal:
        assert journal.execute("SELECT position FROM waiting").fetchall() == [(7,)]
    assert not (there / ".leadlight" / "backups").exists()
    assert not list(there.glob(".restore-*"))


def test_only_its_owner_may_read_it(made: Path) -> None:
    assert made.stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten_unless_told(stocked: Path, made: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(stocked, there)
    (there / "leadlight.yaml").write_text((there / "leadlight.yaml").read_text() + "entity: ticket\n")
    Workspace(there, now=lambda: NOW).score()
    before = (there / "store.duckdb").read_bytes()
    with pytest.raises(UsageError, match=r"has store.duckdb, leadlight.yaml"):
        restore(there, made, now=NOW)
    assert (there / "store.duckdb").read_bytes() == before
    aside = restore(there, made, force=True, now=NOW).aside
    assert aside is not None
    assert (aside / "store.duckdb").read_bytes() == before
    assert "ticket" in (aside / "leadlight.yaml").read_text()
    assert everything(there) == everything(stocked)


def test_not_under_somebody_who_has_it_open(stocked: Path, made: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(stocked, there)
    Workspace(there, now=lambda: datetime(2026, 3, 2)).score()
    hold = f"import duckdb; held = duckdb.connect({str(there / 'store.duckdb')!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreInUse):
            restore(there, made, force=True, now=NOW)
        other.communicate("\n")
    restore(there, made, force=True, now=NOW)


def test_postgres_has_means_of_its_own(tmp_path: Path) -> None:
    elsewhere = cast(Engine, object())
    with pytest.raises(UsageError, match="PostgreSQL"):
        backup(elsewhere, tmp_path, "postgresql://db/sales", tmp_path / "b.tar", now=NOW)


def test_what_is_not_whole_is_refused(made: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (tmp_path / "text.tar").write_text("hello")
    (tmp_path / "empty.tar").touch()
    for name, why in (("text", "it can't be unpacked"), ("empty", "it is empty")):
        with pytest.raises(BackupError, match=f"is no backup of Leadlight: {why}$"):
            restore(there, tmp_path / f"{name}.tar", now=NOW)
    with pytest.raises(UsageError, match="there is no file"):
        restore(there, tmp_path / "absent.tar", now=NOW)
    damaged = bytearray(made.read_bytes())
    with tarfile.open(made) as archive:
        place = archive.getmember("files/scorecards/house.yaml").offset_data
    damaged[place + 10] ^= 1
    (tmp_path / "damaged.tar").write_bytes(damaged)
    with pytest.raises(BackupError, match=r"files/scorecards/house.yaml is not as it was written"):
        restore(there, tmp_path / "damaged.tar", now=NOW)
    (tmp_path / "short.tar").write_bytes(bytes(damaged[: len(damaged) // 3]))
    with pytest.raises(BackupError):
        restore(there, tmp_path / "short.tar", now=NOW)
    assert list(there.iterdir()) == []


def test_a_file_is_written_once(stocked: Path, made: Path) -> None:
    with pytest.raises(UsageError, match="exists"):
        Workspace(stocked).backup(made)
    assert len(list(made.parent.iterdir())) == 1
