"""What is kept of what is read: said twice it says nothing, and each version has its moment."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from connect.crm import START
from leadlight.connect import lake
from leadlight.connect.columns import Columns
from leadlight.connect.protocol import Row
from leadlight.connect.seen import Seen
from leadlight.expr.types import Type
from leadlight.sources.lake import lake_files

FIELDS = {"title": Type.TEXT, "modified": Type.TIME, "created": Type.TIME}
KEPT = {"title": Type.TEXT}


class Version(NamedTuple):
    """A row of the lake."""

    id: str
    at: datetime | None
    title: str | None
    gone: bool


class Object:
    """An object of the lake that is read again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.reads = folder / "contacts", 0
        lake.begin(self.folder, KEPT)

    def read(self, *portions: Sequence[Row], now: datetime = START, first: bool = False) -> list[int]:
        """Read portions of rows, and return how many rows were kept of each."""
        counts = []
        room = self.folder.parent / "room"
        with Seen(lake_files(self.folder), KEPT, room, now=now, first=first) as seen:
            for rows in portions:
                table = Columns(KEPT, "created", "modified").table(rows)
                kept = seen.keep(table).table
                counts.append(kept.num_rows)
                self.reads += 1
                landed = self.folder.parent / f"{self.reads}.parquet"
                pq.write_table(kept.cast(lake.schema_of(KEPT)), landed)
                lake.publish(self.folder, [landed])
                seen.come(lake_files(self.folder))
        return counts

    def versions(self) -> list[Version]:
        """Return what the lake holds, by id and in time."""
        tables = [pq.read_table(one.path) for one in lake_files(self.folder)]
        rows = pa.concat_tables(tables).to_pylist()
        found = [Version(row["_id"], row["_known_at"], row["title"], row["_gone"]) for row in rows]
        return sorted(found, key=lambda one: (one.id, one.at or datetime.min))


def row(id: str, title: str, *, modified: int = 0, at: int | None = None, gone: bool = False) -> Row:  # noqa: A002
    known = None if at is None else START + timedelta(hours=at)
    values = {"title": title, "modified": START + timedelta(hours=modified), "created": START - timedelta(days=99)}
    return Row(id, values, known, gone)


IDS = st.sampled_from("abc")
ROWS = st.builds(
    row, IDS, st.sampled_from(["CEO", "CTO", ""]), modified=st.integers(-50, 50),
    at=st.none() | st.integers(-50, 50), gone=st.booleans(),
)  # fmt: skip


def by_record(rows: list[Row]) -> list[Row]:
    """Put rows as connectors give them: a record's together, its dated past first, then the present, once."""
    present = {one.id: one for one in rows if one.known_at is None}
    dated = [one for one in rows if one.known_at is not None]
    return sorted([*dated, *present.values()], key=lambda one: (one.id, one.known_at is None, one.known_at or START))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=3))
def test_readings_give_each_record_one_line_of_versions(readings: list[list[Row]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = Object(Path(folder))
        for number, rows in enumerate(readings):
            now = START + timedelta(hours=60 + number)
            read.read(by_record(rows), now=now, first=number == 0)
            assert read.read(by_record(rows), now=now) == [0]
        found = read.versions()
        for before, after in pairwise(found):
            if before.id == after.id:
                assert after.at is not None
                assert before.at is None or before.at < after.at
                assert (before.title, before.gone) != (after.title, after.gone)
        last = {one.id: one for one in found}
        for one in by_record(readings[-1]):
            if one.known_at is None and not one.gone:
                assert last[one.id].title == (one.values["title"] or None)


@settings(max_examples=5, deadline=None)
@given(st.lists(ROWS, max_size=8))
def test_how_rows_are_cut_into_portions_does_not_matter(rows: list[Row]) -> None:
    ordered = by_record(rows)
    portions = [[one for one in ordered if one.id == id] for id in "abc"]  # noqa: A001
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        whole, cut = Object(Path(one)), Object(Path(many))
        whole.read(ordered, first=True)
        cut.read(*portions, first=True)
        assert whole.versions() == cut.versions()


def test_rows_without_values_keep_what_was_known(tmp_path: Path) -> None:
    read = Object(tmp_path)
    read.read([row("a", "CEO"), Row("b", {}, gone=True), Row("a", {}, gone=True)], first=True)
    assert read.versions() == [Version("a", None, "CEO", False), Version("a", START, "CEO", True)]


def test_a_past_that_is_told_late_is_not_told_twice(tmp_path: Path) -> None:
    read = Object(tmp_path)
    read.read([row("a", "CTO", at=-5), row("a", "CEO", at=-3), row("a", "CEO")], first=True)
    later = [row("a", "CTO", at=-5), row("a", "CEO", at=-3), row("a", "COO", at=2), row("a", "COO", modified=2)]
    read.read(later, now=START + timedelta(days=1))
    assert [(one.at, one.title) for one in read.versions()] == [
        (START - timedelta(hours=5), "CTO"),
        (START - timedelta(hours=3), "CEO"),
        (START + timedelta(hours=2), "COO"),
    ]
