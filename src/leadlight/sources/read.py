"""Read one source into a typed temporary table, or only look at it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault, did_you_mean
from leadlight.expr.types import Type
from leadlight.sources.breaches import Held, Rows, held_against
from leadlight.sources.contract import PREFIX, contract_slots, contract_types, missing_faults
from leadlight.sources.csv import open_csv
from leadlight.sources.form import Context, Form
from leadlight.sources.groups import Group, ReadWhole
from leadlight.sources.guess import Dates
from leadlight.sources.jsonl import open_jsonl
from leadlight.sources.lake import NotSynced, is_covered, locate_lake, not_synced, open_lake, undated
from leadlight.sources.layout import ROLES, Slot, find, headers_of, lay_out, try_lay_out
from leadlight.sources.load import Loaded, checked, drop, load
from leadlight.sources.locate import Located, locate
from leadlight.sources.notes import constant_notes, plan_notes, text_notes
from leadlight.sources.opened import Opened
from leadlight.sources.parquet import open_parquet
from leadlight.sources.part import TEXTS, Part, named, quoted
from leadlight.sources.plan import Plan, Planner
from leadlight.sources.progress import Clock
from leadlight.sources.progress import ProgressUpdate as ProgressUpdate
from leadlight.sources.rejects import Rejected, count_rejects, find_rejects, too_many, write_rejects
from leadlight.sources.sql import open_sql
from leadlight.sources.times import Order
from leadlight.sources.where import NONE, Where
from leadlight.spec.contract import SourceContract
from leadlight.spec.models import SourceKind, SourceSpec

LOOK = 8 << 20
"""`describe` looks at so many bytes of a text file."""
LOOK_ROWS = 1_000
KEPT_IN = "What the files must look like stands in contract.yaml; `leadlight check` shows it beside what there is."
MAX_REVISIONS = 4
LAKE = "lake"
"""The fingerprint of files that never change."""
NEARLY = 0.99
"""From this share of fitting values on, a column read as text is worth a note."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as we call it, as the file calls it, and what it holds."""

    name: str
    header: str
    type: Type


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file (or table): `path` is relative to the root; `skipped` when its content has been read before."""

    path: str
    fingerprint: str
    rows: int
    rejected: int
    skipped: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a source gave: rows in the temporary view `table`, and what became of each file.

    Give it back with `release(engine, reading)`. It has `_id, _lead, _account, _created_at, _known_at, _at, _type,
    _message_id, _outcome, _value` (those the source has; an outcome is text that casts to its type in `roles`, or what
    `outcome_is` says), then `columns` by our names, then `_file` and `_line` (from 1; counted as if every row took one
    line), and `_place`, a number by which rows come in the order in which they were read.
    """

    source: str
    table: str
    columns: tuple[Column, ...]
    roles: Mapping[str, Column]
    files: tuple[FileRead, ...]
    rows: int
    rejected: int
    rejects_file: Path | None
    notes: tuple[str, ...] = ()
    left_out: int = 0
    """Rows for which the source's `where` is not true."""
    undated: tuple[str, ...] = ()
    """Columns whose past the source does not tell, where it tells that of others."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a look at headers and the first rows tells."""

    columns: tuple[Column, ...]
    roles: Mapping[str, Column] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    """What is wrong all the same; columns that are concerned are left out, or taken for what they seem to be."""


def describe(name: str, spec: SourceSpec, root: Path) -> Described:
    """Look at the headers and first rows of a source.

    Raises DataError with all faults: files or columns that are not there, ambiguous dates.
    """
    found = look(name, spec, root)
    if found.faults:
        raise DataError(found.faults)
    return found


