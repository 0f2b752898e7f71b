from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.spec.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(days=14)),
        (" 1.5 d ", timedelta(hours=36)),
        (timedelta(days=1), timedelta(days=1)),
    ],
)
def test_durations_are_a_number_and_a_unit(text: object, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["30", "d", "30 days", "-3d", "1e3d", "3D", "", "3d 4h", "nan d", 30, True, None, [], "3d\n4"]
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(
        ValueError, match=r"is not a duration: write a number and a unit, as in 45s, 90m, 12h, 30d or 2w$"
    ):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0d", "0.0s", "999999w", "9" * 400 + "s"])
def test_nothing_and_more_than_200_years_are_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"is out of range: a duration is more than 0 and at most 200 years$"):
        parse_duration(text)


def test_message_about_a_huge_text_is_bounded() -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration("x" * 100_000)
    assert len(str(caught.value)) < 200


@given(st.integers(1, 10**9), st.sampled_from("smhdw"))
def test_what_is_written_reads_back(count: int, unit: str) -> None:
    seconds = count * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    if seconds <= 366 * 200 * 86400:
        duration = parse_duration(f"{count}{unit}")
        assert duration == timedelta(seconds=seconds)
        assert parse_duration(format_duration(duration)) == duration


@given(st.integers(1, 10**12))
def test_fractions_of_seconds_read_back_to_the_microsecond(microseconds: int) -> None:
    duration = timedelta(microseconds=microseconds)
    assert parse_duration(format_duration(duration)) == duration
