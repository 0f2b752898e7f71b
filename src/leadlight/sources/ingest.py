"""Bring all sources into the store: read everything first, then change the store all at once or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, TooManyRejects, UsageError, did_you_mean
from leadlight.expr.types import Type
from leadlight.sources.catalog import outcome_name
from leadlight.sources.contract import declare
from leadlight.sources.groups import Group
from leadlight.sources.ingest_report import (
    ID_RULE,
    SHARED_RULE,
    UNUSABLE,
    Duplicates,
    IngestReport,
    SourceReport,
)
from leadlight.sources.opened import Opened
from leadlight.sources.read import ProgressUpdate, Reading, read, release
from leadlight.spec.contract import NOTHING, ContractSpec, SourceContract
from leadlight.spec.models import SourceKind, SourceSpec, WorkspaceSpec
from leadlight.store import facts
from leadlight.store.accounts import load_accounts
from leadlight.store.attributes import EXAMPLES, load_leads
from leadlight.store.domains import settle_domains
from leadlight.store.events import load_events, settle_events
from leadlight.store.files import known_files, last_read, record_file, same_files_elsewhere, spec_hash, stand_for
from leadlight.store.forget import forget_source, rename_source, row_count
from leadlight.store.history import ACCOUNTS
from leadlight.store.leads import refresh_leads, touch_undated, without_lead
from leadlight.store.merge import Merged, merge_duplicates
from leadlight.store.names import Kind, known_types, record
from leadlight.store.outcomes import load_outcomes, outcomes_of_leads
from leadlight.store.periods import rebuild
from leadlight.store.runs import finish_run, start_run
from leadlight.store.sizes import READ_TO_SCORE, note_sizes
from leadlight.store.speakers import SPEAKERS
from leadlight.store.sql import Sql, fill
from leadlight.store.staged import Counts, Staged
from leadlight.store.sweep import sweep_all
from leadlight.store.unscored import note_unscored, note_unscored_accounts

REJECTS = "rejects"
"""The folder, in the workspace's, that rows go to which could not be read."""

ORDER = (SourceKind.LEADS, SourceKind.ACCOUNTS, SourceKind.EVENTS, SourceKind.OUTCOMES)

NAMED: Mapping[SourceKind, Kind] = {
    SourceKind.LEADS: "attribute",
    SourceKind.ACCOUNTS: "account_attribute",
    SourceKind.EVENTS: "property",
    SourceKind.OUTCOMES: "outcome",
}

Progress = Callable[[ProgressUpdate], None]


@dataclass(frozen=True, slots=True)
class Pending:
    """A source that was read and waits to be stored; `forget` when it first replaces all it said before.

    A `part` of a source is not all that was read of it: no file is noted as read, and no duplicates are looked for.
    """

    spec: SourceSpec
    reading: Reading
    seconds: float
    forget: bool = False
    notes: tuple[str, ...] = ()
    part: bool = False

    @property
    def name(self) -> str:
        """The source's name."""
        return self.reading.source

    @property
    def is_new(self) -> bool:
        """Whether anything was read at all."""
        return bool(self.reading.table)


