"""Read what has changed of a connection into the lake: the half of `sync` that needs the network and no store."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadlight.connect.columns import Columns
from leadlight.connect.fields import Chosen, choose, described, people_column
from leadlight.connect.lake import begin, clean, held, publish, types_of, write_description
from leadlight.connect.landing import Landing
from leadlight.connect.opened import Opened, open_connection
from leadlight.connect.protocol import Object, Row, Want
from leadlight.connect.seen import Kept, Seen
from leadlight.connect.sync_report import Extracted, ObjectReport, SyncUpdate
from leadlight.errors import LeadlightError, NotFoundError, RemoteError, UsageError, did_you_mean
from leadlight.sources.erased import drop_erased, erasures
from leadlight.sources.lake import ID, LakeFile, connection_folder, description, escaped, lake_files, object_folder
from leadlight.spec.load import WORKSPACE_FILE
from leadlight.spec.marks import Marks
from leadlight.spec.models import SourceSpec, WorkspaceSpec

PORTION, PATIENCE = 20_000, 30.0
"""Rows that are kept at once, and seconds after which fewer are; a reading that is killed goes on after the last."""
ROOM = "room"
READ = "read"
"""The file in an object's folder that says that it was read to its end once."""
SUSPICIOUS, SUSPICIOUS_SHARE = 20, 0.5
"""More records than either of these are not taken for deleted in one go unless everything was asked for."""
FEW = 3
"""Nor are all of them, if there are so many: a right that was taken away looks the same."""
ALONE = ("scope", "disabled", "absent", "invalid")
"""Troubles of one object; others are read all the same."""

Progress = Callable[[SyncUpdate], None]


def extract(
    spec: WorkspaceSpec,
    root: Path,
    name: str,
    *,
    now: Callable[[], datetime],
    full: bool = False,
    objects: Sequence[str] = (),
    progress: Progress | None = None,
    marks: Marks | None = None,
    environ: Mapping[str, str] | None = None,
) -> Extracted:
    """Read what has changed of the objects that sources name (or of `objects`) into the lake; return what came.

    With `full` everything is read, and what does not come is gone. What stops it is in the report's `error`; what came
    until then is kept, and the next time it goes on there. Raises NotFoundError for an unknown connection or object.
    """
    started, at = time.perf_counter(), now()
    if name not in spec.connections:
        raise NotFoundError(f"there is no connection {name!r}: {did_you_mean(name, spec.connections)}")
    wanted = _wanted(spec, name, objects)
    found = Extracted(name, spec.connections[name].system, at)
    run = _Run(spec, root, name, at, wanted, full, progress, marks or Marks(WORKSPACE_FILE))
    try:
        with (
            held(root, name),
            open_connection(name, spec.connections[name], root, now=now, marks=marks, environ=environ) as opened,
        ):
            found = replace(found, system=opened.connector.about.title)
            try:
                run.read(opened)
            finally:
                most = opened.quota.most if opened.quota is not None else None
                used = opened.quota.used if opened.quota is not None and most is not None else None
                found = replace(found, requests=opened.requests, quota_used=used, quota_most=most)
    except LeadlightError as error:
        run.errors.append(error)
    return replace(
        found,
        objects=tuple(run.reports),
        seconds=time.perf_counter() - started,
        error=run.errors[0] if run.errors else None,
    )


def _wanted(spec: WorkspaceSpec, name: str, objects: Sequence[str]) -> dict[str, dict[str, SourceSpec]]:
    """Return the objects that sources of a connection name, each with these sources by their names."""
    found: dict[str, dict[str, SourceSpec]] = {}
    for source, its in spec.sources.items():
        if its.connection == name and its.object is not None:
            found.setdefault(its.object, {})[source] = its
    for one in objects:
        if one not in found:
            raise NotFoundError(f"no source reads {one!r} of {name}: {did_you_mean(one, found)}")
    if not found:
        raise UsageError(
            f"no source reads anything of {name}",
            fix=f"Write one: `connection: {name}` and `object:` under `sources:`.",
        )
    return {one: its for one, its in found.items() if not objects or one in objects}