def look(
    name: str, spec: SourceSpec, root: Path, opened: Opened | None = None, *, contract: SourceContract | None = None
) -> Described:
    """Look at a source as `describe` does, and return its faults together with what can be told in spite of them.

    Types are those of the contract where there is one. Raises DataError where nothing can be told: no file, or none
    that can be opened.
    """
    engine = DuckDBEngine(None)
    try:
        with _held(opened) as held, _session(engine, name, spec):
            parts = _open(engine, name, spec, _located(name, spec, root), root, held, look=True)
            slots, faults = try_lay_out(name, spec, parts, contract_types(spec, contract))
            planner = _planner(engine, name, spec, parts, slots)
            plan, more = planner.try_plan()
            columns, roles = _columns(slots, plan.forms)
            notes = (*_notes_of(parts, spec), *plan_notes(slots, plan, planner.context))
            wrong = _where(planner, spec, plan).faults()
            return Described(columns, roles, notes, (*faults, *more, *wrong))
    finally:
        engine.close()


def hold(name: str, spec: SourceSpec, root: Path, contract: SourceContract, opened: Opened | None = None) -> Held:
    """Read all of a source once and hold it against its contract; nothing is stored.

    Raises DataError where it cannot be opened.
    """
    engine = DuckDBEngine(None)
    try:
        with _held(opened) as held, _session(engine, name, spec):
            parts = _open(engine, name, spec, _located(name, spec, root), root, held, look=False)
            slots, _ = try_lay_out(name, spec, parts, contract_types(spec, contract))
            more = contract_slots(spec, contract, headers_of(parts))
            planner = _planner(engine, name, spec, parts, (*slots, *more))
            plan, _ = planner.try_plan()
            table, clock = _staging(name), Clock(engine, name, parts, None)
            loaded = load(engine, table, parts, planner.slots, plan.forms, planner.context, clock)
            where = _where(planner, spec, plan)
            unmeant = NONE if where.faults() else where.left_out_sql()
            return held_against(name, spec, contract, _rows(planner, table, loaded, unmeant))
    finally:
        engine.close()


def _rows(planner: Planner, table: str, loaded: Sequence[Loaded], unmeant: str) -> Rows:
    others = {slot.header: slot.name for slot in planner.slots if not slot.hidden}
    return Rows(planner.engine, table, planner.parts, loaded, unmeant, planner.dates, planner.context, others)


def read(
    engine: DuckDBEngine,
    name: str,
    spec: SourceSpec,
    root: Path,
    *,
    rejects_dir: Path,
    known: Mapping[str, str] | None = None,
    types: Mapping[str, Type] | None = None,
    progress: Callable[[ProgressUpdate], None] | None = None,
    opened: Opened | None = None,
    contract: SourceContract | None = None,
    group: Group | None = None,
) -> Reading:
    """Read a source into a new temporary view of the engine (the caller gives it back with `release`).

    `known` maps paths to fingerprints of files that were read before: unchanged ones are skipped, and where all are,
    there is no view (`table` is empty). `types` are those the store has for our names: values must fit them. `opened`
    keeps what other sources of the same files have in common with this one. A `contract` gives types, and is held to.
    Of a `group` only its records are read; ReadWhole is raised where they alone do not tell how.
    Raises DataError with all faults, TooManyRejects when more than `reject_limit` of the rows cannot be read.
    """
    with _held(opened) as held:
        known_types = {**contract_types(spec, contract), **(types or {})}
        return _read_files(
            engine, name, spec, root, held, rejects_dir, known or {}, known_types, progress, contract, group
        )


@contextmanager
def _held(opened: Opened | None) -> Iterator[Opened]:
    """Use what the caller holds open, or open something for this once."""
    if opened is not None:
        yield opened
        return
    with Opened() as held:
        yield held


