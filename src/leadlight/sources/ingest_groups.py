"""Bring much that was synced into the store: group by group, so that memory does not grow with how much there is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError
from leadlight.expr.types import Type
from leadlight.sources.contract import declare
from leadlight.sources.groups import Group, ReadWhole, groups_of
from leadlight.sources.ingest import (
    Pending,
    Progress,
    chosen_sources,
    ingest,
    note_run,
    read_one,
    reading_desk,
    store_readings,
)
from leadlight.sources.ingest_report import IngestReport, SourceReport, together
from leadlight.sources.opened import Opened
from leadlight.sources.read import ProgressUpdate, Reading, release
from leadlight.spec.contract import NOTHING, ContractSpec
from leadlight.spec.models import SourceKind, SourceSpec, WorkspaceSpec
from leadlight.store.attributes import EXAMPLES
from leadlight.store.files import known_files, spec_hash

WHO, WHAT = (SourceKind.LEADS, SourceKind.ACCOUNTS), (SourceKind.EVENTS, SourceKind.OUTCOMES)


def ingest_groups(
    engine: Engine,
    spec: WorkspaceSpec,
    root: Path,
    *,
    only: Sequence[str] = (),
    now: datetime,
    progress: Progress | None = None,
    contract: ContractSpec = NOTHING,
    given: Mapping[str, Type] = MappingProxyType({}),
) -> IngestReport:
    """Do what `ingest` does, with sources of connections of which much is new in groups of their records.

    Each group is kept as soon as it is stored, in a transaction of its own: until it ends, DuckDB holds all that was
    ever in a temporary table. Files are noted as read at the very end, so that after a fault, or when the process is
    killed, all of them are read again, and what was stored by then is found to be there; what is of no connection is
    looked through before anything is stored. What `ingest` can tell only from all rows (sources that are held to a
    contract, texts that are to be read as times or numbers, faults) is read as a whole, as there.
    Raises what `ingest` raises.
    """
    groups = {
        name: groups_of(source, root, known_files(engine, name, spec_hash(source)))
        for name, source in chosen_sources(spec, only).items()
        if contract.get(name) is None
    }
    if any(groups.values()):
        by_groups = _ByGroups(engine, spec, root, now, progress, contract, given, groups)
        try:
            return by_groups.run(chosen_sources(spec, only))
        except (ReadWhole, DataError):  # the whole says what is wrong, of all sources
            pass
    return ingest(engine, spec, root, only=only, now=now, progress=progress, contract=contract, given=given)


@dataclass(slots=True)
class _ByGroups:
    """An ingest that goes on group by group, and what it has come to."""

    engine: Engine
    spec: WorkspaceSpec
    root: Path
    now: datetime
    progress: Progress | None
    contract: ContractSpec
    given: Mapping[str, Type]
    groups: Mapping[str, Sequence[Group]]
    read: list[Pending] = field(default_factory=list)
    """The sources, as they are to be noted: without rows, with their files."""
    told: dict[str, list[SourceReport]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    def run(self, sources: Mapping[str, SourceSpec]) -> IngestReport:
        """Store all sources: leads and accounts, who of them is one, then what happened; note the files at the end."""
        started = time.perf_counter()
        self.now = self.now.astimezone(UTC).replace(tzinfo=None) if self.now.tzinfo else self.now
        desk = reading_desk(self.engine)
        try:
            self._look_through_files(desk, sources)
            self._store_kind(desk, sources, WHO)
            with self.engine.transaction():
                between = self._readings_stored([])
            self._store_kind(desk, sources, WHAT)
        finally:
            if desk is not self.engine:
                desk.close()
        with self.engine.transaction():
            last = self._readings_stored(self.read)
            declare(self.engine, self.spec.sources, self.contract)
            seconds = time.perf_counter() - started
            report = replace(self._summed(last, between), changed=last.changed or between.changed, seconds=seconds)
            note_run(self.engine, report)
        return report

    def _look_through_files(self, desk: DuckDBEngine, sources: Mapping[str, SourceSpec]) -> None:
        """Read once what is of no connection and store nothing, so that what is wrong in it changes nothing.

        Raises what `ingest` raises.
        """
        seen: list[Pending] = []
        for name, source in sources.items():
            if source.connection is None:
                with Opened([source]) as opened:
                    contract = self.contract.get(name)
                    item = read_one(self.engine, desk, name, source, self.root, opened, seen, None, contract)
                release(desk, item.reading)
                seen.append(item)

    def _summed(self, last: IngestReport, between: IngestReport) -> IngestReport:
        """Return what all groups came to, where `last` tells what there is and `between` who was found to be one."""
        merged = last.same_value.count + between.same_value.count
        examples = between.same_value.examples or last.same_value.examples
        repeated = sum(part.repeated for parts in self.told.values() for part in parts)
        return replace(
            last,
            sources=tuple(
                replace(together(self.told[one.source]), without_lead=one.without_lead) for one in last.sources
            ),
            same_id=replace(last.same_id, count=repeated, examples=tuple(self.repeated[:EXAMPLES])),
            same_value=replace(last.same_value, count=merged, examples=examples),
        )

    def _store_kind(self, desk: DuckDBEngine, sources: Mapping[str, SourceSpec], kinds: Sequence[SourceKind]) -> None:
        for name, source in sources.items():
            if source.role in kinds:
                self._store_source(desk, name, source)

    def _store_source(self, desk: DuckDBEngine, name: str, source: SourceSpec) -> None:
        """Store a source, group by group or as a whole; it is left to note its files."""
        groups: Sequence[Group | None] = self.groups.get(name) or [None]
        told = self.told.setdefault(name, [])
        first: Pending | None = None
        for number, group in enumerate(groups):
            rows = sum(part.rows for part in told)
            with Opened([source]) as opened:
                item = read_one(
                    self.engine, desk, name, source, self.root, opened, (),
                    self._progress(number, len(groups), rows), self.contract.get(name), group,
                )  # fmt: skip
            try:
                forget = item.forget and first is None
                first = first or item
                with self.engine.transaction():
                    part = replace(item, part=True, forget=forget, notes=first.notes)
                    report = self._readings_stored([part], desk)
            finally:
                release(desk, item.reading)
            told.extend(report.sources)
            self.repeated.extend(report.same_id.examples)
        if first is not None:
            noted = _without_rows(first.reading, told)
            self.read.append(replace(first, reading=noted, forget=False, part=False))

    def _readings_stored(self, pending: Sequence[Pending], desk: DuckDBEngine | None = None) -> IngestReport:
        return store_readings(self.engine, self.spec, pending, self.now, given=self.given, desk=desk)

    def _progress(self, number: int, of: int, rows: int) -> Progress | None:
        """Tell how far a source has come, where a group of so many is read after so many rows."""
        if self.progress is None:
            return None
        progress = self.progress

        def tell(update: ProgressUpdate) -> None:
            progress(replace(update, rows=rows + update.rows, done=(number * update.total + update.done) // of))

        return tell


def _without_rows(first: Reading, told: Sequence[SourceReport]) -> Reading:
    """Return what was read of a source as it is to be noted: of groups, all rows with the last file."""
    files = list(first.files)
    if len(told) > 1:
        files[-1] = replace(files[-1], rows=sum(part.rows for part in told))
    return replace(first, table="", files=tuple(files))
