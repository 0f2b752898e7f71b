"""Times as people export them: which formats a column's values have, and the SQL that reads them.

A value's *shape* is the value with every digit as 9 and every word as a. A column has few shapes, so each is looked at
once: ISO 8601 is read by a cast, any other shape gives a strptime format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from leadlight.sources.part import quoted

EARLIEST, LATEST = "1678-01-01", "2262-01-01"
"""Times outside are taken for faults; inside, they are exact in nanoseconds too."""
MIXED_SHARE = 0.01
"""Up to this share of dates with day and month the other way round, those are slips and not a second order."""

_MONTH = r"(?P<month>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)"
_DAY = r"(?:(?P<weekday>(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)(?P<after_weekday>,? +))?"
_CLOCK = (
    r"(?:(?P<gap>,? +at +|[,T ] *)(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2})?(?P<fraction>\.\d{1,6})?"
    r"(?P<before_half> ?)(?P<half>[ap]m)?(?P<before_zone> ?)(?P<zone>utc|gmt|z|[+-]\d{2}:?\d{2})?)?"
)
_NUMERIC = re.compile(
    rf"(?P<first>\d{{1,2}})(?P<mark>[/.-])(?P<last>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d\d){_CLOCK}", re.I
)
_DAY_MONTH = re.compile(
    rf"{_DAY}(?P<first>\d{{1,2}})(?P<mark>\.? |[/.-]){_MONTH}(?P<mark_2>[,.]? |[/.-])(?P<year>\d{{4}}|\d\d){_CLOCK}",
    re.I,
)
_MONTH_DAY = re.compile(
    rf"{_DAY}{_MONTH}(?P<mark>\.? )(?P<first>\d{{1,2}})(?P<mark_2>,? )(?P<year>\d{{4}}){_CLOCK}", re.I
)
_YEAR_FIRST = re.compile(rf"\d{{4}}\.\d{{1,2}}\.\d{{1,2}}{_CLOCK}", re.I)
_ISO = re.compile(
    r"\d{4}([-/])\d{1,2}\1\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?)? ?(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?", re.I
)


class Order(StrEnum):
    """Whether the day or the month comes first in 01/02/2026."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value's shape means: ISO 8601, or strptime formats; `ambiguous` when the order must be known first."""

    iso: bool = False
    formats: tuple[str, ...] = ()
    ambiguous: bool = False


def shape_sql(text: str) -> str:
    """Return SQL that gives the shape of a text."""
    return f"regexp_replace(regexp_replace({text}, '[0-9]', '9', 'g'), '[A-Za-z]+', 'a', 'g')"


def shape_of(example: str, order: Order | None) -> Shape | None:
    """Tell what the shape of an example means; None when it is no time.

    >>> shape_of("30/Sep/21 17:20", None).formats
    ('%d/%b/%y %H:%M', '%d/%B/%y %H:%M')
    >>> shape_of("01/02/2026", None).ambiguous, shape_of("01.02.2026", None).formats
    (True, ('%d.%m.%Y',))
    """
    if _ISO.fullmatch(example):
        return Shape(iso=True)
    if match := _NUMERIC.fullmatch(example):
        return _numeric(match, order)
    if match := _DAY_MONTH.fullmatch(example):
        days = "%d" + match["mark"] + "{month}" + match["mark_2"]
        return Shape(formats=_with_months(match, days))
    if match := _MONTH_DAY.fullmatch(example):
        return Shape(formats=_with_months(match, "{month}" + match["mark"] + "%d" + match["mark_2"]))
    if match := _YEAR_FIRST.fullmatch(example):
        return Shape(formats=("%Y.%m.%d" + _clock(match),))
    return None


def _numeric(match: re.Match[str], order: Order | None) -> Shape:
    mark = match["mark"]
    if mark == ".":  # with dots the day comes first everywhere
        order = Order.DAY_FIRST
    day_first, month_first = f"%d{mark}%m{mark}", f"%m{mark}%d{mark}"
    head = {Order.DAY_FIRST: day_first, Order.MONTH_FIRST: month_first, None: day_first}[order]
    return Shape(formats=(head + _year(match) + _clock(match),), ambiguous=order is None)


def _with_months(match: re.Match[str], days: str) -> tuple[str, ...]:
    """Return a format with short and one with long month names (and weekdays, which change nothing)."""
    tail = _year(match) + _clock(match)
    weekday = match["weekday"]
    head = "" if weekday is None else ("%a" if len(weekday) == len("mon") else "%A") + match["after_weekday"]
    return tuple(head + days.replace("{month}", month) + tail for month in ("%b", "%B"))