def _read_files(
    engine: DuckDBEngine,
    name: str,
    spec: SourceSpec,
    root: Path,
    opened: Opened,
    rejects_dir: Path,
    known: Mapping[str, str],
    types: Mapping[str, Type],
    progress: Callable[[ProgressUpdate], None] | None,
    contract: SourceContract | None,
    group: Group | None = None,
) -> Reading:
    files = _locate(name, spec, root)
    if spec.connection is not None and not files:
        return Reading(name, "", (), {}, (), 0, 0, None, (not_synced(spec),))
    prints = {file.shown: _print_of(file, spec, opened) for file in files}
    skipped = [FileRead(path, mark, 0, 0, skipped=True) for path, mark in prints.items() if known.get(path) == mark
               or (spec.connection is not None and is_covered(path, known))]  # fmt: skip
    fresh = [file for file in files if file.shown not in {one.path for one in skipped}
             and (group is None or file.shown in group.files)]  # fmt: skip
    rejects_file = rejects_dir / f"{name}.csv"
    if skipped and not fresh:
        return Reading(name, "", (), {}, tuple(skipped), 0, 0, None, ("nothing has changed since it was read",))
    with _session(engine, name, spec):
        within = "true" if group is None else group.sql
        parts = _open(engine, name, spec, fresh, root, opened, look=False, within=within)
        slots = _laid_out(name, spec, parts, types, contract, root)
        if group is not None and _guessing(parts[0], slots):
            raise ReadWhole
        planner = _planner(engine, name, spec, parts, slots)
        table = f"source_{name}"
        try:
            reading = _read(planner, spec, table, rejects_file, Clock(engine, name, parts, progress), contract)
            if group is not None and reading.rejected:
                raise ReadWhole
            if spec.connection is not None:
                lost = undated(root, spec)
                names = tuple(column.name for column in reading.columns if column.header in lost)
                reading = replace(reading, files=tuple(_of_lake(fresh, reading)), undated=names)
            return replace(reading, files=(*skipped, *(_printed(file, prints) for file in reading.files)))
        except BaseException:
            _drop_all(engine, table)
            raise
        finally:
            for index in range(len(parts)):
                engine.execute(f"DROP TABLE IF EXISTS {named(_raw(name, index))}")


def _guessing(part: Part, slots: Sequence[Slot]) -> bool:
    """Say whether texts are to be read as something else: how they are written shows from all of them only."""
    return any(
        slot.told not in (None, Type.TEXT) and slot.header in part.columns and part.columns[slot.header].kind in TEXTS
        for slot in slots
    )


def _laid_out(
    name: str,
    spec: SourceSpec,
    parts: Sequence[Part],
    types: Mapping[str, Type],
    contract: SourceContract | None,
    root: Path,
) -> tuple[Slot, ...]:
    """Lay the columns out, with those that are to be held against a contract; raise what is missing of both.

    Where a column is missing, all else that breaks the contract is told with it, as `check` does.
    """
    if contract is None:
        return lay_out(name, spec, parts, types)
    headers = headers_of(parts)
    slots, faults = try_lay_out(name, spec, parts, types)
    missing = missing_faults(name, spec, contract, headers, parts[0].shown)
    faults = [fault for fault in faults if not said_already(name, spec, fault, missing)]
    if missing:
        broken = [fault for fault in hold(name, spec, root, contract).faults if fault.severity == "error"]
        raise DataError([*broken, *faults], fix=KEPT_IN)
    if faults:
        raise DataError(faults)
    return (*slots, *contract_slots(spec, contract, headers))


def said_already(name: str, spec: SourceSpec, fault: Fault, missing: Sequence[Fault]) -> bool:
    """Say whether a fault of a role is about a column that the contract misses too."""
    role = (fault.path or "").removeprefix(f"sources.{name}.")
    told = getattr(spec, role, None) if role in ROLES else None
    return told is not None and any(find([told], other.path or "") for other in missing)


def release(engine: DuckDBEngine, reading: Reading) -> None:
    """Drop what `read` has put into the engine."""
    if reading.table:
        _drop_all(engine, reading.table)


def _staging(table: str) -> str:
    return f"staging_of_{table}"


def _drop_all(engine: DuckDBEngine, table: str) -> None:
    engine.execute(f"DROP VIEW IF EXISTS {named(table)}")
    drop(engine, _staging(table))


# ------------------------------------------------------------------------------------------------------- opening


