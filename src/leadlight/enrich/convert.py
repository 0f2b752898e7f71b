"""From what a vendor or register says to values of ours: numbers out of ranges and money, countries, times.

Whatever comes in, what comes out is a value of the wanted type, or None.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any

from leadlight.enrich.countries import country_code
from leadlight.enrich.provider import Value
from leadlight.expr.types import Type

MAX_ITEMS = 50
COUNTRIES = frozenset({"country", "phone_country", "ip_country"})
"""Attributes that hold a country as two letters."""

_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
            "t": 1e12}  # fmt: skip
_NUMBER = r"[$€£]?\s*(\d{1,3}(?:[,  ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(k|m|mm|mn|million|b|bn|billion|t)?"
_SINGLE = re.compile(rf"[-+]?{_NUMBER}", re.IGNORECASE)
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|–|to)\s*{_NUMBER}", re.IGNORECASE)
_OPEN = re.compile(rf"(?:{_NUMBER}\s*\+|(?:over|more than|>)\s*{_NUMBER})", re.IGNORECASE)


def convert(found: Any, attribute: str, wanted: Type) -> Value | None:
    """Return what was found as a value of an attribute.

    >>> convert("51-200", "employees", Type.NUMBER), convert("united states", "country", Type.TEXT)
    (101.0, 'US')
    """
    if wanted is Type.NUMBER:
        return number_of(found)
    if wanted is Type.BOOL:
        return bool_of(found)
    if wanted is Type.TIME:
        return time_of(found)
    return country_of(found) if attribute in COUNTRIES else text_of(found)


def number_of(found: Any) -> float | None:
    """Return a number: as it is, from text, of a range its geometric middle, of an open one its lower end.

    >>> number_of("$1M-$10M"), number_of("10,001+"), number_of("n/a")
    (3162278.0, 10001.0, None)
    """
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return _finite(found)
    if not isinstance(found, str) or len(found) > 100:
        return None
    text = found.strip()
    if match := _RANGE.fullmatch(text):
        return _middle(match)
    if match := _OPEN.fullmatch(text):
        return _amount(match[1] or match[3], match[2] or match[4])
    match = _SINGLE.fullmatch(text)
    return None if match is None else _amount(match[1], match[2]) * (-1 if text.startswith("-") else 1)


def _middle(match: re.Match[str]) -> float:
    low, high = _amount(match[1], match[2] or (match[4] if float(_digits(match[1])) < 1000 else None)), 0.0
    high = _amount(match[3], match[4])
    return float(round(math.sqrt(max(low, 1.0) * high))) if high > low else low


def _amount(digits: str, factor: str | None) -> float:
    return float(_digits(digits)) * _FACTORS[(factor or "").lower()]


def _digits(text: str) -> str:
    return re.sub("[,  ]", "", text)


def _finite(number: float) -> float | None:
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def bool_of(found: Any) -> bool | None:
    """Return true or false, also where it is written as a word; None for all else."""
    if isinstance(found, bool):
        return found
    return {"true": True, "yes": True, "false": False, "no": False}.get(str(found).lower()[:10])


def time_of(found: Any) -> datetime | None:
    """Return a moment in naive UTC, from ISO 8601, seconds or milliseconds since 1970; a bare year is none.

    >>> time_of("1999-03-04T05:06:07+02:00"), time_of("2015")
    (datetime.datetime(1999, 3, 4, 3, 6, 7), None)
    """
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return _moment_of(found)
    if not isinstance(found, str) or not 10 <= len(found := found.strip()) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(found)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _moment_of(number: float) -> datetime | None:
    value = _finite(number)
    if value is None or value <= 0:
        return None
    try:
        moment = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.year < 2200 else None


def text_of(found: Any) -> str | None:
    """Return text; of a list, its texts joined by ", ", each once."""
    if isinstance(found, list):
        texts = [text for text in map(_one_text, found[:MAX_ITEMS]) if text]
        return ", ".join(dict.fromkeys(texts)) or None
    return _one_text(found)


def _one_text(found: Any) -> str | None:
    if isinstance(found, str):
        return found[:5000].strip() or None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    value = _finite(found)
    return None if value is None else f"{value:.12g}"


def country_of(found: Any) -> str | None:
    """Return the two letters of a country that is given by them, by three, or by its name.

    >>> country_of("deu"), country_of("United Kingdom"), country_of("Atlantis")
    ('DE', 'GB', None)
    """
    return country_code(found) if isinstance(found, str) and len(found) <= 60 else None


def year_of(found: Any) -> float | None:
    """Return the year of a date or number, None where it is none between 1000 and 2200.

    >>> year_of("1886-01-29"), year_of(2015), year_of(12)
    (1886.0, 2015.0, None)
    """
    if isinstance(found, date):
        return float(found.year)
    match = re.match(r"\+?(\d{4})(?!\d)", str(found)[:30]) if isinstance(found, str | int) else None
    year = int(match[1]) if match else 0
    return float(year) if 1000 <= year <= 2200 else None
