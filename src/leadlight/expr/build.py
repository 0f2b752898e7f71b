"""Bricks of SQL trees: every statement Leadlight runs is built from these, never pasted together from text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise

from sqlglot import exp

from leadlight.expr.dialects import fit
from leadlight.expr.types import Type

Sql = exp.Expr
"""Any piece of an SQL tree."""

MICROSECONDS_A_DAY = 86_400_000_000
LONGEST_SUM = 50
"""How many values a sum has without brackets; DuckDB parses no expression deeper than 1,000."""


def col(name: str, table: str | None = None) -> exp.Column:
    """Name a column, always quoted.

    >>> col("at", "e").sql()
    '"e"."at"'
    """
    return exp.column(name, table=table, quoted=True)


def number(value: float) -> Sql:
    """Write a number so that every dialect reads back the same double.

    >>> number(5.0).sql(), number(-0.25).sql()
    ('5', '-0.25')
    """
    if value < 0:
        return exp.Neg(this=number(-value))
    if value == int(value) and value < 1e9:
        return exp.Literal.number(str(int(value)))
    digits = repr(float(value))
    # A literal with a point is a decimal in most dialects; long ones would lose digits, an exponent makes them doubles.
    return exp.Literal.number(digits if "e" in digits or len(digits) <= 15 else digits + "e0")


def text(value: str) -> exp.Literal:
    """Write a text literal; the dialect escapes it.

    >>> text("it's").sql()
    "'it''s'"
    """
    return exp.Literal.string(value)


def moment(value: datetime) -> exp.Cast:
    """Write a moment (naive UTC) as a timestamp literal, to the microsecond.

    >>> moment(datetime(2026, 1, 31)).sql("duckdb")
    "CAST('2026-01-31 00:00:00' AS TIMESTAMP)"
    """
    return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), exp.DType.TIMESTAMP)


def double(value: Sql) -> exp.Cast:
    """Make a value a 64-bit float."""
    return exp.cast(value, exp.DType.DOUBLE)


def read_as(value: Sql, kind: Type) -> Sql:
    """Read a text that holds a value of this type."""
    if kind is Type.TEXT:
        return value
    types = {Type.NUMBER: exp.DType.DOUBLE, Type.BOOL: exp.DType.BOOLEAN, Type.TIME: exp.DType.TIMESTAMP}
    return exp.cast(value, types[kind])


def earlier(at: Sql, by: timedelta) -> Sql:
    """Return the moment that lies a duration before another; folded where that is a literal.

    >>> earlier(moment(datetime(2026, 1, 31)), timedelta(days=30)).sql("duckdb")
    "CAST('2026-01-01 00:00:00' AS TIMESTAMP)"
    """
    if isinstance(at, exp.Cast) and isinstance(at.this, exp.Literal):
        try:
            return moment(datetime.fromisoformat(at.this.name) - by)
        except OverflowError:  # the window reaches back beyond year 1: everything lies in it
            return moment(datetime.min)  # noqa: DTZ901
    seconds, microseconds = by // timedelta(seconds=1), by.microseconds
    unit, count = ("MICROSECOND", by // timedelta(microseconds=1)) if microseconds else ("SECOND", seconds)
    return exp.Sub(this=at, expression=exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit)))


def constant(value: str | bool | int | float, kind: Type) -> Sql:
    """Write a key of a map by a feature's values as a value of the feature's type."""
    if kind is Type.BOOL:
        return exp.true() if value else exp.false()
    return number(float(value)) if kind is Type.NUMBER else text(str(value))


def later(at: Sql, by: timedelta) -> Sql:
    """Return the moment that lies a duration after another.

    >>> print(later(col("opened_at"), timedelta(hours=4)).sql("duckdb"))
    "opened_at" + INTERVAL '14400' SECOND
    """
    seconds, microseconds = by // timedelta(seconds=1), by.microseconds
    unit, count = ("MICROSECOND", by // timedelta(microseconds=1)) if microseconds else ("SECOND", seconds)
    return exp.Add(this=at, expression=exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit)))


def days_between(start: Sql, end: Sql) -> Sql:
    """Return the days from one moment to another as a double, exact to the microsecond."""
    micros = exp.DateDiff(this=end, expression=start, unit=exp.var("MICROSECOND"))
    return exp.Div(this=double(micros), expression=number(MICROSECONDS_A_DAY), typed=False, safe=False)


def decay(age: Sql, half_life: timedelta) -> Sql:
    """Return 2^(-age / half-life) for an age in days, continuous in time; about 1,000 half-lives on it is 0."""
    rate = number(-0.6931471805599453 / (half_life / timedelta(days=1)))
    power = exp.Mul(this=age, expression=exp.Paren(this=rate))
    return exp.Exp(this=power)


NONE = exp.Literal.number("0e0")
"""0 as a double: sums with it stay doubles, which is what engines add up fastest."""


def case(branches: Iterable[tuple[Sql, Sql]], otherwise: Sql | None = None) -> Sql:
    """Return CASE WHEN … END; without branches, what is otherwise."""
    ifs = [exp.If(this=condition, true=value) for condition, value in branches]
    if not ifs:
        return otherwise if otherwise is not None else exp.Null()
    return exp.Case(ifs=ifs, default=otherwise)


def both(*conditions: Sql | None) -> Sql | None:
    """Join conditions by AND, leaving out None; None when nothing is left."""
    kept = [_bracketed(condition) for condition in conditions if condition is not None]
    return reduce(lambda a, b: exp.And(this=a, expression=b), kept) if kept else None


def one_of(column: Sql, values: list[str]) -> Sql:
    """Return whether a text column has one of these values.

    DuckDB 2.0 turns IN into a join or a chain of ORs, which cost more than such a filter saves; CASE stays in the
    scan.
    """
    if len(values) == 1:
        return equals(column, text(values[0]))
    ifs = [exp.If(this=text(value), true=exp.true()) for value in values]
    return exp.Case(this=column, ifs=ifs, default=exp.false())


def either(*conditions: Sql) -> Sql:
    """Join conditions by OR."""
    return reduce(lambda a, b: exp.Or(this=a, expression=b), [_bracketed(condition) for condition in conditions])


def total(values: Iterable[Sql]) -> Sql:
    """Return the sum of values; 0 for none.

    Long sums are made of shorter ones in brackets: engines limit how deep an expression may be.
    """
    items = list(values)
    while len(items) > LONGEST_SUM:
        parts = [items[start : start + LONGEST_SUM] for start in range(0, len(items), LONGEST_SUM)]
        items = [exp.Paren(this=_sum(part)) for part in parts]
    return _sum(items) if items else number(0)


def _sum(items: list[Sql]) -> Sql:
    return reduce(lambda a, b: exp.Add(this=a, expression=b), items)


def product(values: Iterable[Sql]) -> Sql:
    """Return the product of values; 1 for none."""
    items = list(values)
    return reduce(lambda a, b: exp.Mul(this=a, expression=b), items) if items else number(1)


def clip(value: Sql, low: float | None, high: float | None) -> Sql:
    """Limit a value that is never null; None is no limit."""
    if low is not None:
        value = exp.Greatest(this=value, expressions=[number(low)], ignore_nulls=True)
    return exp.Least(this=value, expressions=[number(high)], ignore_nulls=True) if high is not None else value


def or_zero(value: Sql) -> Sql:
    """Return 0 where the value is missing."""
    return exp.Coalesce(this=value, expressions=[number(0)])


def equals(left: Sql, right: Sql) -> Sql:
    """Return left = right."""
    return exp.EQ(this=left, expression=right)


def interpolate(x: Sql, xs: list[float], ys: list[float]) -> Sql:
    """Return straight lines between points (xs rise), flat beyond the ends."""
    branches: list[tuple[Sql, Sql]] = [(exp.LTE(this=x.copy(), expression=number(xs[0])), number(ys[0]))]
    for (x0, x1), (y0, y1) in zip(pairwise(xs), pairwise(ys), strict=True):
        share = exp.Paren(this=exp.Sub(this=x.copy(), expression=number(x0)))
        slope = exp.Mul(this=share, expression=number((y1 - y0) / (x1 - x0)))
        line = exp.Add(this=number(y0), expression=slope)
        branches.append((exp.LTE(this=x.copy(), expression=number(x1)), line))
    return double(case(branches, number(ys[-1])))


def _bracketed(condition: Sql) -> Sql:
    return exp.Paren(this=condition) if isinstance(condition, exp.Connector) else condition


TIMESTAMPS: Mapping[str, str] = {
    "clickhouse": "DateTime64(6)",
    "trino": "TIMESTAMP(6)",
    "spark": "TIMESTAMP_NTZ",
    "databricks": "TIMESTAMP_NTZ",
}
"""Dialects whose plain TIMESTAMP would lose microseconds or apply a zone."""


def to_text(tree: Sql, dialect: str, *, pretty: bool = False) -> str:
    """Print a tree in a dialect, every identifier quoted."""
    kind = TIMESTAMPS.get(dialect)
    if kind is not None:
        wanted = exp.DataType.build(kind, dialect=dialect)
        wanted.set("nullable", False)
        tree = tree.transform(
            lambda node: wanted.copy() if isinstance(node, exp.DataType) and node.is_type(exp.DType.TIMESTAMP) else node
        )
    printed = fit(tree, dialect).sql(dialect=dialect, identify=True, pretty=pretty)
    return f"{printed}\nSETTINGS join_use_nulls = 1" if dialect == "clickhouse" else printed