@contextmanager
def _session(engine: DuckDBEngine, name: str, spec: SourceSpec) -> Iterator[None]:
    """Set the session's time zone to the source's while reading."""
    if spec.timezone != "UTC":
        known = [str(zone) for (zone,) in engine.rows("SELECT name FROM pg_timezone_names()")]
        if spec.timezone not in known:
            message = f"there is no time zone {spec.timezone!r}; {did_you_mean(spec.timezone, known)}"
            raise DataError([Fault(message, path=f"sources.{name}.timezone")])
    before = engine.rows("SELECT current_setting('TimeZone')")[0][0]
    engine.execute(f"SET TimeZone = {quoted(spec.timezone)}")
    try:
        yield
    finally:
        engine.execute(f"SET TimeZone = {quoted(str(before))}")


def _locate(name: str, spec: SourceSpec, root: Path) -> list[Located]:
    if spec.connection is not None:
        return locate_lake(spec, root)
    return [] if spec.sql is not None else locate(spec.location, root, name)


def _located(name: str, spec: SourceSpec, root: Path) -> list[Located]:
    """Return the files to look at; raises NotSynced where a connection has none yet."""
    found = _locate(name, spec, root)
    if spec.connection is not None and not found:
        raise NotSynced(name, spec)
    return found


def _of_lake(files: Sequence[Located], reading: Reading) -> Iterator[FileRead]:
    """Return what became of files that were read as one: the rows are told with the last."""
    for file in files:
        told = (reading.rows, reading.rejected) if file is files[-1] else (0, 0)
        yield FileRead(file.shown, "", *told, skipped=False)


def _print_of(file: Located, spec: SourceSpec, opened: Opened) -> str:
    """Return a file's fingerprint together with how it is read: another way of reading reads it again."""
    if spec.connection is not None:
        return LAKE
    how = spec.model_dump(mode="json", exclude_defaults=True, exclude={"reject_limit", "merge_by"})
    try:
        content = opened.fingerprint(file, spec)
    except OSError as error:
        raise DataError([Fault(f"cannot be opened: {error.strerror or error}", file=file.shown)]) from None
    return f"{content}-{hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()[:12]}"


def _printed(file: FileRead, prints: Mapping[str, str]) -> FileRead:
    return replace(file, fingerprint=prints.get(file.path, ""))


def _raw(name: str, index: int) -> str:
    return f"raw_{name}_{index}"


def _open(
    engine: DuckDBEngine,
    name: str,
    spec: SourceSpec,
    files: Sequence[Located],
    root: Path,
    opened: Opened,
    *,
    look: bool,
    within: str = "true",
) -> list[Part]:
    """Open every file, or the database; of a lake the rows `within`. Raises DataError with the faults of all."""
    if spec.sql is not None:
        return [open_sql(engine, name, spec, root, _raw(name, 0), LOOK_ROWS if look else None)]
    if spec.connection is not None:
        return [open_lake(engine, spec, files, root, within)]
    parts, faults = [], []
    for index, file in enumerate(files):
        try:
            parts.append(_open_file(engine, name, spec, index, file, opened, LOOK if look else None))
        except DataError as error:
            faults += error.faults
        except OSError as error:
            faults.append(Fault(f"cannot be opened: {error.strerror or error}", file=file.shown))
    if faults:
        raise DataError(faults)
    return parts


def _open_file(
    engine: DuckDBEngine, name: str, spec: SourceSpec, index: int, file: Located, opened: Opened, limit: int | None
) -> Part:
    if spec.format == "csv":
        return open_csv(file, spec, opened, limit)
    if spec.format == "jsonl":
        return open_jsonl(engine, file, spec, opened, limit)
    if spec.format == "parquet":
        return open_parquet(engine, file)
    from leadlight.sources.excel import open_excel  # calamine is slow to load

    return open_excel(engine, file, spec, opened, _raw(name, index))


def _planner(
    engine: DuckDBEngine, name: str, spec: SourceSpec, parts: Sequence[Part], slots: Sequence[Slot]
) -> Planner:
    context = Context(tuple(spec.missing), spec.decimal, spec.timezone == "UTC")
    return Planner(engine, name, parts, slots, _dates(engine, name, spec), context, NEARLY)


