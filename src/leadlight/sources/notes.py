"""What the reader of a report should know of how a source was understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import shorten
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, Numbers, value_sql
from leadlight.sources.layout import Slot, find
from leadlight.sources.lines import lines_of
from leadlight.sources.load import Loaded
from leadlight.sources.part import Cell, Kind, Part, named
from leadlight.sources.plan import Plan, order_of
from leadlight.spec.models import SourceSpec

_NOT = {
    Type.NUMBER: ("a number", "numbers"),
    Type.TIME: ("a time", "times"),
    Type.BOOL: ("true or false", "true or false"),
}


def constant_notes(spec: SourceSpec, headers: Sequence[str]) -> Iterator[str]:
    """Say so where a value that is meant for every row is also the name of a column."""
    for key, instead, value in (("event", "type", spec.event), ("outcome_is", "outcome", spec.outcome_is)):
        header = None if value is None else find(headers, value)
        if header is not None:
            yield (
                f"{key}: {value} holds for every row, though there is a column {header!r}; to read what that column "
                f"says, write {instead}: {header}"
            )


def plan_notes(slots: Sequence[Slot], plan: Plan, context: Context) -> Iterator[str]:
    """Say which date formats were found and which columns have no value at all."""
    yield from plan.notes
    for slot, form in zip(slots, plan.forms, strict=True):
        if slot.hidden:
            continue
        shown = slot.header if slot.role else slot.name
        if form.unseen:
            yield f"{shown}: no value in any row"
        elif form.type is Type.TIME and form.formats:
            order = order_of(form)
            yield f"{shown}: times as {' or '.join(form.formats)}" + (f" ({order.replace('_', ' ')})" if order else "")
        elif form.type is Type.NUMBER and form.numbers is Numbers.LOOSE and context.decimal == ".":
            yield f"{shown}: numbers with separators or signs (a percent sign is left out: 12% is 12)"


def text_notes(
    engine: DuckDBEngine, table: str, parts: Sequence[Part], slots: Sequence[Slot], plan: Plan,
    loaded: Sequence[Loaded], context: Context, nearly: float,
) -> Iterator[str]:  # fmt: skip
    """Name the columns that are nearly numbers (or times …) and why they were read as text all the same."""
    for i, form in sorted(plan.nearly.items()):
        slot = slots[i]
        if plan.forms[i].type is not Type.TEXT or slot.role is not None or slot.hidden:
            continue
        column = named(slot.name)
        unfit = f"{column} IS NOT NULL AND {value_sql(Cell(Kind.ANY, column), column, form, context)} IS NULL"
        total, count, place = engine.rows(
            f"SELECT count({column}), count(*) FILTER (WHERE {unfit}), min(rowid) FILTER (WHERE {unfit}) "  # noqa: S608
            f"FROM {named(table)}"
        )[0]
        if count == 0 or count > (1 - nearly) * total:
            continue
        value, part, line = engine.rows(
            f"SELECT {column}, _part, _n FROM {named(table)} WHERE rowid = ?",  # noqa: S608
            [place],
        )[0]
        yield _nearly(slot, form, count, total, str(value), _place(parts, loaded, int(part), line, place))


def _nearly(slot: Slot, form: Form, count: int, total: int, value: str, place: str) -> str:
    one, many = _NOT[form.type]
    unfit = f"is not {one}" if count == 1 else f"are not {many}"
    return (
        f"{slot.name}: {count:,} of {total:,} values {unfit} "
        f"(first: {shorten(value)} at {place}): read as text; "
        f"to read as {form.type} and reject those rows write types: {{{slot.name}: {form.type}}}, "
        f"or, if {shorten(value)} means no value, missing: [{value[:40]!r}]"
    )


def _place(parts: Sequence[Part], loaded: Sequence[Loaded], part: int, line: int | None, place: int) -> str:
    if line is None:
        text, one = parts[part].text, loaded[part]
        line = lines_of(text, [place - one.start], one.rows, one.broken)[0] if text else place - one.start + 1
    return f"line {line}" if len(parts) == 1 else f"{parts[part].shown}:{line}"
