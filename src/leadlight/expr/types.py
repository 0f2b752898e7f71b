"""The four types a value can have."""

from __future__ import annotations

from enum import StrEnum


class Type(StrEnum):
    """What kind of value a name or an expression has; every engine knows each of them exactly."""

    NUMBER = "number"
    """A finite 64-bit float."""
    TEXT = "text"
    BOOL = "bool"
    TIME = "time"
    """A moment in UTC, to the microsecond."""