def _dates(engine: DuckDBEngine, name: str, spec: SourceSpec) -> Dates:
    """Read what is told about times. Raises DataError where that is no format."""
    dates = Dates.parse(spec.dates)
    known = [*Order, "unix"]
    if dates.format is not None:
        try:
            if "%" not in dates.format:
                raise duckdb.Error
            engine.rows(f"SELECT strptime('x', {quoted(dates.format)}) WHERE false")
        except duckdb.Error:
            message = f"{dates.format!r} is no way to write times: {did_you_mean(dates.format, known)}"
            fault = Fault(f"{message}, or a format such as %d.%m.%Y %H:%M", path=f"sources.{name}.dates")
            raise DataError([fault]) from None
    return dates


# ------------------------------------------------------------------------------------------------------- reading


def _read(
    planner: Planner, spec: SourceSpec, table: str, rejects_file: Path, clock: Clock, contract: SourceContract | None
) -> Reading:
    engine, rows = planner.engine, _staging(table)
    plan, loaded = _load(planner, rows, clock)
    slots, parts = planner.slots, planner.parts
    unmeant = _where(planner, spec, plan).left_out_sql()
    if contract is not None:
        _keep_to(contract, planner, spec, _rows(planner, rows, loaded, unmeant))
    rejected = count_rejects(engine, rows, loaded, unmeant)
    rejects = find_rejects(engine, rows, parts, slots, plan.forms, loaded, unmeant) if rejected.count else []
    write_rejects(rejects_file, rejects)
    if rejected.count > spec.reject_limit * rejected.rows:
        shown = f"{rejects_file.parent.name}/{rejects_file.name}"
        raise too_many(planner.source, rejected, spec.reject_limit, rejects, shown)
    kept = _kept(slots, plan.forms, parts)
    _make_view(engine, table, parts, [slots[i] for i in kept], loaded, spec, unmeant)
    columns, roles = _columns([slots[i] for i in kept], [plan.forms[i] for i in kept])
    return Reading(
        planner.source, table, columns, roles, tuple(_files(engine, table, parts, rejected)),
        rejected.rows - rejected.count, rejected.count, rejects_file if rejects else None,
        (
            *_notes_of(parts, spec),
            *plan_notes([slots[i] for i in kept], replace(plan, forms=[plan.forms[i] for i in kept]), planner.context),
            *text_notes(engine, rows, parts, slots, plan, loaded, planner.context, planner.nearly),
        ),
        rejected.left_out,
    )  # fmt: skip


def _keep_to(contract: SourceContract, planner: Planner, spec: SourceSpec, rows: Rows) -> None:
    """Raise what breaks the contract; warnings are for `check` to tell."""
    held = held_against(planner.source, spec, contract, rows)
    errors = [fault for fault in held.faults if fault.severity == "error"]
    if errors:
        raise DataError(errors, fix=KEPT_IN)


def _where(planner: Planner, spec: SourceSpec, plan: Plan) -> Where:
    slots = [slot for slot in planner.slots if not slot.name.startswith(PREFIX)]
    return Where(planner.source, spec, headers_of(planner.parts), slots, plan.forms[: len(slots)])


def _notes_of(parts: Sequence[Part], spec: SourceSpec) -> Iterator[str]:
    yield from (note for part in parts for note in part.notes)
    yield from constant_notes(spec, headers_of(parts))


def _load(planner: Planner, table: str, clock: Clock) -> tuple[Plan, list[Loaded]]:
    """Read all parts with the forms a sample gave, and again where values beyond it asked for others."""
    plan = planner.plan()
    for _ in range(MAX_REVISIONS):
        loaded = load(planner.engine, table, planner.parts, planner.slots, plan.forms, planner.context, clock)
        if not planner.revise(plan, _misfits(planner, plan, table)):
            return plan, loaded
    for i, form in enumerate(plan.forms):
        plan.forms[i] = form if form.required or form.type is Type.TEXT else Form(Type.TEXT)
    return plan, load(planner.engine, table, planner.parts, planner.slots, plan.forms, planner.context, clock)