def ingest(
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
    """Read the sources (or `only` those named) and bring the store up to date.

    Nothing is stored before everything could be read, and all is stored in one transaction: after a fault, or when the
    process is killed, the store is as it was. Doing it again changes nothing. `now` is the moment from which changes
    that carry no date are known. Files are held to the `contract`; columns that it names and no file has are known from
    then on, as always missing; so are the attributes that look-ups can give (`given`).

    Raises UsageError for unknown names in `only`, DataError with the faults of all sources, TooManyRejects.
    """
    started = time.perf_counter()
    moment = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    chosen = chosen_sources(spec, only)
    pending: list[Pending] = []
    desk = reading_desk(engine)
    try:
        _read_all(engine, desk, chosen, root, pending, progress, contract)
        with engine.transaction():
            report = store_readings(engine, spec, pending, moment, given=given, desk=desk)
            declare(engine, spec.sources, contract)
            report = replace(report, seconds=time.perf_counter() - started)
            note_run(engine, report)
    finally:
        for item in pending:
            release(desk, item.reading)
        if desk is not engine:
            desk.close()
    return report


def reading_desk(engine: Engine) -> DuckDBEngine:
    """Return where files are read: in the store itself where that is DuckDB, else in memory, and handed over."""
    return engine if isinstance(engine, DuckDBEngine) else DuckDBEngine(None)


def chosen_sources(spec: WorkspaceSpec, only: Iterable[str]) -> dict[str, SourceSpec]:
    """Return the wanted sources in the order in which they are stored."""
    for name in only:
        if name not in spec.sources:
            raise UsageError(f"there is no source {name!r}: {did_you_mean(name, spec.sources)}")
    wanted = set(only) or set(spec.sources)
    return {name: spec.sources[name] for kind in ORDER for name in spec.sources
            if name in wanted and spec.sources[name].role is kind}  # fmt: skip


def note_run(engine: Engine, report: IngestReport) -> None:
    """Keep a record of a run that changed something; one that changed nothing leaves the store as it was."""
    if report.changed:
        run = start_run(engine, "ingest", started_at=report.at)
        finish_run(engine, run, finished_at=report.at, counts=report.counts())


# ------------------------------------------------------------------------------------------------------- reading


def _read_all(
    engine: Engine,
    desk: DuckDBEngine,
    sources: Mapping[str, SourceSpec],
    root: Path,
    pending: list[Pending],
    progress: Progress | None,
    contract: ContractSpec,
) -> None:
    """Read every source, gathering the faults of all before any is raised."""
    errors: list[DataError] = []
    with Opened(sources.values()) as opened:
        for name, source in sources.items():
            try:
                held_to = contract.get(name)
                pending.append(read_one(engine, desk, name, source, root, opened, pending, progress, held_to))
            except DataError as error:
                errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        kind = TooManyRejects if all(isinstance(error, TooManyRejects) for error in errors) else DataError
        raise kind([fault for error in errors for fault in error.faults], fix=errors[0].fix)


def read_one(
    engine: Engine,
    desk: DuckDBEngine,
    name: str,
    source: SourceSpec,
    root: Path,
    opened: Opened,
    before: Sequence[Pending],
    progress: Progress | None,
    contract: SourceContract | None,
    group: Group | None = None,
) -> Pending:
    """Read one source, after those `before`; of a `group` its records only. Raises what `read` raises."""
    started = time.perf_counter()
    forget, notes = _described_anew(engine, name, source, root)
    types = _types(engine, source.role, before, forgotten=[name] if forget else [])

    def attempt(known: Mapping[str, str] | None) -> Reading:
        return read(
            desk, name, source, root, rejects_dir=root / REJECTS, known=known, types=types, progress=progress,
            opened=opened, contract=contract, group=group,
        )  # fmt: skip

    reading = attempt(known_files(engine, name, spec_hash(source)))
    whole = source.role is SourceKind.EVENTS or source.connection is not None
    if not whole and len({file.skipped for file in reading.files}) == 2:
        # Rows of one id may stand in several files: what they say together is known only when all are read.
        release(desk, reading)
        reading = attempt(None)
    return Pending(source, reading, time.perf_counter() - started, forget, notes, part=group is not None)


def _types(engine: Engine, kind: SourceKind, before: Iterable[Pending], *, forgotten: Sequence[str]) -> dict[str, Type]:
    """Return the types that names of this kind have: in the store, and in what was just read."""
    if kind is SourceKind.OUTCOMES:
        return {}
    gone = [*SPEAKERS, *forgotten, *(item.name for item in before if item.forget)]
    types = known_types(engine, NAMED[kind], without=gone)
    for item in before:
        if item.spec.role is kind:
            types |= {column.name: column.type for column in item.reading.columns if column.name not in types}
    return types


def _described_anew(engine: Engine, name: str, source: SourceSpec, root: Path) -> tuple[bool, tuple[str, ...]]:
    """Say whether a source whose description changed replaces what it said before, and a note about it.

    It does when its files still hold all that the store has from it. Otherwise that would destroy history which can be
    read nowhere else; so the old rows stay.
    """
    files = last_read(engine, name)
    if all(file.spec == spec_hash(source) for file in files):
        return False, ()
    if source.connection is not None:  # the lake has all that it ever gave
        return True, ("the source is described differently than before: what it said is replaced",)
    present = source.format == "sql" or all((root / file.path).exists() for file in files)
    if present and row_count(engine, name) <= sum(file.rows for file in files):
        return True, ("the source is described differently than before: what it said is replaced",)
    return False, (
        "the source is described differently than before, but its files no longer hold all that the store has from it: "
        "that stays as it was read",
    )


# ------------------------------------------------------------------------------------------------------- storing


@dataclass(slots=True)
class _Progress:
    """What storing has come to, while it goes on."""

    reports: list[SourceReport] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    changed: bool = False


def store_readings(
    engine: Engine,
    spec: WorkspaceSpec,
    pending: Sequence[Pending],
    now: datetime,
    *,
    given: Mapping[str, Type] = MappingProxyType({}),
    desk: DuckDBEngine | None = None,
) -> IngestReport:
    """Store what was read, at `desk` where that is not the store; call it inside a transaction.

    `now` is naive UTC.
    """
    engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    engine.execute("CREATE TEMP TABLE touched_accounts (account VARCHAR)")
    if desk is not None and desk is not engine:
        for item in pending:
            _hand_over(desk, engine, item)
    state = _Progress()
    for item in pending:
        state.changed |= _make_way(engine, spec, item)
    _store_kind(engine, pending, (SourceKind.LEADS, SourceKind.ACCOUNTS), now, state)
    merged, examples = 0, list[Merged]()
    if not any(item.part for item in pending):
        merge_by = {name: source.merge_by for name, source in spec.sources.items()}
        merged, examples = merge_duplicates(engine, merge_by, at=now)
    _store_kind(engine, pending, (SourceKind.EVENTS, SourceKind.OUTCOMES), now, state)
    if spec.enrich is not None:
        facts.declare(engine, given)
    _settle(engine, spec, now)
    for item in pending:
        state.changed |= not item.part and _note_files(engine, item, now)
    return IngestReport(
        at=now,
        sources=tuple(_with_unknown(engine, report) for report in state.reports),
        same_id=Duplicates(sum(report.repeated for report in state.reports), ID_RULE, tuple(state.repeated[:EXAMPLES])),
        same_value=Duplicates(merged, SHARED_RULE, tuple(f"{m.id} into {m.into}" for m in examples)),
        changed=state.changed or bool(merged),
        seconds=0.0,
    )


def _hand_over(desk: DuckDBEngine, engine: Engine, item: Pending) -> None:
    """Bring the rows of a source from where they were read to the store, batch by batch."""
    if item.reading.table:
        engine.take(item.reading.table, desk.batches(item.reading.table))


def _make_way(engine: Engine, spec: WorkspaceSpec, item: Pending) -> bool:
    """Take out what a source replaces, or take over what it said under another name; true when there was any."""
    if item.forget:
        forget_source(engine, item.name)
        return True
    if last_read(engine, item.name):
        return False
    read_now = {file.path: file.fingerprint for file in item.reading.files}
    for old in same_files_elsewhere(engine, read_now, spec_hash(item.spec)):
        if old not in spec.sources:
            rename_source(engine, old, item.name)
            return True
    return False


def _store_kind(
    engine: Engine, pending: Sequence[Pending], kinds: Iterable[SourceKind], now: datetime, state: _Progress
) -> None:
    for item in pending:
        if item.spec.role in kinds:
            report = _store_one(engine, item, now, state)
            state.reports.append(report)
            extra = report.outcomes or (0, 0, 0)
            state.changed |= bool(report.new + report.changed + extra[0] + extra[1])


def _store_one(engine: Engine, item: Pending, now: datetime, state: _Progress) -> SourceReport:
    started = time.perf_counter()
    reading = item.reading
    report = SourceReport(
        source=item.name,
        kind=str(item.spec.role),
        files=len(reading.files),
        skipped_files=sum(file.skipped for file in reading.files),
        rows=reading.rows,
        rejected=reading.rejected,
        left_out=reading.left_out,
        rejects_file=str(reading.rejects_file) if reading.rejects_file else None,
        notes=(*item.notes, *reading.notes),
    )
    if item.is_new:
        report = _stored(engine, item, now, state, report)
    return replace(report, seconds=item.seconds + time.perf_counter() - started)


def _stored(engine: Engine, item: Pending, now: datetime, state: _Progress, report: SourceReport) -> SourceReport:
    rows = _staged(item.reading)
    match item.spec.role:
        case SourceKind.LEADS:
            loaded = load_leads(engine, rows, now)
            record(engine, "undated", item.name, {name: rows.columns[name] for name in item.reading.undated})
            state.repeated.extend(loaded.examples)
            report = replace(report, outcomes=_outcomes_of_leads(engine, item, rows))
            return _counted(report, loaded.counts)
        case SourceKind.ACCOUNTS:
            return _counted(report, load_accounts(engine, rows, now))
        case SourceKind.EVENTS:
            counts = load_events(engine, rows, item.spec.event)
            if counts.new:
                said_of = fill("SELECT i.lead FROM {table} s JOIN ids i ON i.id = s._lead", table=rows.table)
                note_unscored(engine, said_of)
            return _counted(report, counts)
        case _:
            name, kind = outcome_name(item.spec, item.reading.roles)
            return _counted(report, load_outcomes(engine, rows, name=name, type_=kind))


def _staged(reading: Reading) -> Staged:
    return Staged(
        source=reading.source,
        table=reading.table,
        roles=frozenset(reading.roles),
        columns={column.name: column.type for column in reading.columns},
    )


def _outcomes_of_leads(engine: Engine, item: Pending, rows: Staged) -> tuple[int, int, int] | None:
    """Store the outcomes that stand in a source of leads."""
    if "outcome" not in rows.roles:
        return None
    name, kind = outcome_name(item.spec, item.reading.roles)
    table = f"{rows.table}_outcomes"
    stated = outcomes_of_leads(engine, rows, table=table)
    counts = load_outcomes(engine, stated, name=name, type_=kind)
    engine.execute(fill("DROP TABLE {table}", table=table))
    return counts.new, counts.changed, counts.unchanged


def _counted(report: SourceReport, counts: Counts) -> SourceReport:
    notes = report.notes
    if counts.unusable:
        notes = (*notes, f"{counts.unusable}{UNUSABLE}")
    return replace(
        report,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.unchanged,
        repeated=counts.repeated,
        erased=counts.erased,
        notes=notes,
    )


def _settle(engine: Engine, spec: WorkspaceSpec, now: datetime) -> None:
    """Make the tables that follow from the others, for whoever is touched."""
    ruled = any(rules is not None and set(rules.sources) & set(spec.sources) for rules in (spec.bots, spec.consent))
    if ruled and sweep_all(engine, spec.bots, spec.consent, at=now):
        note_unscored(engine, Sql("SELECT lead FROM leads"))
    settle_events(engine)
    touch_undated(engine)
    settle_domains(engine, spec.accounts.attribute if spec.accounts else None)
    refresh_leads(engine)
    facts.settle(engine, spec.enrich)
    note_unscored(engine, Sql("SELECT lead FROM touched"))
    note_unscored_accounts(engine, Sql("SELECT account FROM touched_accounts"))
    rebuild(engine, ACCOUNTS)
    engine.execute("DROP TABLE touched")
    engine.execute("DROP TABLE touched_accounts")
    note_sizes(engine, *READ_TO_SCORE)


def _note_files(engine: Engine, item: Pending, now: datetime) -> bool:
    """Note the files that were read; true when any holds something else than before."""
    if item.spec.connection is not None:
        paths = [file.path for file in item.reading.files if file.skipped]
        stand_for(engine, item.name, paths, spec=spec_hash(item.spec), read_at=now)
    noted = [
        record_file(
            engine,
            source=item.name,
            path=file.path,
            fingerprint=file.fingerprint,
            spec=spec_hash(item.spec),
            read_at=now,
            rows=file.rows,
            rejected=file.rejected,
        )
        for file in item.reading.files
        if not file.skipped
    ]
    return any(noted)


def _with_unknown(engine: Engine, report: SourceReport) -> SourceReport:
    if report.kind not in ("events", "outcomes"):
        return report
    return replace(report, without_lead=without_lead(engine, report.kind, report.source))
