"""What a source's values break of its contract: each with a count, the first value and where it stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import MAX_CHOICES_SHOWN, Fault, shorten
from leadlight.expr.types import Type
from leadlight.sources.contract import (
    PREFIX,
    ColumnFound,
    constant,
    described,
    headers_by_column,
    meaning,
    missing_faults,
    nearest_header,
)
from leadlight.sources.form import Context, Form, Numbers, value_sql
from leadlight.sources.guess import Dates, time_form
from leadlight.sources.layout import headers_of
from leadlight.sources.lines import lines_of
from leadlight.sources.load import Loaded
from leadlight.sources.numbers import any_number
from leadlight.sources.part import Cell, Kind, Part, named, quoted
from leadlight.spec.contract import ColumnContract, SourceContract
from leadlight.spec.models import SourceSpec

NOUNS = {Type.NUMBER: "numbers", Type.TIME: "times", Type.BOOL: "true or false (nor yes, no, 1, 0)"}


@dataclass(frozen=True, slots=True)
class Rows:
    """A source's rows in a staging table, and what is needed to say where one stands."""

    engine: DuckDBEngine
    table: str
    parts: Sequence[Part]
    loaded: Sequence[Loaded]
    unmeant: str
    """SQL for: `where` leaves this row out."""
    dates: Dates
    context: Context
    others: Mapping[str, str]
    """Header → column in the table, of the columns that were read by themselves."""

    @property
    def meant(self) -> str:
        """SQL for: this row is one, and is meant."""
        return f"(_bad IS NULL OR len(_bad) > 0) AND NOT {self.unmeant}"


