"""The functions an expression may call: their arguments, their results, and what people call them elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from leadlight.expr.types import Type


class Result(Enum):
    """How the type of a call follows from its arguments, where it is not always the same."""

    SAME = "the type all arguments share"


@dataclass(frozen=True, slots=True)
class Whole:
    """An argument that must be a whole number written out, within bounds."""

    low: int
    high: int


class Words:
    """An argument that must be a word or phrase written out."""


Parameter = frozenset[Type] | Whole | type[Words]
"""The types an argument may have, or a whole number or words that must be written out."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function: the kinds of its arguments (the last one repeats up to `most`), and the type of its result."""

    name: str
    parameters: tuple[Parameter, ...]
    result: Type | Result
    usage: str
    least: int
    most: int

    def parameter(self, index: int) -> Parameter:
        """Return what the argument at an index (from 0) may be."""
        return self.parameters[min(index, len(self.parameters) - 1)]


NUMBER = frozenset({Type.NUMBER})
TEXT = frozenset({Type.TEXT})
TIME = frozenset({Type.TIME})
ORDERED = frozenset({Type.NUMBER, Type.TIME})
ANY = frozenset(Type)
MAX_ARGUMENTS = 20


def _function(
    usage: str, result: Type | Result, *parameters: Parameter, optional: int = 0, variadic: bool = False
) -> Function:
    count = len(parameters)
    return Function(
        name=usage.partition("(")[0],
        parameters=parameters,
        result=result,
        usage=usage,
        least=count - optional,
        most=MAX_ARGUMENTS if variadic else count,
    )


FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for function in (
        _function("abs(number)", Type.NUMBER, NUMBER),
        _function("ceil(number)", Type.NUMBER, NUMBER),
        _function("coalesce(value, value, …)", Result.SAME, ANY, ANY, variadic=True),
        _function("concat(text, text, …)", Type.TEXT, TEXT, TEXT, variadic=True),
        _function("contains(text, text)", Type.BOOL, TEXT, TEXT),
        _function("contains_any(text, 'words', …)", Type.BOOL, TEXT, Words, variadic=True),
        _function("day(time)", Type.NUMBER, TIME),
        _function("days_between(start, end)", Type.NUMBER, TIME, TIME),
        _function("exp(number)", Type.NUMBER, NUMBER),
        _function("floor(number)", Type.NUMBER, NUMBER),
        _function("greatest(value, value, …)", Result.SAME, ORDERED, ORDERED, variadic=True),
        _function("hour(time)", Type.NUMBER, TIME),
        _function("least(value, value, …)", Result.SAME, ORDERED, ORDERED, variadic=True),
        _function("length(text)", Type.NUMBER, TEXT),
        _function("ln(number)", Type.NUMBER, NUMBER),
        _function("lower(text)", Type.TEXT, TEXT),
        _function("month(time)", Type.NUMBER, TIME),
        _function("nullif(value, value)", Result.SAME, ANY, ANY),
        _function("power(number, number)", Type.NUMBER, NUMBER, NUMBER),
        _function("round(number, digits)", Type.NUMBER, NUMBER, Whole(0, 15), optional=1),
        _function("sqrt(number)", Type.NUMBER, NUMBER),
        _function("starts_with(text, text)", Type.BOOL, TEXT, TEXT),
        _function("substr(text, start, length)", Type.TEXT, TEXT, Whole(1, 1_000_000), Whole(0, 1_000_000), optional=1),
        _function("trim(text)", Type.TEXT, TEXT),
        _function("try_cast(text as number)", Type.NUMBER, TEXT),
        _function("upper(text)", Type.TEXT, TEXT),
        _function("weekday(time)", Type.NUMBER, TIME),
        _function("word_count(text)", Type.NUMBER, TEXT),
        _function("year(time)", Type.NUMBER, TIME),
    )
}
"""Every function, by name. What each means exactly is said in `leadlight.expr.sql`."""

ALIASES: Mapping[str, str] = {
    "ceiling": "ceil",
    "char_length": "length",
    "isodow": "weekday",
    "len": "length",
    "pow": "power",
    "strlen": "length",
    "startswith": "starts_with",
    "substring": "substr",
}
"""Other names of the same functions."""

_AGGREGATE = "an expression sees one lead, so it adds nothing up: make a feature (count, sum, …) and use its name"
_WINDOW = "an expression sees one lead, so it cannot look at other rows"
_NOW = "use as_of, the moment the score is for"

INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(("avg", "count", "sum", "median", "stddev", "string_agg", "array_agg", "any_value"), _AGGREGATE),
    **dict.fromkeys(("max", "min"), "of values of one lead it is greatest or least; of events it is a feature"),
    **dict.fromkeys(("row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value", "ntile"), _WINDOW),
    **dict.fromkeys(("now", "today", "getdate", "current_date", "current_timestamp", "current_time", "sysdate"), _NOW),
    **dict.fromkeys(("cast", "convert", "to_number", "safe_cast"), "write try_cast(text as number)"),
    **dict.fromkeys(("to_date", "to_timestamp", "strptime", "date"), "write a time as TIMESTAMP '2026-01-31 12:00:00'"),
    **dict.fromkeys(("extract", "date_part", "datepart"), "write year(…), month(…), day(…), hour(…) or weekday(…)"),
    **dict.fromkeys(("date_diff", "datediff", "age", "timestampdiff"), "write days_between(start, end)"),
    **dict.fromkeys(("if", "iff", "decode"), "write case when … then … else … end"),
    **dict.fromkeys(("ifnull", "nvl", "isnull"), "write coalesce(value, value)"),
    **dict.fromkeys(("log", "log10", "log2"), "write ln(number), the natural logarithm"),
    **dict.fromkeys(("regexp_matches", "regexp_like", "regexp"), "write like, starts_with or contains"),
    **dict.fromkeys(("ends_with", "endswith", "suffix"), "write like '%…'"),
    **dict.fromkeys(("strpos", "instr", "position", "locate", "charindex"), "write contains(text, text)"),
    **dict.fromkeys(("match", "to_tsquery", "has_word", "has_words"), "write contains_any(text, 'words', …)"),
    **dict.fromkeys(("left",), "write substr(text, 1, length)"),
    **dict.fromkeys(("mod",), "write number % number"),
    **dict.fromkeys(("random", "rand", "uuid", "nextval"), "the same lead must get the same value every time"),
}
"""What to write instead of functions people know from elsewhere."""
