"""Read what has changed of a connection into the lake: the half of `sync` that needs the network and no store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.connect.fields import choose, described
from leadlight.connect.lake import begin, clean, held, publish, types_of, write_description
from leadlight.connect.landing import Landing
from leadlight.connect.opened import Opened, open_connection
from leadlight.connect.protocol import Object
from leadlight.connect.reading import ROOM, Job, ObjectReading, Progress
from leadlight.connect.sync_report import Extracted, ObjectReport
from leadlight.connect.unknown import no_connection, no_object
from leadlight.errors import LeadlightError, NotFoundError, RemoteError, UsageError
from leadlight.sources.lake import connection_folder, description, escaped, lake_files, object_folder
from leadlight.spec.load import WORKSPACE_FILE
from leadlight.spec.marks import Marks
from leadlight.spec.models import SourceSpec, WorkspaceSpec

PORTION = 20_000
"""Rows that are kept at once; a reading that is killed goes on after the last of them."""
ALONE = ("scope", "disabled", "absent", "invalid")
"""Troubles of one object; others are read all the same."""


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

    With `full` everything is read, and what does not come is gone. What stops it is in the report's `errors`; what
    came until then is kept, and the next time it goes on there. Raises NotFoundError for a connection or object that
    is not there.
    """
    started, at = time.perf_counter(), now()
    if name not in spec.connections:
        raise no_connection(name, spec.connections)
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
    seconds = time.perf_counter() - started
    return replace(found, objects=tuple(run.reports), seconds=seconds, errors=tuple(run.errors))


def _wanted(spec: WorkspaceSpec, name: str, objects: Sequence[str]) -> dict[str, dict[str, SourceSpec]]:
    """Return the objects that sources of a connection name, each with these sources by their names."""
    found: dict[str, dict[str, SourceSpec]] = {}
    for source, its in spec.sources.items():
        if its.connection == name and its.object is not None:
            found.setdefault(its.object, {})[source] = its
    for one in objects:
        if one not in found:
            raise no_object(
                f"no source of {name} reads an object",
                one,
                found,
                fix="Name one that a source of the connection reads (its `object`), or add a source.",
            )
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
        job = Job(self.root, self.name, self.at, self.full, PORTION, self.progress)
        reading = ObjectReading(job, landing, name, found, chosen, folder, self.wanted[name], dict(state))
        started = time.perf_counter()
        try:
            reading.read(opened)
        except (NotFoundError, RemoteError) as error:
            reading.note(f"not read to its end: {error.message}")
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
