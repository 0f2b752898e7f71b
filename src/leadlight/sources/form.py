"""How the cells of a column become values: a form, and the SQL it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from leadlight.expr.types import Type
from leadlight.sources.numbers import any_number, loose_number, plain_number
from leadlight.sources.part import TEXTS, Cell, Kind, quoted
from leadlight.sources.times import in_range, naive, time_sql, unix_sql

MAX_EXACT = 2**53


class Numbers(StrEnum):
    """How a column writes its numbers."""

    PLAIN = "plain"
    LOOSE = "loose"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for a whole source: missing words, decimal mark, and whether times without zone are UTC."""

    missing: tuple[str, ...] = ()
    decimal: str = "."
    utc: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """A type and the way it is written. Values that do not fit a required form are rejected; others change the form."""

    type: Type
    required: bool = False
    numbers: Numbers = Numbers.PLAIN
    formats: tuple[str, ...] = ()
    iso: bool = True
    unix: bool = False
    unseen: bool = False
    """No value has been seen yet: any value at all makes the column be looked at again."""


def text_sql(cell: Cell, context: Context) -> str:
    """Return SQL for a cell as trimmed text, null where it is blank or one of the missing words."""
    text = f"trim({cell.sql})" if cell.kind in TEXTS else _native_text(cell)
    text = f"nullif({text}, '')"
    if context.missing and cell.kind in TEXTS:
        text = f"CASE WHEN {text} NOT IN ({', '.join(map(quoted, context.missing))}) THEN {text} END"
    return text


def _native_text(cell: Cell) -> str:
    """Return SQL that writes a native value as text: whole numbers without a point, NaN as nothing."""
    if cell.kind is Kind.NUMBER:
        whole = f"{cell.sql} = floor({cell.sql}) AND abs({cell.sql}) < 1e15"
        return (
            f"CASE WHEN isnan({cell.sql}) THEN NULL WHEN {whole} THEN CAST(CAST({cell.sql} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({cell.sql} AS VARCHAR) END"
        )
    return f"CAST({cell.sql} AS VARCHAR)"


def value_sql(cell: Cell, text: str, form: Form, context: Context) -> str:
    """Return SQL for a cell's value in the form; `text` names its trimmed text. Null where it does not fit."""
    if form.type is Type.TEXT:
        return text
    if cell.kind in TEXTS:
        return _from_text(text, form, context)
    return _from_native(cell, text, form, context)


def _from_text(text: str, form: Form, context: Context) -> str:
    if form.type is Type.NUMBER:
        return _number(text, form, context)
    if form.type is Type.BOOL:
        return _bool(text, required=form.required)
    if form.unix:
        return unix_sql(f"TRY_CAST({text} AS DOUBLE)")
    return time_sql(text, form.formats, iso=form.iso, utc=context.utc)


def _number(text: str, form: Form, context: Context) -> str:
    if form.numbers is Numbers.ANY:
        return any_number(text, context.decimal)
    loose = loose_number(text, context.decimal)
    if context.decimal == ",":
        return loose
    plain = plain_number(text)
    return plain if form.numbers is Numbers.PLAIN else f"coalesce({plain}, {loose})"


def _bool(text: str, *, required: bool) -> str:
    """Return SQL for true/false and yes/no; where a bool is required also for 1/0, t/f and y/n."""
    true, false = (["true", "yes"], ["false", "no"])
    if required:
        true, false = ([*true, "1", "1.0", "t", "y"], [*false, "0", "0.0", "f", "n"])
    lower = f"lower({text})"
    yes, no = (", ".join(map(quoted, words)) for words in (true, false))
    return f"CASE WHEN {lower} IN ({yes}) THEN true WHEN {lower} IN ({no}) THEN false END"


def _from_native(cell: Cell, text: str, form: Form, context: Context) -> str:
    if form.type is Type.NUMBER:
        return _native_number(cell)
    if form.type is Type.TIME:
        return _native_time(cell, form, context)
    return cell.sql if cell.kind is Kind.BOOL else _bool(text, required=True)


def _native_number(cell: Cell) -> str:
    if cell.kind is Kind.INTEGER:
        return f"CASE WHEN {cell.sql} BETWEEN -{MAX_EXACT} AND {MAX_EXACT} THEN CAST({cell.sql} AS DOUBLE) END"
    if cell.kind is Kind.NUMBER:
        return f"CASE WHEN isfinite({cell.sql}) THEN CAST({cell.sql} AS DOUBLE) END"
    return f"CAST({cell.sql} AS DOUBLE)" if cell.kind is Kind.BOOL else "CAST(NULL AS DOUBLE)"


def _native_time(cell: Cell, form: Form, context: Context) -> str:
    if cell.kind is Kind.TIME and context.utc:
        return in_range(cell.sql)
    if cell.kind in {Kind.TIME, Kind.ZONED}:
        return in_range(naive(f"CAST({cell.sql} AS TIMESTAMPTZ)", utc=context.utc))
    if form.unix and cell.kind in {Kind.INTEGER, Kind.NUMBER}:
        return unix_sql(f"CAST({cell.sql} AS DOUBLE)")
    return "CAST(NULL AS TIMESTAMP)"


def reason_sql(text: str, form: Form) -> str:
    """Return SQL that says why a text does not fit a required form; an empty text stands for no value."""
    why = {
        Type.TEXT: "'is empty'",
        Type.BOOL: "'is not true or false (nor yes, no, 1, 0)'",
        Type.NUMBER: f"CASE WHEN TRY_CAST({text} AS DOUBLE) IS NULL THEN 'is not a number' ELSE 'is not finite' END",
        Type.TIME: f"CASE WHEN {_some_time(text, form)} THEN 'is outside the years 1678 to 2261' "
        "ELSE 'is not a time' END",
    }[form.type]
    return f"CASE WHEN {text} = '' THEN 'is empty' ELSE {why} END"


def _some_time(text: str, form: Form) -> str:
    """Return SQL for whether a text is a time at all, of whatever year."""
    if form.unix:
        return f"TRY_CAST({text} AS DOUBLE) IS NOT NULL"
    tries = [f"TRY_CAST({text} AS TIMESTAMPTZ)"] if form.iso or not form.formats else []
    tries += [f"CAST(try_strptime({text}, {quoted(single)}) AS TIMESTAMPTZ)" for single in form.formats]
    return f"coalesce({', '.join(tries)}) IS NOT NULL" if len(tries) > 1 else f"{tries[0]} IS NOT NULL"
