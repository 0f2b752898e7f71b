"""What a column of texts holds, found out from the texts alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.sources.form import Context, Form, Numbers, value_sql
from leadlight.sources.part import Cell, Kind
from leadlight.sources.times import Evidence, Order, order_sql, shape_of, shape_sql

MAX_SHAPES = 200
"""A column with more shapes than this is not one of times."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The form that fits all values; for text, also the form that fits most of them, if nearly all."""

    form: Form
    nearly: Form | None = None
    ambiguous: bool = False
    """Times whose day and month cannot be told apart by these values alone, or that mix two orders."""


@dataclass(frozen=True, slots=True)
class Dates:
    """What the user has told about times: an order, a strptime format, or that they are unix numbers."""

    order: Order | None = None
    format: str | None = None
    unix: bool = False

    @classmethod
    def parse(cls, told: str | None) -> Dates:
        """Read the `dates` of a source.

        >>> Dates.parse("day_first").order, Dates.parse("%d.%m.%y").format
        (<Order.DAY_FIRST: 'day_first'>, '%d.%m.%y')
        """
        if told is None:
            return cls()
        if told in set(Order):
            return cls(order=Order(told))
        return cls(unix=True) if told == "unix" else cls(format=told)


def guess(
    engine: DuckDBEngine, table: str, column: str, kind: Kind, *, dates: Dates, context: Context, nearly: float
) -> Guess:
    """Find the form of a column of trimmed texts: number, bool, time or else text.

    `nearly` is the share of values from which a form that does not fit all is worth a note.
    """
    total, digits, bools = _count(engine, table, column, [_with_digit(column), _sql(column, Form(Type.BOOL), context)])
    if total == 0:
        return Guess(Form(Type.TEXT, unseen=True))
    if kind is Kind.ANY and bools == total:
        return Guess(Form(Type.BOOL))
    if kind is Kind.FIXED or digits < nearly * total:  # neither numbers nor times
        return Guess(Form(Type.TEXT), nearly=Form(Type.BOOL) if kind is Kind.ANY and bools >= nearly * total else None)
    forms = _number_forms(context) if kind is Kind.ANY else []
    counts = []
    for form in forms:
        counts += _count(engine, table, column, [_sql(column, form, context)])[1:]
        if counts[-1] == total:
            return Guess(form)
    best = max(zip(counts, forms, strict=True), key=lambda pair: pair[0], default=(0, Form(Type.TEXT)))
    return _guess_time(engine, table, column, total, best, dates=dates, context=context, nearly=nearly)


def _with_digit(column: str) -> str:
    return f"CASE WHEN regexp_matches({column}, '[0-9]') THEN 1 END"


def _number_forms(context: Context) -> list[Form]:
    plain = [Form(Type.NUMBER)] if context.decimal == "." else []
    return [*plain, Form(Type.NUMBER, numbers=Numbers.LOOSE)]


def _guess_time(
    engine: DuckDBEngine, table: str, column: str, total: int, best: tuple[int, Form],
    *, dates: Dates, context: Context, nearly: float,
) -> Guess:  # fmt: skip
    for told in [dates] if dates.format is None else [dates, Dates()]:  # a format is for the columns that it fits
        form, ambiguous = time_form(engine, table, column, told)
        if form is None:
            continue
        count = _count(engine, table, column, [_sql(column, form, context)])[1]
        if count == total or ambiguous:
            return Guess(form, ambiguous=ambiguous)
        best = max(best, (count, form), key=lambda pair: pair[0])
    return Guess(Form(Type.TEXT), nearly=best[1] if best[0] >= nearly * total else None)


def time_form(engine: DuckDBEngine, table: str, column: str, dates: Dates) -> tuple[Form | None, bool]:
    """Find the formats of a column's times from their shapes; None when few are times. The flag says: ambiguous."""
    if dates.format is not None:
        return Form(Type.TIME, formats=(dates.format,), iso=False), False
    shapes = engine.rows(
        f"SELECT min({column}), count(*) FROM {table} WHERE {column} IS NOT NULL AND length({column}) < 60 "  # noqa: S608
        f"GROUP BY {shape_sql(column)} ORDER BY count(*) DESC LIMIT {MAX_SHAPES}"
    )
    found = [shape for example, _ in shapes if (shape := shape_of(str(example), dates.order)) is not None]
    if not found or len(shapes) == MAX_SHAPES:
        return None, False
    ambiguous = any(shape.ambiguous for shape in found)
    if ambiguous:
        order = evidence(engine, table, column).order
        ambiguous = order is None
        found = [shape for example, _ in shapes if (shape := shape_of(str(example), order)) is not None]
    formats = tuple(sorted({form for shape in found for form in shape.formats}))
    return Form(Type.TIME, formats=formats, iso=any(shape.iso for shape in found)), ambiguous


def evidence(engine: DuckDBEngine, table: str, column: str) -> Evidence:
    """Collect what a column of texts says about the order of day and month: a number above 12 is a day."""
    return Evidence(*engine.rows(f"SELECT {order_sql(column)} FROM {table}")[0])  # noqa: S608


def _sql(column: str, form: Form, context: Context) -> str:
    return value_sql(Cell(Kind.ANY, column), column, form, context)


def _count(engine: DuckDBEngine, table: str, column: str, values: list[str]) -> list[int]:
    wanted = ", ".join(f"count({value})" for value in [column, *values])
    return [int(count) for count in engine.rows(f"SELECT {wanted} FROM {table}")[0]]  # noqa: S608


def widen(form: Form, more: Form) -> Form | None:
    """Return the form that fits what either fits; None when that is only text.

    >>> widen(Form(Type.NUMBER), Form(Type.NUMBER, numbers=Numbers.LOOSE)).numbers
    <Numbers.LOOSE: 'loose'>
    >>> widen(Form(Type.NUMBER), Form(Type.BOOL)) is None
    True
    """
    if form.unseen:
        return replace(more, required=form.required)
    if form.type is not more.type or form.type is Type.TEXT or form == more:
        return None
    if form.type is Type.NUMBER:
        return replace(form, numbers=Numbers.LOOSE) if form.numbers is Numbers.PLAIN else None
    if form.type is not Type.TIME or form.unix:
        return None
    wide = replace(form, formats=tuple(sorted({*form.formats, *more.formats})), iso=form.iso or more.iso)
    return wide if wide != form else None