def _misfits(planner: Planner, plan: Plan, table: str) -> dict[int, str]:
    """Return, for slots with values that did not fit, the query that gives them."""
    places = {i: place for place, i in enumerate(checked(planner.slots, plan.forms), start=2)}
    if not places:
        return {}
    counts = ", ".join(f"count(nullif(_bad[{place}], ''))" for place in places.values())
    found = planner.engine.rows(f"SELECT {counts} FROM {named(table)} WHERE _bad IS NOT NULL")[0]  # noqa: S608
    return {
        i: f"(SELECT nullif(_bad[{place}], '') AS t FROM {named(table)} WHERE _bad IS NOT NULL) AS misfits"  # noqa: S608
        for (i, place), count in zip(places.items(), found, strict=True)
        if count
    }


def _kept(slots: Sequence[Slot], forms: Sequence[Form], parts: Sequence[Part]) -> list[int]:
    """Leave out columns without a header that have no value in any row."""
    unnamed = frozenset().union(*(part.unnamed for part in parts))
    pairs = enumerate(zip(slots, forms, strict=True))
    return [i for i, (slot, form) in pairs if not slot.hidden and not (form.unseen and slot.header in unnamed)]


def _make_view(
    engine: DuckDBEngine,
    table: str,
    parts: Sequence[Part],
    slots: Sequence[Slot],
    loaded: Sequence[Loaded],
    spec: SourceSpec,
    unmeant: str,
) -> None:
    """Show the rows that fit and are meant; a line is its row's own, or follows from its place in the table."""
    taken_back = spec.connection is not None and spec.role is SourceKind.OUTCOMES
    columns = "".join(f"{_shown_sql(slot, spec, unmeant if taken_back else None)}, " for slot in slots)
    columns += f"{quoted(spec.event)} AS _type, " if spec.event is not None else ""
    columns += f"{quoted(spec.outcome_is)} AS _outcome, " if spec.outcome_is is not None else ""
    paths = ", ".join(quoted(part.shown) for part in parts)
    firsts = ", ".join(
        str((part.text.first_line if part.text else 1) - one.start) for part, one in zip(parts, loaded, strict=True)
    )
    engine.execute(f"DROP VIEW IF EXISTS {named(table)}")
    engine.execute(
        f"CREATE TEMP VIEW {named(table)} AS SELECT {columns}([{paths}])[_part + 1] AS _file, "  # noqa: S608
        f"coalesce(_n, rowid + ([{firsts}])[_part + 1]) AS _line, "
        f"rowid AS _place FROM {named(_staging(table))} WHERE _bad IS NULL"
        + ("" if taken_back else f" AND NOT {unmeant}")
    )


def _shown_sql(slot: Slot, spec: SourceSpec, unmeant: str | None) -> str:
    """Return the column of a slot: ids with what stands before them.

    Of a connection's outcomes, rows that are not meant (`unmeant`) keep their id alone, so that what was said under it
    before is taken back.
    """
    shown = named(slot.name)
    if spec.prefix and slot.role in ("id", "lead", "account"):
        shown = f"{quoted(spec.prefix)} || {shown}"
    if unmeant is not None and slot.role != "message_id":
        shown = f"CASE WHEN NOT {unmeant} THEN {shown} END"
    return shown if shown == named(slot.name) else f"{shown} AS {named(slot.name)}"


# --------------------------------------------------------------------------------------------------- what was found


def _columns(slots: Sequence[Slot], forms: Sequence[Form]) -> tuple[tuple[Column, ...], dict[str, Column]]:
    pairs = [(slot, form) for slot, form in zip(slots, forms, strict=True) if not slot.hidden]
    columns = tuple(Column(slot.name, slot.header, form.type) for slot, form in pairs if slot.role is None)
    roles = {slot.role: Column(slot.name, slot.header, form.type) for slot, form in pairs if slot.role is not None}
    return columns, roles


def _files(engine: DuckDBEngine, table: str, parts: Sequence[Part], rejected: Rejected) -> Iterator[FileRead]:
    rows = dict(engine.rows(f"SELECT _file, count(*) FROM {named(table)} GROUP BY _file"))  # noqa: S608
    for index, part in enumerate(parts):
        yield FileRead(part.shown, "", int(rows.get(part.shown, 0)), rejected.by_part[index], skipped=False)