@dataclass(slots=True)
class _Run:
    """One reading of a connection, as far as it has come."""

    spec: WorkspaceSpec
    root: Path
    name: str
    at: datetime
    wanted: Mapping[str, Mapping[str, SourceSpec]]
    full: bool
    progress: Progress | None
    marks: Marks
    reports: list[ObjectReport] = field(default_factory=list)
    errors: list[LeadlightError] = field(default_factory=list)

    def read(self, opened: Opened) -> None:
        """Read object by object. What is wrong with one of them is noted, and does not stop the others."""
        folder = connection_folder(self.root, self.name)
        landing = Landing(folder, self.name)
        states = landing.states()
        for name in self.wanted:
            _settle(object_folder(self.root, self.name, name), landing.landed(name))
        try:
            for name, found in self._described(opened):
                self._read_one(opened, landing, name, found, states.get(escaped(name), {}))
        finally:
            landing.tidy()
            shutil.rmtree(folder / ROOM, ignore_errors=True)

    def _described(self, opened: Opened) -> Iterable[tuple[str, Object]]:
        """Yield the objects that there are; those that cannot be described are noted."""
        try:
            yield from [(one.name, one) for one in opened.session.describe(list(self.wanted))]
            return
        except (NotFoundError, RemoteError) as error:
            if len(self.wanted) == 1 or not _is_alone(error):
                raise
        for name in self.wanted:
            try:
                yield from [(one.name, one) for one in opened.session.describe([name])]
            except (NotFoundError, RemoteError) as error:
                self._failed(error)

    def _failed(self, error: LeadlightError) -> None:
        if not _is_alone(error):
            raise error
        self.errors.append(error)

    def _read_one(self, opened: Opened, landing: Landing, name: str, found: Object, state: Mapping[str, Any]) -> None:
        folder = object_folder(self.root, self.name, name)
        clean(folder)
        before = description(self.root, self.name)["objects"].get(name, {}).get("fields", {})
        try:
            push = self.spec.connections[self.name].push
            pushed = [one for one in push.fields.values() if one is not None] if push is not None else []
            chosen = choose(found, self.wanted[name], types_of(lake_files(folder)), before, self.marks, pushed)
        except LeadlightError as error:
            self.errors.append(error)
            return
        if not lake_files(folder):
            state = {}  # what was read is not there any more, so where to go on says nothing
        begin(folder, chosen.types)
        write_description(self.root, self.name, {name: described(found, self.wanted[name])})
        reading = _Reading(self, landing, name, found, chosen, folder, dict(state))
        started = time.perf_counter()
        try:
            reading.read(opened)
        except (NotFoundError, RemoteError) as error:
            self._failed(error)
        finally:
            self.reports.append(reading.report(time.perf_counter() - started))


def _settle(folder: Path, files: Sequence[Path]) -> None:
    """Move files that a killed run has left behind to their place, where there is one."""
    if lake_files(folder):
        publish(folder, files)
        return
    for path in files:
        path.unlink()


def _is_alone(error: LeadlightError) -> bool:
    return isinstance(error, NotFoundError) or (isinstance(error, RemoteError) and error.trouble in ALONE)


class _Reading:
    """The reading of one object: pages in, portions of rows kept together with where to go on."""

    def __init__(
        self, run: _Run, landing: Landing, name: str, found: Object, chosen: Chosen, folder: Path, state: dict[str, Any]
    ) -> None:
        self._run, self._landing, self._name, self._object = run, landing, name, found
        self._chosen, self._folder = chosen, folder
        self._columns = Columns(chosen.types, found.created_at, found.modified_at)
        first = not (folder / READ).exists()
        self._state = {
            "cursor": state.get("cursor"), "first": state.get("first", first),
            "fields": state.get("fields", chosen.known),
        }  # fmt: skip
        known = {*self._state["fields"], *chosen.fresh}
        self._fill = [] if self._state["first"] else [name for name in chosen.types if name not in known]
        self._again = found.whole or run.full or bool(self._fill)
        self._whole = self._again or self._state["cursor"] is None
        self._gate = _Gate(folder.parent.parent, run.wanted[name].values())
        self._rows: list[Row] = []
        self._came = self._read = self._new = self._changed = self._gone = self._merged = 0
        self._notes = list(chosen.notes)
        if self._state["first"] and not found.deletions and not found.whole:
            self._notes.append(f"the system does not tell what is deleted: `leadlight sync {run.name} --full` finds it")
        self._started, self._kept_at = time.perf_counter(), time.monotonic()

    def read(self, opened: Opened) -> None:
        """Read to the end, and say of what did not come that it is gone."""
        if self._fill:
            self._notes.append(f"{', '.join(self._fill)}: new here, so all records are read again")
        cursor = None if self._again else self._state["cursor"]
        want = Want(replace(self._object, fields=self._chosen.read), cursor, history=True)
        there = False
        room = connection_folder(self._run.root, self._run.name) / ROOM
        files = lake_files(self._folder)
        first = bool(self._state["first"])
        types, at = self._chosen.types, self._run.at
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
        return len(self._rows) >= PORTION or (bool(self._rows) and waited > PATIENCE)

    def _end(self, seen: Seen, cursor: Any, *, there: bool) -> None:
        """Keep the last rows, with what is gone before them: then nothing is asked for again that was told."""
        last = self._kept(seen)
        if there or self._again:
            self._miss(seen, there=there)
        seen.fill_in()
        self._gate.look_again(lake_files(self._folder))
        fields = sorted({*self._state["fields"], *self._chosen.types})
        self._land(seen, last, {"cursor": cursor, "first": False, "fields": fields})
        (self._folder / READ).touch()

    def _miss(self, seen: Seen, *, there: bool) -> None:
        lost, known = seen.missing(there=there)
        many = lost > max(SUSPICIOUS, SUSPICIOUS_SHARE * known) or (lost == known >= FEW)
        if lost and not self._run.full and many:
            self._notes.append(
                f"{lost:,} of {known:,} records did not come any more: so many are not taken for deleted in one go. "
                f"If they are, run `leadlight sync {self._run.name} --full`"
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
        if self._run.progress is not None:
            seconds = time.perf_counter() - self._started
            self._run.progress(SyncUpdate(self._run.name, self._name, self._came, seconds))

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