def _year(match: re.Match[str]) -> str:
    return "%Y" if len(match["year"]) == len("2026") else "%y"


def _clock(match: re.Match[str]) -> str:
    """Return the format of the time of day, with the separators as they stand."""
    if match["hour"] is None:
        return ""
    clock = match["gap"] + ("%I" if match["half"] else "%H") + ":%M"
    clock += (":%S" if match["second"] else "") + (".%f" if match["fraction"] else "")
    clock += match["before_half"] + ("%p" if match["half"] else "") + match["before_zone"]
    zone = match["zone"] or ""
    return clock + ("" if not zone else "%z" if zone[0] in "+-" else "%Z")


def time_sql(text: str, formats: tuple[str, ...], *, iso: bool, utc: bool) -> str:
    """Return SQL that reads a trimmed text as a UTC timestamp; null for what fits no format or lies out of range.

    Times without a zone are taken in the session's; `utc` says that it is UTC, which saves work.
    """
    # %y before %Y, which takes 21 for the year 21; formats with a zone apart, as DuckDB's list leaks it into the next
    ordered = sorted(set(formats), key=lambda form: ("%Y" in form, form))
    tries = [
        f"CAST(try_strptime({text}, [{', '.join(map(quoted, group))}]) AS TIMESTAMPTZ)"
        for group in ([f for f in ordered if _zone(f) == zone] for zone in ("", "%z", "%Z"))
        if group
    ]
    if iso or not tries:
        tries.append(f"TRY_CAST({text} AS TIMESTAMPTZ)")
    zoned = tries[0] if len(tries) == 1 else f"coalesce({', '.join(tries)})"
    return in_range(naive(zoned, utc=utc))


def _zone(form: str) -> str:
    return "%z" if "%z" in form else "%Z" if "%Z" in form else ""


def naive(zoned: str, *, utc: bool) -> str:
    """Return SQL for a zoned time as a UTC timestamp without zone."""
    return f"CAST({zoned} AS TIMESTAMP)" if utc else f"({zoned} AT TIME ZONE 'UTC')"


def in_range(time: str) -> str:
    """Return SQL that is null for times outside 1678 to 2261."""
    return f"CASE WHEN {time} >= TIMESTAMP '{EARLIEST}' AND {time} < TIMESTAMP '{LATEST}' THEN {time} END"


def unix_sql(number: str) -> str:
    """Return SQL that reads seconds, milli-, micro- or nanoseconds since 1970, told apart by size."""
    size = f"abs({number})"
    micro = (
        f"CASE WHEN {size} < 1e11 THEN {number} * 1e6 WHEN {size} < 1e14 THEN {number} * 1e3 "
        f"WHEN {size} < 1e17 THEN {number} WHEN {size} < 9e18 THEN {number} / 1e3 END"
    )
    return in_range(f"make_timestamp(TRY_CAST(round({micro}) AS BIGINT))")


def order_sql(text: str) -> str:
    """Return SQL aggregates over a column: how many values only make sense with the day first, how many with the month
    first, an example of each, and one of a value that makes sense both ways and differs.
    """
    pattern = quoted(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d\d)\b")
    first, second = (f"TRY_CAST(regexp_extract({text}, {pattern}, {group}) AS INTEGER)" for group in (1, 2))
    day = f"{first} BETWEEN 13 AND 31 AND {second} BETWEEN 1 AND 12"
    month = f"{second} BETWEEN 13 AND 31 AND {first} BETWEEN 1 AND 12"
    doubt = f"{first} BETWEEN 1 AND 12 AND {second} BETWEEN 1 AND 12 AND {first} <> {second}"
    counts = ", ".join(f"count(*) FILTER (WHERE {case})" for case in (day, month))
    return f"{counts}, {', '.join(f'min({text}) FILTER (WHERE {case})' for case in (day, month, doubt))}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a column's values say about the order of day and month; see `order_sql`."""

    days: int
    months: int
    day: str | None
    month: str | None
    doubt: str | None

    @property
    def order(self) -> Order | None:
        """The order that all values, but for one in a hundred, agree on; any will do where it makes no difference."""
        few, many = sorted((self.days, self.months))
        if few > MIXED_SHARE * many or (many == 0 and self.doubt is not None):
            return None
        return Order.DAY_FIRST if self.days >= self.months else Order.MONTH_FIRST

    @property
    def mixed(self) -> bool:
        """Whether both orders stand in the column."""
        return self.order is None and self.days > 0
