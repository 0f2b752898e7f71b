"""From our tree to SQL that gives the same value in every engine.

What each operator and function means, in every dialect:

* Numbers are doubles. `/` is true division. Division and remainder by zero are missing, as are ln of what is not
  above zero, sqrt of what is below, and powers that are no real number.
* Too large a result is missing, one too near zero is zero. Where a result could leave the range of doubles, operands
  beyond 1e100 in size are missing and those within 1e-100 of zero are zero (see `magnitude`).
* `x % y` is x - y * (x / y cut to a whole number): it has the sign of x; missing where x / y reaches 2^53.
* round(x, n) goes away from zero at the half: sign(x) * floor(|x| * 10^n + 0.5) / 10^n.
* exp(x) is missing above 690 and 0 below -690; power(x, y) is missing above 1e100 and 0 below 1e-100 in size.
* least, greatest and concat leave out what is missing; `||` and every other function is missing when an argument is.
* length and substr count characters (code points), from 1. trim removes spaces.
* like and ilike have no escape character unless ESCAPE names one. lower, upper and ilike go by the engine's own rules
  for letters beyond A to Z.
* contains_any(text, words, …) looks for whole words, in any case and with any accents; word_count counts words. What
  a word is, and how it is found, is said in `words`.
* weekday is 1 for Monday to 7 for Sunday. days_between(a, b) is the days from a to b with their fraction.
* try_cast(text as number) reads digits with an optional sign, point and exponent of two digits, and spaces around;
  everything else is missing.
* `is true` and `is false` are never missing; and, or, not, =, in and between follow SQL where something is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.expression import Expression
from leadlight.expr.magnitude import (
    ANYTHING,
    CAST,
    COUNT,
    DAYS,
    EXPONENTIAL,
    HELD,
    LIMIT,
    LOGARITHM,
    POWER,
    Size,
    size_of,
)
from leadlight.expr.pattern import matches
from leadlight.expr.words import count, has_any

MAX_NODES = 20_000
"""How many nodes copies may add: guards need their operand more than once, and nested guards multiply."""

ALL_WHOLE = 2.0**52
"""From here on every double is a whole number."""
MONDAY = datetime(2001, 1, 1)  # noqa: DTZ001 - all our times are naive UTC
NUMBER_PATTERN = "^[+-]?[0-9]{1,100}([.][0-9]{0,100})?([eE][+-]?[0-9]{1,2})?$"


class TooLargeError(Exception):
    """The SQL would be too large; raised by parse_expression as a problem, so no accepted expression meets it."""


def to_sql(expression: Expression, column: Callable[[str], Sql]) -> Sql:
    r"""Return a tree fit for any dialect, with each name replaced by `column(name)` (names come in lower case).

    It may stand as an operand anywhere. A condition that is null is left null; the caller decides what that means.

    >>> from leadlight.expr.parse import parse_condition
    >>> from leadlight.expr.types import Type
    >>> condition = parse_condition("Clicks > 5 and path like '/%'", {"clicks": Type.NUMBER, "path": Type.TEXT})
    >>> to_sql(condition, build.col).sql("postgres")
    '(("clicks" > 5) AND ("path" LIKE \'/%\'))'
    """
    return translate(expression.tree, column)


def translate(tree: exp.Expr, column: Callable[[str], Sql]) -> Sql:
    """Translate a checked tree. Raises TooLargeError."""
    return _Translator(column).all_numbers([tree])[0].sql


@dataclass(frozen=True, slots=True)
class _Value:
    """SQL that may stand as an operand without parentheses, and the size of its number."""

    sql: Sql
    size: Size = ANYTHING


@dataclass(slots=True)
class _Translator:
    column: Callable[[str], Sql]
    nodes: int = 0

    def value(self, node: exp.Expr) -> _Value:
        """Translate a node."""
        return _RULES[type(node)](self, node)

    def sql(self, node: exp.Expr) -> Sql:
        """Translate a node whose size does not matter."""
        return self.value(node).sql

    def copy(self, sql: Sql) -> Sql:
        """Return a copy, within the budget."""
        self.nodes += sum(1 for _ in sql.walk())
        if self.nodes > MAX_NODES:
            raise TooLargeError
        return sql.copy()

    def all_numbers(self, nodes: Sequence[exp.Expr]) -> list[_Value]:
        """Translate values that stand together; if all are literals they are made doubles, lest 5 / 2 be 2."""
        values = [self.value(node) for node in nodes]
        if not all(_is_number_literal(node) for node in nodes):
            return values
        return [_Value(build.double(value.sql), value.size) for value in values]

    def held(self, value: _Value) -> _Value:
        """Hold a number to sizes from 1e-100 to 1e100; beyond it is missing, below it is zero."""
        if value.size.low >= -HELD and value.size.high <= HELD:
            return value
        branches: list[tuple[Sql, Sql]] = []
        if value.size.low < -HELD:
            branches.append((exp.LT(this=_abs(self.copy(value.sql)), expression=_power_of_ten(-HELD)), build.number(0)))
        if value.size.high > HELD:
            branches.append((exp.LTE(this=_abs(self.copy(value.sql)), expression=_power_of_ten(HELD)), value.sql))
            made = build.case(branches)
        else:
            made = build.case(branches, value.sql)
        return _Value(made, Size(max(value.size.low, -HELD), min(value.size.high, HELD)))

    # ----------------------------------------------------------------------------------------------------- leaves

    def _literal(self, node: exp.Expr) -> _Value:
        if isinstance(node, exp.Literal) and not node.is_string:
            return _Value(node.copy(), size_of(float(node.name)))
        return _Value(node.copy())

    def _column(self, node: exp.Expr) -> _Value:
        return _Value(self.column(node.name))

    # ------------------------------------------------------------------------------------------------- conditions

    def _chain(self, node: exp.Expr) -> _Value:
        return _Value(_paren(type(node)(this=self.sql(node.this), expression=self.sql(node.args["expression"]))))

    def _not(self, node: exp.Expr) -> _Value:
        return _Value(_paren(exp.Not(this=self.sql(node.this))))

    def _comparison(self, node: exp.Expr) -> _Value:
        left, right = self.all_numbers([node.this, node.args["expression"]])
        return _Value(_paren(type(node)(this=left.sql, expression=right.sql)))

    def _between(self, node: exp.Expr) -> _Value:
        value, low, high = self.all_numbers([node.this, node.args["low"], node.args["high"]])
        return _Value(_paren(exp.Between(this=value.sql, low=low.sql, high=high.sql)))

    def _in(self, node: exp.Expr) -> _Value:
        value, *items = self.all_numbers([node.this, *node.expressions])
        return _Value(_paren(exp.In(this=value.sql, expressions=[item.sql for item in items])))

    def _is(self, node: exp.Expr) -> _Value:
        value, constant = self.sql(node.this), node.args["expression"]
        if isinstance(constant, exp.Null):
            return _Value(_paren(exp.Is(this=value, expression=exp.Null())))
        wanted = value if constant.this else exp.Not(this=value)
        return _Value(exp.Coalesce(this=wanted, expressions=[exp.false()]))

    def _like(self, node: exp.Expr) -> _Value:
        return self._pattern(node, None)

    def _escape(self, node: exp.Expr) -> _Value:
        return self._pattern(node.this, node.args["expression"].name)

    def _pattern(self, node: exp.Expr, escape: str | None) -> _Value:
        value = self.sql(node.this)
        if isinstance(node, exp.Like):
            return _Value(_paren(matches(value, node.args["expression"].name, escape)))
        like = matches(exp.Lower(this=value), node.args["expression"].name, escape)
        like.set("expression", exp.Lower(this=like.args["expression"]))
        return _Value(_paren(like))

    def _case(self, node: exp.Expr) -> _Value:
        ifs, default = node.args["ifs"], node.args.get("default")
        results = self._results([branch.args["true"] for branch in ifs] + ([default] if default is not None else []))
        subject = [node.this] if node.this is not None else []
        first, *_ = tests = self.all_numbers([*subject, *(branch.this for branch in ifs)])
        made = exp.Case(
            this=first.sql if subject else None,
            ifs=[
                exp.If(this=test.sql, true=result.sql)
                for test, result in zip(tests[len(subject) :], results, strict=False)
            ],
            default=results[-1].sql if default is not None else None,
        )
        return _Value(made, _joint(results))

    def _results(self, nodes: Sequence[exp.Expr]) -> list[_Value]:
        """Translate values of which one is taken; a lone null among number literals must not hide that they are."""
        numbers = self.all_numbers([node for node in nodes if not isinstance(node, exp.Null)])
        remaining = iter(numbers)
        return [_Value(exp.Null(), size_of(0)) if isinstance(node, exp.Null) else next(remaining) for node in nodes]

    # ------------------------------------------------------------------------------------------------- arithmetic

    def _sum(self, node: exp.Expr) -> _Value:
        left, right = self.all_numbers([node.this, node.args["expression"]])
        left, right = (self.held(side) if side.size.high > LIMIT else side for side in (left, right))
        size = left.size.plus(right.size)
        return _Value(_paren(type(node)(this=left.sql, expression=right.sql)), size)

    def _product(self, node: exp.Expr) -> _Value:
        left, right = self._operands(node, Size.times)
        return _Value(_paren(exp.Mul(this=left.sql, expression=right.sql)), left.size.times(right.size))

    def _quotient(self, node: exp.Expr) -> _Value:
        left, right = self._operands(node, Size.over)
        quotient = _divide(left.sql, _not_zero(right.sql))
        return _Value(_paren(quotient), left.size.over(right.size))

    def _operands(self, node: exp.Expr, combine: Callable[[Size, Size], Size]) -> tuple[_Value, _Value]:
        """Translate two numbers, held where what comes of them would not fit a double."""
        left, right = self.all_numbers([node.this, node.args["expression"]])
        if not combine(left.size, right.size).fits:
            left = self.held(left)
        if not combine(left.size, right.size).fits:
            right = self.held(right)
        return left, right

    def _remainder(self, node: exp.Expr) -> _Value:
        left, right = (self.held(side) for side in self.all_numbers([node.this, node.args["expression"]]))
        size, divisor = _abs(left.sql), _abs(right.sql)
        quotient = _divide(size, _not_zero(divisor))
        whole = exp.Floor(this=self.copy(quotient))
        rest = exp.Sub(this=self.copy(size), expression=exp.Mul(this=self.copy(divisor), expression=whole))
        signed = exp.Mul(this=exp.Sign(this=self.copy(left.sql)), expression=_paren(rest))
        exact = exp.LT(this=quotient, expression=build.number(2 * ALL_WHOLE))
        return _Value(build.case([(exact, signed)]), left.size.plus(right.size) | Size(-3 * HELD, left.size.high))

    def _negative(self, node: exp.Expr) -> _Value:
        value = self.value(node.this)
        return _Value(_paren(exp.Neg(this=value.sql)), value.size)

    # ---------------------------------------------------------------------------------------------------- functions

    def _join(self, node: exp.Expr) -> _Value:
        return _Value(_paren(exp.DPipe(this=self.sql(node.this), expression=self.sql(node.args["expression"]))))

    def _call(self, node: exp.Expr) -> _Value:
        return _FUNCTIONS[node.name](self, node.expressions)

    def _abs(self, arguments: Sequence[exp.Expr]) -> _Value:
        (value,) = self.all_numbers(arguments)
        return _Value(_abs(value.sql), value.size)

    def _floor(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._whole(exp.Floor, arguments)

    def _ceil(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._whole(exp.Ceil, arguments)

    def _whole(self, kind: type[exp.Expr], arguments: Sequence[exp.Expr]) -> _Value:
        """Spark makes an integer of it, which could overflow: large numbers are whole as they are."""
        (value,) = self.all_numbers(arguments)
        size = Size(0, max(0.0, value.size.high) + 0.31)
        rounded = build.double(kind(this=value.sql))
        if size.high < 15:
            return _Value(rounded, size)
        small = exp.LT(this=_abs(self.copy(value.sql)), expression=build.number(ALL_WHOLE))
        return _Value(build.case([(small, rounded)], self.copy(value.sql)), size)

    def _round(self, arguments: Sequence[exp.Expr]) -> _Value:
        (value,) = self.all_numbers(arguments[:1])
        digits = int(float(arguments[1].name)) if len(arguments) > 1 else 0
        scale = 10.0**digits
        scaled = exp.Mul(this=_abs(value.sql), expression=build.number(scale)) if digits else _abs(value.sql)
        up = build.double(exp.Floor(this=exp.Add(this=scaled, expression=build.number(0.5))))
        rounded = _divide(up, build.number(scale)) if digits else up
        signed = exp.Mul(this=exp.Sign(this=self.copy(value.sql)), expression=rounded)
        small = exp.LT(this=_abs(self.copy(value.sql)), expression=build.number(ALL_WHOLE / scale))
        size = Size(min(value.size.low, -digits - 1.0), max(value.size.high, 0.0) + 0.31)
        return _Value(build.case([(small, signed)], self.copy(value.sql)), size)

    def _ln(self, arguments: Sequence[exp.Expr]) -> _Value:
        (value,) = self.all_numbers(arguments)
        return _Value(exp.Ln(this=_above_zero(value.sql)), LOGARITHM)

    def _sqrt(self, arguments: Sequence[exp.Expr]) -> _Value:
        (value,) = self.all_numbers(arguments)
        positive = exp.GTE(this=self.copy(value.sql), expression=build.number(0))
        size = Size(value.size.low / 2 - 1, value.size.high / 2 + 1)
        return _Value(exp.Sqrt(this=build.case([(positive, value.sql)])), size)

    def _exp(self, arguments: Sequence[exp.Expr]) -> _Value:
        (value,) = self.all_numbers(arguments)
        low = exp.LT(this=self.copy(value.sql), expression=build.number(-690))
        high = exp.LTE(this=self.copy(value.sql), expression=build.number(690))
        return _Value(build.case([(low, build.number(0)), (high, exp.Exp(this=value.sql))]), EXPONENTIAL)

    def _power(self, arguments: Sequence[exp.Expr]) -> _Value:
        """Decide by the logarithm what the power would be before any engine takes it."""
        base, exponent = (self.held(side) for side in self.all_numbers(arguments))
        logarithm = exp.Ln(this=exp.Nullif(this=_abs(self.copy(base.sql)), expression=build.number(0)))
        size = _paren(exp.Mul(this=self.copy(exponent.sql), expression=logarithm))
        bound = build.number(HELD * math.log(10))
        tiny = exp.LT(this=self.copy(size), expression=exp.Neg(this=bound.copy()))
        usual = exp.LTE(this=size, expression=bound)
        unreal = self._no_real_power(base, exponent)
        power = exp.Pow(this=base.sql, expression=exponent.sql)
        branches = [*self._powers_of_zero(base, exponent), (tiny, build.number(0)), (usual, power)]
        return _Value(build.case(branches if unreal is None else [(unreal, exp.Null()), *branches]), POWER)

    def _no_real_power(self, base: _Value, exponent: _Value) -> Sql | None:
        """Return the condition under which a power is no real number: below zero to what is not whole."""
        fixed = _fixed(exponent.sql)
        if (fixed is not None and fixed == int(fixed)) or (_fixed(base.sql) or -1) > 0:
            return None
        part = exp.NEQ(this=self.copy(exponent.sql), expression=exp.Floor(this=self.copy(exponent.sql)))
        below = exp.LT(this=self.copy(base.sql), expression=build.number(0))
        return below if fixed is not None else exp.And(this=below, expression=part)

    def _powers_of_zero(self, base: _Value, exponent: _Value) -> list[tuple[Sql, Sql]]:
        if (_fixed(base.sql) or 0) > 0:
            return []
        zero = exp.EQ(this=self.copy(base.sql), expression=build.number(0))
        fixed = _fixed(exponent.sql)
        if fixed is not None:
            return [(zero, build.number(0 if fixed else 1))]
        none = exp.EQ(this=self.copy(exponent.sql), expression=build.number(0))
        positive = exp.GT(this=self.copy(exponent.sql), expression=build.number(0))
        return [(zero, build.case([(none, build.number(1)), (positive, build.number(0))]))]

    def _try_cast(self, arguments: Sequence[exp.Expr]) -> _Value:
        trimmed = _trim(self.sql(arguments[0]))
        number = exp.RegexpLike(this=self.copy(trimmed), expression=build.text(NUMBER_PATTERN))
        return _Value(build.case([(number, build.double(trimmed))]), CAST)

    # --------------------------------------------------------------------------------------- functions of any type

    def _coalesce(self, arguments: Sequence[exp.Expr]) -> _Value:
        values = self.all_numbers(arguments)
        made = exp.Coalesce(this=values[0].sql, expressions=[value.sql for value in values[1:]])
        return _Value(made, _joint(values))

    def _nullif(self, arguments: Sequence[exp.Expr]) -> _Value:
        left, right = self.all_numbers(arguments)
        first = build.double(left.sql) if _is_number_literal(arguments[0]) else left.sql  # its type is the result's
        return _Value(exp.Nullif(this=first, expression=right.sql), left.size)

    def _least(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._extreme(exp.Least, arguments)

    def _greatest(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._extreme(exp.Greatest, arguments)

    def _extreme(self, kind: type[exp.Expr], arguments: Sequence[exp.Expr]) -> _Value:
        """Engines differ on nulls, so each argument falls back on the others: no null is left unless all are."""
        values = self.all_numbers(arguments)
        filled = []
        for index, (value, node) in enumerate(zip(values, arguments, strict=True)):
            others = [self.copy(other.sql) for place, other in enumerate(values) if place != index]
            sure = isinstance(node, (exp.Literal, exp.Cast))
            filled.append(self.copy(value.sql) if sure else exp.Coalesce(this=self.copy(value.sql), expressions=others))
        return _Value(kind(this=filled[0], expressions=filled[1:], ignore_nulls=True), _joint(values))

    # ---------------------------------------------------------------------------------------------- functions of text

    def _concat(self, arguments: Sequence[exp.Expr]) -> _Value:
        filled = [exp.Coalesce(this=self.sql(argument), expressions=[build.text("")]) for argument in arguments]
        made: Sql = filled[0]
        for part in filled[1:]:
            made = exp.DPipe(this=made, expression=part)
        return _Value(_paren(made))

    def _contains(self, arguments: Sequence[exp.Expr]) -> _Value:
        place = exp.StrPosition(this=self.sql(arguments[0]), substr=self.sql(arguments[1]))
        return _Value(_paren(exp.GT(this=place, expression=build.number(0))))

    def _contains_any(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(_paren(has_any(self.sql(arguments[0]), [argument.name for argument in arguments[1:]])))

    def _word_count(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(_paren(count(self.copy(self.sql(arguments[0])))), COUNT)

    def _starts_with(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(exp.StartsWith(this=self.sql(arguments[0]), expression=self.sql(arguments[1])))

    def _length(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(build.double(exp.Length(this=self.sql(arguments[0]))), COUNT)

    def _lower(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(exp.Lower(this=self.sql(arguments[0])))

    def _upper(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(exp.Upper(this=self.sql(arguments[0])))

    def _trim(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(_trim(self.sql(arguments[0])))

    def _substr(self, arguments: Sequence[exp.Expr]) -> _Value:
        start, *length = (exp.Literal.number(str(int(float(argument.name)))) for argument in arguments[1:])
        return _Value(exp.Substring(this=self.sql(arguments[0]), start=start, length=length[0] if length else None))

    # ---------------------------------------------------------------------------------------------- functions of time

    def _part(self, part: str, arguments: Sequence[exp.Expr]) -> _Value:
        extracted = exp.Extract(this=exp.var(part), expression=self.sql(arguments[0]))
        return _Value(build.double(extracted), COUNT)

    def _year(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._part("YEAR", arguments)

    def _month(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._part("MONTH", arguments)

    def _day(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._part("DAY", arguments)

    def _hour(self, arguments: Sequence[exp.Expr]) -> _Value:
        return self._part("HOUR", arguments)

    def _weekday(self, arguments: Sequence[exp.Expr]) -> _Value:
        """Count days from a Monday: engines number weekdays in four ways."""
        midnight = exp.TimestampTrunc(this=self.sql(arguments[0]), unit=exp.var("DAY"))
        days = build.days_between(build.moment(MONDAY), midnight)
        weeks = exp.Floor(this=_divide(self.copy(days), build.number(7)))
        weekday = exp.Sub(this=days, expression=exp.Mul(this=build.number(7), expression=weeks))
        return _Value(_paren(exp.Add(this=weekday, expression=build.number(1))), COUNT)

    def _days_between(self, arguments: Sequence[exp.Expr]) -> _Value:
        return _Value(_paren(build.days_between(self.sql(arguments[0]), self.sql(arguments[1]))), DAYS)


_RULES: Mapping[type[exp.Expr], Callable[[_Translator, exp.Expr], _Value]] = {
    **dict.fromkeys((exp.Literal, exp.Boolean, exp.Null, exp.Cast), _Translator._literal),
    exp.Column: _Translator._column,
    **dict.fromkeys((exp.And, exp.Or), _Translator._chain),
    exp.Not: _Translator._not,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _Translator._comparison),
    exp.Between: _Translator._between,
    exp.In: _Translator._in,
    exp.Is: _Translator._is,
    **dict.fromkeys((exp.Like, exp.ILike), _Translator._like),
    exp.Escape: _Translator._escape,
    exp.Case: _Translator._case,
    **dict.fromkeys((exp.Add, exp.Sub), _Translator._sum),
    exp.Mul: _Translator._product,
    exp.Div: _Translator._quotient,
    exp.Mod: _Translator._remainder,
    exp.Neg: _Translator._negative,
    exp.DPipe: _Translator._join,
    exp.Anonymous: _Translator._call,
}

_FUNCTIONS: Mapping[str, Callable[[_Translator, Sequence[exp.Expr]], _Value]] = {
    "abs": _Translator._abs,
    "ceil": _Translator._ceil,
    "coalesce": _Translator._coalesce,
    "concat": _Translator._concat,
    "contains": _Translator._contains,
    "contains_any": _Translator._contains_any,
    "day": _Translator._day,
    "days_between": _Translator._days_between,
    "exp": _Translator._exp,
    "floor": _Translator._floor,
    "greatest": _Translator._greatest,
    "hour": _Translator._hour,
    "least": _Translator._least,
    "length": _Translator._length,
    "ln": _Translator._ln,
    "lower": _Translator._lower,
    "month": _Translator._month,
    "nullif": _Translator._nullif,
    "power": _Translator._power,
    "round": _Translator._round,
    "sqrt": _Translator._sqrt,
    "starts_with": _Translator._starts_with,
    "substr": _Translator._substr,
    "trim": _Translator._trim,
    "try_cast": _Translator._try_cast,
    "upper": _Translator._upper,
    "weekday": _Translator._weekday,
    "word_count": _Translator._word_count,
    "year": _Translator._year,
}


def _is_number_literal(node: exp.Expr) -> bool:
    while isinstance(node, exp.Neg):
        node = node.this
    return isinstance(node, exp.Literal) and not node.is_string


def _fixed(sql: Sql) -> float | None:
    """Return the number of a literal that is not negative, or None."""
    inner = sql.this if isinstance(sql, exp.Cast) else sql
    return float(inner.name) if isinstance(inner, exp.Literal) and not inner.is_string else None


def _joint(values: Sequence[_Value]) -> Size:
    size = values[0].size
    for value in values[1:]:
        size |= value.size
    return size


def _paren(sql: Sql) -> Sql:
    return exp.Paren(this=sql)


def _abs(sql: Sql) -> Sql:
    return exp.Abs(this=sql)


def _trim(sql: Sql) -> Sql:
    return exp.Trim(this=sql, expression=build.text(" "), position="BOTH")


def _divide(left: Sql, right: Sql) -> Sql:
    return exp.Div(this=left, expression=right, typed=False, safe=False)


def _not_zero(divisor: Sql) -> Sql:
    """Make a zero divisor missing, unless it is written out and no zero."""
    if _fixed(divisor):
        return divisor
    return exp.Nullif(this=divisor, expression=build.number(0))


def _above_zero(sql: Sql) -> Sql:
    """Make missing what is not above zero. Engines differ on GREATEST of null: both null and 0 end as null here."""
    floor = exp.Greatest(this=sql, expressions=[build.number(0)], ignore_nulls=True)
    return exp.Nullif(this=floor, expression=build.number(0))


def _power_of_ten(exponent: float) -> Sql:
    return exp.Literal.number(f"1E{int(exponent)}")
