"""Durations as users write them: `30d`, `12h`, `2w`, `90m`, `45s`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import GetPydanticSchema, PlainSerializer
from pydantic_core import core_schema

from leadlight.errors import shorten

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
MAX_DURATION = timedelta(days=366 * 200)
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*")


def parse_duration(text: object) -> timedelta:
    """Read a duration: a positive number and a unit, s, m (minutes), h, d or w.

    Raises ValueError, with what is allowed, for anything else.

    >>> parse_duration("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    if isinstance(text, timedelta):
        return text
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{shorten(text)} is not a duration: write a number and a unit, as in 45s, 90m, 12h, 30d or 2w"
        )
    seconds = float(match[1]) * UNITS[match[2]]
    if not 0 < seconds <= MAX_DURATION.total_seconds():
        raise ValueError(f"{shorten(text)} is out of range: a duration is more than 0 and at most 200 years")
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """Write a duration the way a user would, in the largest unit that fits exactly.

    >>> format_duration(timedelta(hours=36))
    '36h'
    >>> format_duration(timedelta(days=30))
    '30d'
    """
    microseconds = value // timedelta(microseconds=1)
    for unit in ("d", "h", "m", "s"):
        if microseconds % (UNITS[unit] * 1_000_000) == 0:
            return f"{microseconds // (UNITS[unit] * 1_000_000)}{unit}"
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{seconds}.{rest:06d}".rstrip("0") + "s"


def _schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    return core_schema.no_info_before_validator_function(
        parse_duration,
        core_schema.is_instance_schema(timedelta),
        json_schema_input_schema=core_schema.str_schema(pattern=r"^\s*\d+(\.\d+)?\s*[smhdw]\s*$"),
    )


Duration = Annotated[timedelta, GetPydanticSchema(_schema), PlainSerializer(format_duration, return_type=str)]
