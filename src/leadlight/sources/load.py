"""Parts into one typed staging table: every row is read once, and what does not fit is kept beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, text_sql, value_sql
from leadlight.sources.layout import Slot
from leadlight.sources.lines import BrokenRow, broken_rows
from leadlight.sources.part import Cell, Kind, Part, named, quoted
from leadlight.sources.progress import Clock

MAX_ROW_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came through of each part: where its rows begin in the table, how many, and the rows that broke."""

    start: int
    rows: int
    broken: tuple[BrokenRow, ...]


def checked(slots: Sequence[Slot], forms: Sequence[Form]) -> list[int]:
    """Return which slots can have values that do not fit; `_bad` in the table has one entry for each, in this order."""
    return [i for i, (slot, form) in enumerate(zip(slots, forms, strict=True)) if _can_fail(slot, form)]


def _can_fail(slot: Slot, form: Form) -> bool:
    return slot.must or form.unseen or form.type is not Type.TEXT


def load(
    engine: DuckDBEngine,
    table: str,
    parts: Sequence[Part],
    slots: Sequence[Slot],
    forms: Sequence[Form],
    context: Context,
    clock: Clock,
) -> list[Loaded]:
    """Make the table anew and read all parts into it, telling the clock.

    `_bad` is null for a row that fits, empty for a blank one, else a list: why the row is none, then the texts that do
    not fit, by `checked`.
    """
    types = engine.capabilities.types
    columns = ", ".join(
        f"{named(slot.name)} {types[Type.TEXT if slot.role == 'outcome' else form.type]}"
        for slot, form in zip(slots, forms, strict=True)
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {named(table)} ({columns}, "
        "_part INTEGER, _n BIGINT, _bad VARCHAR[], _row VARCHAR)"
    )
    loaded: list[Loaded] = []
    for index, part in enumerate(parts):
        start = sum(one.rows for one in loaded)
        with clock.watch(part, start):
            loaded.append(_load_part(engine, table, index, part, slots, forms, context, start))
        clock.tick(part, start + loaded[-1].rows)
    return loaded


def _load_part(
    engine: DuckDBEngine, table: str, index: int, part: Part, slots: Sequence[Slot], forms: Sequence[Form],
    context: Context, start: int,
) -> Loaded:  # fmt: skip
    rejects = f"{table}_broken"
    engine.execute(
        f"INSERT INTO {named(table)} "
        + select_sql(part, index, slots, forms, context, rejects=rejects if part.text else None)
    )
    rows = int(engine.rows(f"SELECT count(*) FROM {named(table)}")[0][0]) - start  # noqa: S608
    if part.text is None:
        return Loaded(start, rows, ())
    broken = broken_rows(engine, part.text, rejects, rows)
    for name in (rejects, f"{rejects}_scans"):
        engine.execute(f"DROP TABLE IF EXISTS {named(name)}")
    return Loaded(start, rows, tuple(broken))


def select_sql(
    part: Part, index: int, slots: Sequence[Slot], forms: Sequence[Form], context: Context, *, rejects: str | None
) -> str:
    """Return the query that turns a part's cells into the table's columns."""
    cells = [part.columns.get(slot.header, Cell(Kind.FIXED, "CAST(NULL AS VARCHAR)")) for slot in slots]
    raw = [f"{cell.sql} AS r{i}, {text_sql(cell, context)} AS t{i}" for i, cell in enumerate(cells)]
    line, valid = part.line or "CAST(NULL AS BIGINT)", part.valid or "true"
    whole = "c0" if part.valid else "CAST(NULL AS VARCHAR)"
    inner = f"SELECT {', '.join(raw)}, {line} AS n, {valid} AS valid, {whole} AS whole FROM {part.source(rejects)}"  # noqa: S608
    values = [
        f"{value_sql(Cell(cell.kind, f'r{i}'), f't{i}', form, context)} AS v{i}"
        for i, (cell, form) in enumerate(zip(cells, forms, strict=True))
    ]
    middle = f"SELECT *, {', '.join(values)} FROM ({inner}) AS cells"  # noqa: S608
    bad, row = _bad_sql(slots, forms)
    outer = ", ".join(
        _outcome_sql(f"v{i}", form) if slot.role == "outcome" else f"v{i}"
        for i, (slot, form) in enumerate(zip(slots, forms, strict=True))
    )
    return f"SELECT {outer}, {index}, n, {bad}, {row} FROM ({middle}) AS typed"  # noqa: S608


def _outcome_sql(value: str, form: Form) -> str:
    """Return SQL that writes an outcome as text which casts back to its type; whole numbers without a point."""
    if form.type is not Type.NUMBER:
        return f"CAST({value} AS VARCHAR)"
    whole = f"{value} = floor({value}) AND abs({value}) < 1e15"
    return f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"


def _bad_sql(slots: Sequence[Slot], forms: Sequence[Form]) -> tuple[str, str]:
    """Return SQL for `_bad` and `_row`; both are null, and cost little, where all values fit."""
    misfits = {i: _misfit(i, slots[i], forms[i]) for i in checked(slots, forms)}
    any_bad = " OR ".join(["NOT valid", *misfits.values()])
    texts = "".join(f", CASE WHEN valid AND {misfit} THEN coalesce(t{i}, '') END" for i, misfit in misfits.items())
    blank = f"coalesce({', '.join(f't{i}' for i in range(len(slots)))}, NULL) IS NULL AND valid"
    why = "CASE WHEN NOT valid THEN 'is not a JSON object' END"
    whole = f"concat_ws(',', {', '.join(f'coalesce(t{i}, {quoted(str())})' for i in range(len(slots)))})"
    bad = f"CASE WHEN {any_bad} THEN CASE WHEN {blank} THEN [] ELSE [{why}{texts}] END END"
    return bad, f"CASE WHEN {any_bad} THEN left(coalesce(whole, {whole}), {MAX_ROW_SHOWN}) END"


def _misfit(i: int, slot: Slot, form: Form) -> str:
    """Return SQL for: the value of slot i does not fit its form."""
    if form.unseen:
        return f"t{i} IS NOT NULL"
    if slot.must:
        return f"v{i} IS NULL"
    return f"(v{i} IS NULL AND t{i} IS NOT NULL)"


def drop(engine: DuckDBEngine, table: str) -> None:
    """Drop a staging table."""
    engine.execute(f"DROP TABLE IF EXISTS {named(table)}")
