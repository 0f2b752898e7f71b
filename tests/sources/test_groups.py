"""Where a lake is cut into groups."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from leadlight.sources import groups
from leadlight.sources.groups import Group, groups_of
from leadlight.sources.lake import object_folder
from leadlight.spec.models import SourceSpec

TOLD = {"connection": "crm", "object": "contacts", "kind": "leads"}


def lake(root: Path, files: int, rows: int) -> Path:
    folder = object_folder(root, "crm", "contacts")
    folder.mkdir(parents=True)
    for n in range(files):
        query = f"SELECT nullif('it''s ' || (range * 7 % {rows}), 'it''s 3') AS _id, {n} AS n FROM range({rows})"
        duckdb.sql(f"COPY ({query}) TO '{folder}/{n:08d}-abc.parquet'")
    return folder


def read(folder: Path, group: Group) -> list[tuple]:
    return duckdb.sql(f"SELECT _id, n FROM '{folder}/*.parquet' WHERE {group.sql}").fetchall()


def test_each_row_is_in_one_group_and_each_record_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lake(tmp_path, 3, 100)
    monkeypatch.setattr(groups, "MOST_ROWS", 40)
    found = groups_of(SourceSpec.model_validate(TOLD), tmp_path, {})
    assert len(found) == 8
    rows = [read(folder, group) for group in found]
    assert sorted(row for part in rows for row in part if row[0]) == sorted(
        (f"it's {n}", file) for n in range(100) for file in range(3) if n != 3
    )
    assert sum(len(part) for part in rows) == 300  # those without an id too
    assert max(map(len, rows)) < 60
    ids = [{id for id, _ in part} for part in rows]  # noqa: A001
    assert sum(map(len, ids)) == 100


def test_files_that_were_read_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lake(tmp_path, 3, 100)
    monkeypatch.setattr(groups, "MOST_ROWS", 40)
    shown = [(folder / f"{n:08d}-abc.parquet").relative_to(tmp_path).as_posix() for n in range(3)]
    found = groups_of(SourceSpec.model_validate(TOLD), tmp_path, dict.fromkeys(shown[:2], "lake"))
    assert [group.files for group in found] == [frozenset(shown[2:])] * 3
    assert groups_of(SourceSpec.model_validate(TOLD), tmp_path, dict.fromkeys(shown, "lake")) == []


def test_much_of_few_rows_is_cut_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake(tmp_path, 1, 100)
    assert groups_of(SourceSpec.model_validate(TOLD), tmp_path, {}) == []
    monkeypatch.setattr(groups, "MOST_BYTES", 500)
    assert len(groups_of(SourceSpec.model_validate(TOLD), tmp_path, {})) > 2


def test_one_record_of_many_versions_is_one_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = object_folder(tmp_path, "crm", "contacts")
    folder.mkdir(parents=True)
    duckdb.sql(f"COPY (SELECT 'one' AS _id, range AS n FROM range(90)) TO '{folder}/00000000-abc.parquet'")
    monkeypatch.setattr(groups, "MOST_ROWS", 40)
    found = groups_of(SourceSpec.model_validate(TOLD), tmp_path, {})
    assert [len(read(folder, group)) for group in found] == [0, 90]


def test_a_source_by_other_ids_is_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake(tmp_path, 3, 100)
    monkeypatch.setattr(groups, "MOST_ROWS", 40)
    assert groups_of(SourceSpec.model_validate(TOLD | {"id": "email"}), tmp_path, {}) == []
    assert groups_of(SourceSpec.model_validate({"csv": "a.csv", "id": "id"}), tmp_path, {}) == []
