"""Contributions in words a sales rep would use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, assert_never

from leadlight.errors import shorten
from leadlight.expr.english import to_english
from leadlight.spec import models
from leadlight.spec.durations import format_duration
from leadlight.spec.entity import many
from leadlight.spec.resolved import ResolvedCriterion

Unit = Literal["days", "days left", "share"]


def amount(points: float) -> str:
    """Write points with their sign.

    >>> amount(13.24), amount(-12.0), amount(0.0)
    ('+13.2', '-12', '0')
    """
    rounded = round(points, 1)
    if rounded == 0:
        return f"{points:+.1g}" if points else "0"
    return f"{rounded:+g}" if abs(rounded) < 1e6 else f"{rounded:+.6g}"


def value(found: Any) -> str:
    """Write a value of a lead.

    >>> value(120.0), value(None), value(datetime(2026, 3, 12)), value(True)
    ('120', 'not known', '12 Mar 2026', 'yes')
    """
    if found is None:
        return "not known"
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, float):
        if not 1000 <= abs(found) < 1e15:
            return f"{found:,.0f}" if found == int(found) and abs(found) < 1e15 else f"{found:.4g}"
        return f"{found:,.0f}" if found == int(found) else f"{found:,.1f}"
    if isinstance(found, datetime):
        return f"{found.day} {found:%b %Y}"
    return str(found) if len(str(found)) <= 60 and str(found).isprintable() else shorten(str(found))


def chance(probability: float, interval: tuple[float, float] | None = None) -> str:
    """Write a probability, with its interval where there is one.

    >>> chance(0.314, (0.27, 0.36)), chance(0.0042)
    ('chance 31% (27% to 36%)', 'chance 0.42%')
    """
    between = "" if interval is None else f" ({percent(interval[0])} to {percent(interval[1])})"
    return f"chance {percent(probability)}{between}"


def moved(uplift: float, interval: tuple[float, float] | None = None) -> str:
    """Write by how much a treatment moves the win rate, in percentage points.

    >>> moved(0.021, (0.008, 0.034)), moved(-0.0004)
    ('+2.1 points of win rate if treated (+0.8 to +3.4)', '-0.04 points of win rate if treated')
    """
    between = "" if interval is None else f" ({in_points(interval[0])} to {in_points(interval[1])})"
    return f"{in_points(uplift)} points of win rate if treated{between}"


def in_points(share: float) -> str:
    """Write a difference of rates in percentage points.

    >>> in_points(0.0772), in_points(0.0013), in_points(0.0), in_points(-0.25)
    ('+7.7', '+0.13', '0', '-25')
    """
    points = 100 * share
    if abs(points) < 0.005:
        return "0"
    return f"{points:+.2f}" if abs(points) < 0.5 else f"{points:+.1f}" if abs(points) < 10 else f"{points:+.0f}"


def percent(share: float) -> str:
    """Write a share in percent, small ones with the digits they need; what is not quite all is not called all.

    >>> percent(0.5), percent(0.042), percent(0.00123), percent(0.0), percent(0.997), percent(1.0)
    ('50%', '4.2%', '0.12%', '0%', '>99%', '100%')
    """
    if 0.995 <= share < 1:
        return ">99%"
    if 0 < share < 0.00005:
        return "<0.01%"
    digits = 0 if share >= 0.1 or share == 0 else 1 if share >= 0.01 else 2
    return f"{share:.{digits}%}"


def worth(found: float) -> str:
    """Write what a win is worth: in whole units where there are many of them, small ones with the digits they need.

    >>> worth(12_400.3), worth(8.1), worth(0.3236), worth(0.0)
    ('12,400', '8.1', '0.324', '0')
    """
    return f"{found:,.0f}" if abs(found) >= 100 else f"{found:.3g}"


def unit_of(feature: models.Feature | None) -> Unit | None:
    """Return what a feature's numbers count, where a bare number would not tell."""
    spec = feature.account if isinstance(feature, models.AccountFeature) else feature
    match spec:
        case models.AgeFeature() | models.RecencyFeature() | models.SinceFirstFeature() | models.IntervalFeature():
            return "days"
        case models.UntilFeature():
            return "days left"
        case models.ShareFeature():
            return "share"
        case _:
            return None


def quantity(found: Any, unit: Unit | None) -> str:
    """Write a value of a lead with its unit.

    >>> quantity(27.9, "days"), quantity(0.25, "share"), quantity(27.9, None), quantity(None, "days")
    ('27 days', '25%', '27.9', 'not known')
    """
    if unit is None or not isinstance(found, int | float):
        return value(found)
    if unit == "days left":
        return time_left(found)
    return percent(found) if unit == "share" else days(found)


def time_left(count: float) -> str:
    """Say how long it is until a deadline, or since it has passed, from the days left.

    >>> time_left(0.125), time_left(-2.5), time_left(3.0), time_left(-0.01)
    ('due in 3 hours', '2 days overdue', 'due in 3 days', 'less than an hour overdue')
    """
    return f"due in {days(count)}" if count >= 0 else f"{days(-count)} overdue"


def days(count: float) -> str:
    """Write a span of time in whole days, or hours, that have passed.

    >>> days(27.9), days(1.0), days(0.3), days(0.01), days(-3.5)
    ('27 days', '1 day', '7 hours', 'less than an hour', '3 days ahead')
    """
    if count < 0:
        return f"{days(-count)} ahead"
    if count >= 1:
        return many(int(count), "day")
    return many(int(count * 24), "hour") if count * 24 >= 1 else "less than an hour"


def times(count: float) -> str:
    """Write how often.

    >>> times(1), times(4)
    ('once', '4 times')
    """
    return {1: "once", 2: "twice"}.get(int(count), f"{count:,.0f} times")


def sentence(
    criterion: ResolvedCriterion,
    *,
    events: float | None,
    last: datetime | None,
    values: Sequence[Any],
    units: Sequence[Unit | None] = (None, None),
) -> str:
    """Say what a criterion saw: its name, then the value (in its unit), or how often and when last."""
    spec = criterion.spec
    match spec:
        case models.EventCriterion():
            within = f" in {format_duration(spec.within)}" if spec.within else ""
            if not events or last is None:
                return f"{spec.name}: never{within}"
            return f"{spec.name} {times(events)}{within}, last on {value(last)}"
        case models.CategoryCriterion() | models.BandCriterion():
            return f"{spec.name}: {quantity(values[0], units[0])}"
        case models.PairCriterion():
            return f"{spec.name}: {quantity(values[0], units[0])}, {quantity(values[1], units[1])}"
        case models.WhenCriterion():
            assert criterion.condition is not None
            return f"{spec.name} ({to_english(criterion.condition)})"
        case _:
            assert_never(spec)
