"""The lake's files: many small ones become one, at any moment readable, and what was read is not read again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connect.crm import Crm, crm, registered
from leadlight.connect import lake
from leadlight.expr.types import Type
from leadlight.sources.lake import is_covered, lake_files, object_folder

__all__ = ["crm", "registered"]

FIELDS = {"title": Type.TEXT, "size": Type.NUMBER}


def numbered(folder: Path, count: int, rows: int = 2) -> list[Path]:
    """Publish files of so many rows."""
    lake.begin(folder, FIELDS)
    for n in range(count):
        told = {"_id": [f"{n}-{i}" for i in range(rows)], "title": [f"t{n}"] * rows, "size": [1.0] * rows}
        whole = {name: told.get(name, [None] * rows) for name in lake.schema_of(FIELDS).names}
        landed = folder.parent / f"landed{n}.parquet"
        pq.write_table(pa.table(whole, schema=lake.schema_of(FIELDS)), landed)
        lake.publish(folder, [landed])
    return sorted(folder.glob("*.parquet"))


def ids(folder: Path) -> list[str]:
    tables = [pq.read_table(one.path) for one in lake_files(folder)]
    return sorted(id for table in tables for id in table["_id"].to_pylist())  # noqa: A001


def test_many_small_files_become_one(tmp_path: Path) -> None:
    folder = tmp_path / "contacts"
    before = numbered(folder, 9)
    expected = ids(folder)
    assert not lake.compact(folder, most=20)
    assert lake.compact(folder, most=5)
    (one,) = lake_files(folder)
    assert (one.first, one.last, len(list(folder.iterdir()))) == (0, 9, 1)
    assert ids(folder) == expected
    assert is_covered(one.path.name, [path.name for path in before])
    assert not is_covered(one.path.name, [path.name for path in before[:-1]])
    numbered(folder, 2)
    assert [(file.first, file.last) for file in lake_files(folder)] == [(0, 9), (10, 10), (11, 11)]


def test_a_compaction_that_was_killed_leaves_each_row_once(tmp_path: Path) -> None:
    folder, kept = tmp_path / "contacts", tmp_path / "kept"
    numbered(folder, 9)
    expected = ids(folder)
    shutil.copytree(folder, kept)
    lake.compact(folder, most=5)
    for path in kept.iterdir():  # the old files are still there beside the new one
        shutil.copy(path, folder)
    (folder / "00000000-00000011-abc.new").write_bytes(b"half")
    assert ids(folder) == expected
    lake.clean(folder)
    assert len(list(folder.iterdir())) == 1
    assert ids(folder) == expected


def test_large_files_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "contacts"
    large = numbered(folder, 1, rows=3000)[-1]
    numbered(folder, 8)
    monkeypatch.setattr(lake, "SMALL", large.stat().st_size)
    lake.compact(folder, most=5)
    assert [(one.first, one.last) for one in lake_files(folder)] == [(0, 0), (1, 1), (2, 9)]


def test_what_was_made_one_is_not_read_again(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "MOST_FILES", 2)
    for n in range(4):
        crm.world.put("contacts", str(n), crm.later(days=1) - timedelta(hours=2), jobtitle="CEO")
        report = crm.sync()
        assert report.ingested is not None
        assert report.ingested.sources[0].rows == 1
    assert len(lake_files(object_folder(crm.root, "crm", "contacts"))) == 1
    assert not crm.sync().changed
    assert crm.rows("SELECT count(*) FROM files WHERE source = 'contacts'") == [(1,)]
    assert crm.rows("SELECT count(*) FROM observations") == [(4,)]
    crm.now += timedelta(days=1)
    text = (crm.root / "leadlight.yaml").read_text()
    (crm.root / "leadlight.yaml").write_text(text.replace("title: jobtitle", "job: jobtitle"))
    crm.sync()
    assert crm.rows("SELECT count(*), min(job) FROM observations") == [(4, "CEO")]


def test_a_lake_that_was_read_anew_has_other_names(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "contacts", tmp_path / "b" / "contacts"
    names = [numbered(folder, 1)[0].name for folder in (first, second)]
    assert names[0] != names[1]
    assert not is_covered(names[0], [names[1]])
