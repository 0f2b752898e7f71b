"""The reading of one object of a system: what comes is kept portion by portion, with where to go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadlight.connect.columns import Columns
from leadlight.connect.fields import Chosen, people_column
from leadlight.connect.lake import publish
from leadlight.connect.landing import Landing
from leadlight.connect.opened import Opened
from leadlight.connect.protocol import Object, Row, Want
from leadlight.connect.seen import Kept, Seen
from leadlight.connect.sync_report import ObjectReport, SyncUpdate
from leadlight.errors import LeadlightError
from leadlight.sources.erased import drop_erased, erasures
from leadlight.sources.lake import ID, LakeFile, connection_folder, lake_files
from leadlight.spec.models import SourceSpec

PATIENCE = 30.0
"""Seconds after which what has come is kept, however little it is."""
ROOM = "room"
"""The folder for what does not fit into memory."""
READ = "read"
"""The file in an object's folder that says that it was read to its end once."""
SUSPICIOUS, SUSPICIOUS_SHARE = 20, 0.5
"""More records than either of these are not taken for deleted in one go unless everything was asked for."""
FEW = 3
"""Nor are all of them, if there are so many: a right that was taken away looks the same."""

Progress = Callable[[SyncUpdate], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is common to the readings of a connection's objects."""

    root: Path
    connection: str
    at: datetime
    full: bool
    portion: int
    """Rows that are kept at once."""
    progress: Progress | None = None


class ObjectReading:
    """The reading of one object: pages in, portions of rows kept together with where to go on."""

    def __init__(
        self,
        job: Job,
        landing: Landing,
        name: str,
        found: Object,
        chosen: Chosen,
        folder: Path,
        sources: Mapping[str, SourceSpec],
        state: Mapping[str, Any],
    ) -> None:
        """`folder` is the object's in the lake, `sources` read it, `state` is where the reading before has ended.

        Where that is lost, all is read again, and what was deleted since is known by not coming.
        """
        self._job, self._landing, self._name, self._object = job, landing, name, found
        self._chosen, self._folder = chosen, folder
        self._columns = Columns(chosen.types, found.created_at, found.modified_at)
        was_read = (folder / READ).exists()
        self._state = {
            "cursor": state.get("cursor"), "first": state.get("first", not was_read),
            "fields": state.get("fields", chosen.known), "lost": state.get("lost", was_read and not state),
        }  # fmt: skip
        known = {*self._state["fields"], *chosen.fresh}
        self._fill = [] if self._state["first"] else [name for name in chosen.types if name not in known]
        self._again = found.whole or job.full or bool(self._fill) or bool(self._state["lost"])
        self._whole = self._again or self._state["cursor"] is None
        self._gate = _Gate(folder.parent.parent, sources.values())
        self._rows: list[Row] = []
        self._came = self._read = self._new = self._changed = self._gone = self._merged = 0
        self._notes = list(chosen.notes)
        if self._state["first"] and not found.deletions and not found.whole:
            self._notes.append(
                f"the system does not tell what is deleted: `leadlight sync {job.connection} --full` finds it"
            )
        self._started, self._kept_at = time.perf_counter(), time.monotonic()

    def read(self, opened: Opened) -> None:
        """Read to the end, and say of what did not come that it is gone."""
        if self._fill:
            self._notes.append(f"{', '.join(self._fill)}: new here, so all records are read again")
        cursor = None if self._again else self._state["cursor"]
        want = Want(replace(self._object, fields=self._chosen.read), cursor, history=True)
        there = False
        room = connection_folder(self._job.root, self._job.connection) / ROOM
        files = lake_files(self._folder)
        first = bool(self._state["first"])
        types, at = self._chosen.types, self._job.at
        with Seen(files, types, room, now=at, first=first, fill=self._fill) as seen:
            try:
                for page in opened.session.read(want):
                    if self._is_time():
                        self._keep(seen, cursor)
                    self._rows += (row for row in page.rows if not self._gate.is_shut(row))
                    self._came += len(page.rows)
                    cursor = _plain(page.cursor)
                    if page.there is not None:
                        there = True
                        seen.tell_there(page.there)
                    self._tell()
            except LeadlightError:
                self._keep(seen, cursor)
                raise
            self._end(seen, cursor, there=there)

    def _is_time(self) -> bool:
        """Say whether what has come is enough to be kept."""
        waited = time.monotonic() - self._kept_at
        return len(self._rows) >= self._job.portion or (bool(self._rows) and waited > PATIENCE)

    def _end(self, seen: Seen, cursor: Any, *, there: bool) -> None:
        """Keep the last rows, with what is gone before them: then nothing is asked for again that was told."""
        last = self._kept(seen)
        if there or self._again:
            self._miss(seen, there=there)
        seen.fill_in()
        self._gate.look_again(lake_files(self._folder))
        fields = sorted({*self._state["fields"], *self._chosen.types})
        self._land(seen, last, {"cursor": cursor, "first": False, "fields": fields, "lost": False})
        (self._folder / READ).touch()

    def _miss(self, seen: Seen, *, there: bool) -> None:
        lost, known = seen.missing(there=there)
        many = lost > max(SUSPICIOUS, SUSPICIOUS_SHARE * known) or (lost == known >= FEW)
        if lost and not self._job.full and many:
            self._notes.append(
                f"{lost:,} of {known:,} records did not come any more: so many are not taken for deleted in one go. "
                f"If they are, run `leadlight sync {self._job.connection} --full`"
            )
            return
        for portion in range(-(-lost // seen.portion)):
            self._land(seen, self._counted(seen.gone(portion)), dict(self._state))

    def _keep(self, seen: Seen, cursor: Any) -> None:
        self._land(seen, self._kept(seen), {**self._state, "cursor": cursor})
        self._kept_at = time.monotonic()

    def _kept(self, seen: Seen) -> pa.Table:
        rows, self._rows = self._rows, []
        table = self._counted(seen.keep(self._columns.table(rows)))
        self._read = seen.records()
        return table

    def _counted(self, kept: Kept) -> pa.Table:
        self._new += kept.new
        self._changed += kept.changed
        self._gone += kept.gone
        self._merged += kept.merged
        return kept.table

    def _land(self, seen: Seen, rows: pa.Table, state: dict[str, Any]) -> None:
        if rows.num_rows or state != self._state:
            count = publish(self._folder, self._landing.land(self._name, rows, state))
            self._state = state
            self._gate.look_again(lake_files(self._folder)[-count:] if count else ())
            seen.come(lake_files(self._folder))

    def _tell(self) -> None:
        if self._job.progress is not None:
            seconds = time.perf_counter() - self._started
            self._job.progress(SyncUpdate(self._job.connection, self._name, self._came, seconds))

    def note(self, text: str) -> None:
        """Have something said in the report."""
        self._notes.append(text)

    def report(self, seconds: float) -> ObjectReport:
        """Return what became of the object."""
        misfits = dict(self._columns.misfits)
        notes = [*self._notes, *(f"{name}: {count:,} values are no {self._chosen.types[name]}, and are missing"
                                 for name, count in misfits.items())]  # fmt: skip
        return ObjectReport(
            self._name, self._came, self._read, self._new, self._changed, self._gone, self._merged, seconds,
            self._whole, misfits, tuple(notes),
        )  # fmt: skip


def _plain(cursor: Any) -> Any:
    """Return a cursor as JSON has it."""
    return json.loads(json.dumps(cursor))


class _Gate:
    """Keeps people out who were erased: their records, and what is said of them."""

    def __init__(self, folder: Path, sources: Iterable[SourceSpec]) -> None:
        self._folder, self._erased = folder, erasures(folder)
        self._columns = [column for source in sources if (column := people_column(source)) is not None]

    def is_shut(self, row: Row) -> bool:
        """Say whether a row is about somebody who was erased."""
        if not self._erased.hashes:
            return False
        return any(self._erased.has(row.id if name == ID else row.values.get(name)) for name in self._columns)

    def look_again(self, files: Sequence[LakeFile]) -> None:
        """Take out of new files whoever was erased while they were written."""
        now = erasures(self._folder)
        if now.hashes - self._erased.hashes:
            drop_erased(files, self._columns, now)
            self._erased = now
