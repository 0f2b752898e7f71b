from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from leadlight.errors import UsageError
from leadlight.simulate import world as w
from leadlight.simulate.world import DAY, World, is_august, is_weekend, office_hours, seconds


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"days": 0}, "days is 0; a world has from 1 to 3,650 days"),
        ({"days": 40_000}, "days is 40000; a world has from 1 to 3,650 days"),
        (
            {"until": datetime.fromisoformat("0026-06-30")},
            "until is 0026-06-30; a world ends in a year from 2011 to 2999",
        ),
        ({"seed": -1}, "seed is -1; it is a whole number from 0 up"),
    ],
)
def test_numbers_that_make_no_world_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as found:
        World(**given)
    assert str(found.value) == message


def test_an_until_with_a_zone_is_taken_as_that_moment_in_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert World(until=datetime(2026, 6, 30, 2, tzinfo=berlin)).until == datetime.fromisoformat("2026-06-30")
    assert World(until=datetime(2026, 6, 30, tzinfo=UTC)).until == datetime.fromisoformat("2026-06-30")


def test_phase_runs_from_0_to_1() -> None:
    world = World(days=100)
    assert world.phase(np.array([world.begin, world.begin + 50 * DAY, world.end])).tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("day", "effect"),
    [
        (datetime.fromisoformat("2025-08-01"), -0.4),
        (datetime.fromisoformat("2025-09-15"), 0.0),
        (datetime.fromisoformat("2025-09-16"), 0.35),
        (datetime.fromisoformat("2025-12-19"), 0.35),
        (datetime.fromisoformat("2025-12-20"), -0.6),
        (datetime.fromisoformat("2026-01-01"), 0.0),
        (datetime.fromisoformat("2026-09-28"), 0.35),  # behind the world's end: the truth at `until` looks there
    ],
)
def test_the_calendar_has_quarters_an_august_and_holidays(day: datetime, effect: float) -> None:
    at = np.array([seconds(day), seconds(day) + DAY - 1])
    assert World().calendar(at).tolist() == [effect, effect]


def test_weekends_and_augusts_are_those_of_the_calendar() -> None:
    days = [datetime.fromisoformat("2025-01-01") + timedelta(days=k) for k in range(800)]
    at = np.array([seconds(day) for day in days])
    assert is_weekend(at).tolist() == [day.weekday() >= 5 for day in days]
    assert is_august(at).tolist() == [day.month == 8 for day in days]


def test_office_hours_are_when_most_things_happen() -> None:
    at = office_hours((np.arange(10_000) + 0.5) / 10_000)
    assert at.min() >= 0
    assert at.max() < DAY
    assert ((at >= 8 * 3600) & (at < 18 * 3600)).mean() > 0.8


def test_shares_are_shares() -> None:
    for name in dir(w):
        if "_SHARE" in name:
            assert sum(getattr(w, name)) == pytest.approx(1), name
    assert len(w.INDUSTRY_SIZE) == len(w.INDUSTRIES)
    assert {len(row) for row in w.INDUSTRY_SIZE} == {len(w.SIZE_CUTS) + 1}
    assert {len(getattr(w, f"SOURCE_{name}")) for name in ("WARMTH", "START", "END")} == {len(w.SOURCES)}
