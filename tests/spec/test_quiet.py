"""When quiet ends, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.spec.quiet import QuietSpec


def quiet(**told: Any) -> QuietSpec:
    return QuietSpec.model_validate({("from" if key == "from_" else key): value for key, value in told.items()})


def until(spec: QuietSpec, local: str) -> str | None:
    """Ask and answer by the clock on the wall; of an hour that comes twice the first."""
    zone = ZoneInfo(spec.zone)
    at = datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    end = spec.until(at)
    return None if end is None else f"{end.replace(tzinfo=UTC).astimezone(zone):%Y-%m-%dT%H:%M}"


NIGHT = quiet(from_="20:00", to="07:00", zone="Europe/Berlin")
WEEKENDS = quiet(from_="20:00", to="07:00", zone="Europe/Berlin", weekends=True)


@pytest.mark.parametrize(
    ("spec", "at", "end"),
    [
        (NIGHT, "2026-03-04T19:59", None),
        (NIGHT, "2026-03-04T20:00", "2026-03-05T07:00"),
        (NIGHT, "2026-03-05T06:59", "2026-03-05T07:00"),
        (NIGHT, "2026-03-05T07:00", None),
        (quiet(from_="12:00", to="13:30"), "2026-03-05T12:30", "2026-03-05T13:30"),
        (quiet(from_="12:00", to="13:30"), "2026-03-05T14:30", None),
        (quiet(from_="22:00", to="00:00"), "2026-03-05T23:00", "2026-03-06T00:00"),
        (WEEKENDS, "2026-03-06T19:00", None),  # a Friday
        (WEEKENDS, "2026-03-06T21:00", "2026-03-09T07:00"),
        (WEEKENDS, "2026-03-07T12:00", "2026-03-09T07:00"),
        (quiet(weekends=True), "2026-03-07T12:00", "2026-03-09T00:00"),
        (quiet(weekends=True), "2026-03-09T12:00", None),
    ],
)
def test_the_end_by_the_wall(spec: QuietSpec, at: str, end: str | None) -> None:
    assert until(spec, at) == end


def test_a_night_in_which_clocks_change_ends_by_the_wall() -> None:
    assert NIGHT.until(datetime(2026, 3, 28, 20)) == datetime(2026, 3, 29, 5)  # an hour shorter
    assert NIGHT.until(datetime(2026, 10, 24, 20)) == datetime(2026, 10, 25, 6)  # an hour longer


def test_an_end_that_comes_twice_or_never() -> None:
    twice = quiet(from_="01:00", to="02:30", zone="Europe/Berlin")
    assert twice.until(datetime(2026, 10, 25, 0, 10)) == datetime(2026, 10, 25, 0, 30)
    assert twice.until(datetime(2026, 10, 25, 0, 40)) is None  # half past two has been
    assert twice.until(datetime(2026, 10, 25, 1, 10)) == datetime(2026, 10, 25, 1, 30)  # and comes again
    end = twice.until(datetime(2026, 3, 29, 0, 10))  # 01:10; there is no 02:30
    assert end is not None
    assert datetime(2026, 3, 29, 0, 59) < end <= datetime(2026, 3, 29, 1, 30)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.sampled_from([NIGHT, WEEKENDS, quiet(from_="01:30", to="02:30", zone="America/New_York"),
                     quiet(from_="23:30", to="00:30", zone="Australia/Lord_Howe", weekends=True)]),
)  # fmt: skip
def test_at_the_end_it_is_quiet_no_more_and_just_before_it_is(at: datetime, spec: QuietSpec) -> None:
    end = spec.until(at)
    if end is not None:
        assert at < end <= at + timedelta(days=4)
        assert spec.until(end) is None
        assert spec.until(end - timedelta(seconds=1)) == end


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"from_": "20:00"}, "from and to come together"),
        ({}, "quiet hours need from and to, or weekends"),
        ({"from_": "20:00", "to": "20:00"}, "the same time"),
        ({"from_": "8pm", "to": "07:00"}, "is no time of day"),
        ({"from_": "20:00", "to": "24:00"}, "is no time of day"),
        ({"weekends": True, "zone": "Berlin"}, "is no time zone"),
        ({"weekends": True, "zone": "../etc/passwd"}, "is no time zone"),
    ],
)
def test_faults(told: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quiet(**told)
