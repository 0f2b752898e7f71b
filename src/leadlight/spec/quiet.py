"""Quiet hours: when nobody is to be disturbed, by the clock on the wall where they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from leadlight.spec.base import Spec

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SATURDAY = 5
_MOST_STEPS = 10
"""Ends of quiet hours that may follow one another without a gap: a night, a weekend, a night."""


class QuietSpec(Spec):
    """From when to when nothing is sent; what comes meanwhile waits until the end."""

    from_: str | None = Field(None, alias="from", description="when it begins, as in '20:00'")
    to: str | None = Field(None, description="when it ends, as in '07:00': of the next day where that is earlier")
    zone: str = Field("UTC", description="whose clock it is, as in Europe/Berlin")
    weekends: bool = Field(False, description="all of Saturday and Sunday is quiet, too")

    @field_validator("from_", "to")
    @classmethod
    def _check_time(cls, told: str | None) -> str | None:
        if told is not None and not _TIME.fullmatch(told):
            raise ValueError(f"{told[:20]!r} is no time of day: write hours and minutes in quotes, as in '20:00'")
        return told

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, told: str) -> str:
        try:
            ZoneInfo(told)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{told[:60]!r} is no time zone: write one as in Europe/Berlin, or UTC") from None
        return told

    @model_validator(mode="after")
    def _check(self) -> QuietSpec:
        if (self.from_ is None) != (self.to is None):
            raise ValueError("from and to come together")
        if self.from_ is None and not self.weekends:
            raise ValueError("quiet hours need from and to, or weekends: true")
        if self.from_ is not None and self.from_ == self.to:
            raise ValueError("from and to are the same time: nothing would ever be quiet, or all")
        return self

    def until(self, moment: datetime) -> datetime | None:
        """Return when the quiet that holds at a moment ends (both naive UTC); None where none does.

        Where clocks change, the wall's clock counts: a night may be an hour longer or shorter.

        >>> night = QuietSpec.model_validate({"from": "20:00", "to": "07:00", "zone": "Europe/Berlin"})
        >>> night.until(datetime(2026, 10, 24, 19, 0)), night.until(datetime(2026, 10, 24, 12, 0))
        (datetime.datetime(2026, 10, 25, 6, 0), None)
        """
        zone, end = ZoneInfo(self.zone), moment
        for _ in range(_MOST_STEPS):
            local = end.replace(tzinfo=UTC).astimezone(zone)
            if not self._holds(local):
                break
            end = self._next(local, end)
        return end if end != moment else None

    def _holds(self, local: datetime) -> bool:
        if self.weekends and local.weekday() >= _SATURDAY:
            return True
        if self.from_ is None or self.to is None:
            return False
        start, stop, now = _time(self.from_), _time(self.to), local.time()
        return start <= now < stop if start < stop else now >= start or now < stop

    def _next(self, local: datetime, now: datetime) -> datetime:
        """Return the next moment at which it may be over: midnight of a weekend's day, or the end of the hours."""
        of_the_weekend = self.weekends and local.weekday() >= _SATURDAY
        at = time() if of_the_weekend or self.to is None else _time(self.to)
        ends = [
            datetime.combine(local.date() + timedelta(days=days), at, local.tzinfo).replace(fold=fold)
            for days in (0, 1)
            for fold in (0, 1)
        ]
        return min(end for end in (_utc(end) for end in ends) if end > now)


def _time(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes))


def _utc(local: datetime) -> datetime:
    return local.astimezone(UTC).replace(tzinfo=None)