@dataclass(frozen=True, slots=True)
class Held:
    """A source held against its contract: each column, and all that is broken."""

    columns: tuple[ColumnFound, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """A column that is there, and the SQL of its text and value."""

    column: str
    header: str
    said: ColumnContract
    value: str

    @property
    def text(self) -> str:
        return named(PREFIX + self.column)

    @property
    def breaches(self) -> dict[str, str]:
        """What a value may break → SQL for: it does."""
        said, value = self.said, self.value
        found = {"type": f"{self.text} IS NOT NULL AND {value} IS NULL"}
        if said.allowed is not None:
            found["allowed"] = f"{value} IS NOT NULL AND {value} NOT IN ({_list(said.allowed)})"
        if said.min is not None:
            found["min"] = f"{value} < {said.min!r}"
        if said.max is not None:
            found["max"] = f"{value} > {said.max!r}"
        return found


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one pass over the rows says about a column: counts, and the first row of each breach."""

    rows: int
    present: int
    distinct: int | None
    counts: Mapping[str, int]
    first: Mapping[str, int] = field(default_factory=dict)
    decimal: int = 0
    """How many of the misfits are numbers with a comma for the decimal mark."""


def held_against(source: str, spec: SourceSpec, contract: SourceContract, rows: Rows) -> Held:
    """Hold every column of a source against its contract; one pass over the rows, and all faults at once.

    What breaks a required column, or gives a column another type, is an error; anything else is a warning.
    """
    headers = headers_of(rows.parts)
    found = headers_by_column(spec, contract, headers)
    alike = _alike(rows, contract, found)
    faults = missing_faults(source, spec, contract, headers, rows.parts[0].shown, alike)
    looks = [
        _Look(column, header, contract.columns[column], _value(rows, contract.columns[column], PREFIX + column))
        for column, header in found.items()
        if header is not None
    ]
    facts = _facts(rows, looks)
    columns = {column: described(source, column, contract.columns[column], header) for column, header in found.items()}
    free = [header for header in headers if header not in found.values()]
    for column in (column for column, header in found.items() if header is None):
        fixed = constant(spec, column, contract.columns[column])
        near = None if fixed is not None else alike.get(column) or nearest_header(column, free)
        columns[column] = replace(columns[column], nearest=near, constant=fixed)
    for look, fact in zip(looks, facts, strict=True):
        broken = list(_faults(rows, spec, look, fact))
        faults += broken
        share = None if not fact.rows else 1 - fact.present / fact.rows
        columns[look.column] = replace(columns[look.column], missing=share, faults=len(broken))
    return Held(tuple(columns.values()), tuple(faults))


def _alike(rows: Rows, contract: SourceContract, found: Mapping[str, str | None]) -> dict[str, str]:
    """Return, for columns without a header whose values are listed, the header that has such values only."""
    free = {header: column for header, column in rows.others.items() if header not in found.values()}
    wanted = [
        (column, header, f"coalesce(bool_and({named(text)}::VARCHAR IN ({_list(map(str, said.allowed))})), false)")
        for column, said in contract.columns.items()
        if found[column] is None and said.allowed
        for header, text in free.items()
    ]
    if not wanted:
        return {}
    query = f"SELECT {', '.join(sql for *_, sql in wanted)} FROM {named(rows.table)} WHERE {rows.meant}"  # noqa: S608
    answers = zip(wanted, rows.engine.rows(query)[0], strict=True)
    return {column: header for (column, header, _), holds in answers if holds}


def _value(rows: Rows, said: ColumnContract, column: str) -> str:
    """Return SQL for the value of a column's text, null where it is none."""
    text = named(column)
    if said.kind is Type.TEXT:
        return text
    form = Form(said.kind, required=True, numbers=Numbers.ANY)
    if said.kind is Type.TIME:
        found, ambiguous = time_form(rows.engine, named(rows.table), text, rows.dates)
        if ambiguous:  # the reader says so itself
            return text
        form = replace(found or form, unix=rows.dates.unix)
    return value_sql(Cell(Kind.ANY, text), text, form, rows.context)


def _list(values: Iterable[str | float]) -> str:
    """Write values as SQL, with commas between."""
    return ", ".join(quoted(value) if isinstance(value, str) else repr(value) for value in values)


# --------------------------------------------------------------------------------------------------- the pass itself


def _facts(rows: Rows, looks: Sequence[_Look]) -> list[_Facts]:
    picks = ["count(*)"]
    for look in looks:
        picks.append(f"count({look.text})")
        picks.append(f"count(DISTINCT {look.text})" if look.said.unique else "NULL")
        comma = any_number(look.text, ",") if look.said.kind is Type.NUMBER else "NULL"
        picks.append(f"count(*) FILTER ({look.breaches['type']} AND {comma} IS NOT NULL)")
        for broken in look.breaches.values():
            picks += [f"count(*) FILTER ({broken})", f"min(rowid) FILTER ({broken})"]
    query = f"SELECT {', '.join(picks)} FROM {named(rows.table)} WHERE {rows.meant}"  # noqa: S608
    total, *values = rows.engine.rows(query)[0]
    found = iter(values)
    return [_one(int(total), look, found) for look in looks]


def _one(total: int, look: _Look, found: Iterator[Any]) -> _Facts:
    present, distinct, decimal = int(next(found)), next(found), int(next(found))
    counts, first = {}, {}
    for kind in look.breaches:
        counts[kind], place = int(next(found)), next(found)
        if place is not None:
            first[kind] = int(place)
    return _Facts(total, present, distinct, counts, first, decimal)


# ------------------------------------------------------------------------------------------------------ what is broken


def _faults(rows: Rows, spec: SourceSpec, look: _Look, fact: _Facts) -> Iterator[Fault]:
    wrong: Literal["error", "warning"] = "error" if look.said.required else "warning"
    for kind, place in sorted(fact.first.items(), key=lambda item: item[1]):
        file, line, value = _place(rows, look, place)
        severity = wrong
        if kind == "type":
            severity = "error" if fact.counts["type"] > spec.reject_limit * fact.rows else "warning"
        yield Fault(_broken(kind, look, fact, value), file, line, path=look.header, severity=severity)
    if fact.distinct is not None and fact.distinct < fact.present:
        yield _repeated(rows, look, fact, wrong)
    if fact.rows:
        yield from _too_few(rows, look, fact, wrong)


def _broken(kind: str, look: _Look, fact: _Facts, value: str) -> str:
    """Say how many values break what, and what can be done."""
    count, said = fact.counts[kind], look.said
    shown = f"{count:,} of {fact.present:,} values"
    if kind == "type":
        return f"{shown} are not {NOUNS[said.kind]}: the first is {shorten(value)}; {_type_fix(look, fact, value)}"
    if kind == "allowed":
        return f"{shown} are none of those allowed: the first is {shorten(value)}; {_allowed_fix(said, value)}"
    bound = f"below {said.min:g}" if kind == "min" else f"above {said.max:g}"
    return f"{shown} are {bound}: the first is {shorten(value)}; put them right in the file, or {kind} in contract.yaml"


def _type_fix(look: _Look, fact: _Facts, value: str) -> str:
    if fact.decimal and fact.decimal == fact.counts["type"]:
        return "if the comma is the decimal mark, write `decimal: ','` for the source in leadlight.yaml"
    others = f"or leave the column out: `drop: [{look.header}]`" if not look.said.required else "or put them right"
    if look.said.kind is Type.TIME and any(char.isdigit() for char in value):
        return f"say how times are written, as in `dates: day_first` or `dates: '%d.%m.%Y'`, {others}"
    return f"if that means no value, write `missing: [{shorten(value)}]` for the source in leadlight.yaml, {others}"


def _allowed_fix(said: ColumnContract, value: str) -> str:
    allowed = [str(one) for one in said.allowed or []]
    folded = {one.casefold(): one for one in allowed}
    near = difflib.get_close_matches(value.casefold(), folded, n=1, cutoff=0.4)
    shown = ", ".join(map(shorten, allowed[:MAX_CHOICES_SHOWN])) + (", …" if len(allowed) > MAX_CHOICES_SHOWN else "")
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    return f"{hint}Allowed: {shown}. Write it so in the file, or allow it in contract.yaml and give it points"


def _repeated(rows: Rows, look: _Look, fact: _Facts, severity: Literal["error", "warning"]) -> Fault:
    value, count, place = rows.engine.rows(
        f"SELECT {look.text}, count(*), min(rowid) FROM {named(rows.table)} "  # noqa: S608
        f"WHERE {rows.meant} AND {look.text} IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 3 LIMIT 1"
    )[0]
    file, line, _ = _place(rows, look, int(place))
    more = fact.present - (fact.distinct or 0)
    message = (
        f"{more:,} of {fact.present:,} rows repeat a value that must come once: {shorten(value)} comes {count:,} "
        "times, here first; keep one row of each, or choose with `where` which rows are meant"
    )
    return Fault(message, file, line, path=look.header, severity=severity)


def _too_few(rows: Rows, look: _Look, fact: _Facts, severity: Literal["error", "warning"]) -> Iterator[Fault]:
    share, most = 1 - fact.present / fact.rows, look.said.missing_at_most
    file = rows.parts[0].shown
    if most is not None and share > most:
        message = f"{share:.1%} of {fact.rows:,} rows have no value, {most:.0%} may; {_means(look)}"
        yield Fault(message, file, path=look.header, severity=severity)
    elif look.said.required and not fact.present:
        message = f"no row has a value, and it is needed; {_means(look)}"
        yield Fault(message, file, path=look.header)


def _means(look: _Look) -> str:
    return f"it is {meaning(look.said)}"


def _place(rows: Rows, look: _Look, place: int) -> tuple[str, int, str]:
    """Return the file and line of a row, and its text in a column."""
    index, line, value = rows.engine.rows(
        f"SELECT _part, _n, {look.text} FROM {named(rows.table)} WHERE rowid = {place}"  # noqa: S608
    )[0]
    part, loaded = rows.parts[int(index)], rows.loaded[int(index)]
    if line is None and part.text is not None:
        line = lines_of(part.text, [place - loaded.start], loaded.rows, loaded.broken)[0]
    return part.shown, int(line if line is not None else place - loaded.start + 1), str(value)
