"""Values out of what vendors and registers say."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.convert import bool_of, convert, country_of, number_of, text_of, time_of, year_of
from leadlight.enrich.vocabulary import VOCABULARY
from leadlight.expr.types import Type


@pytest.mark.parametrize(
    ("found", "number"),
    [
        (3, 3), (2.5, 2.5), ("12", 12), ("1,234", 1234), ("1 234.5", 1234.5), ("$1.2M", 1.2e6), ("€3bn", 3e9),
        ("-7", -7),
        ("11-50", 23), ("1,001-5,000", 2237), ("51 – 200", 101), ("$50M-$100M", 70710678), ("1-10K", 3162),
        ("10,001+", 10001),
        ("over 500", 500), ("0-1", 1), ("100M", 1e8), (" 4 ", 4), ("5-5", 5), ("900-1,100", 995),
        (True, None), ("", None), ("many", None),
        ("1.2.3", None), ("12 apples", None), (None, None), ([], None), ({}, None),
        (float("nan"), None), (float("inf"), None), (10**400, None), ("9" * 200, None), ("1-2-3", None),
    ],
)  # fmt: skip
def test_numbers(found, number):
    assert number_of(found) == number


@pytest.mark.parametrize(
    ("found", "moment"),
    [
        ("2026-03-12", datetime(2026, 3, 12)), ("2026-03-12T10:00:00Z", datetime(2026, 3, 12, 10)),
        ("2026-03-12T10:00:00+02:00", datetime(2026, 3, 12, 8)), (946684800, datetime(2000, 1, 1)),
        (946684800000, datetime(2000, 1, 1)), ("2026", None), ("soon", None), (-1, None), (1e300, None), (None, None),
        ("0001-01-01T00:00:00+10:00", None), (True, None), (float("nan"), None),
    ],
)  # fmt: skip
def test_times(found, moment):
    assert time_of(found) == moment


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ("a", "a"),
        (["a", 2, None, "a", {}, " "], "a, 2"),
        ([], None),
        (3.0, "3"),
        (True, None),
        ({}, None),
        ("  ", None),
    ],
)
def test_texts(found, text):
    assert text_of(found) == text


@pytest.mark.parametrize(
    ("found", "code"), [("us", "US"), ("USA", "US"), ("united kingdom", "GB"), (3, None), ("x" * 99, None)]
)
def test_countries(found, code):
    assert country_of(found) == code


@pytest.mark.parametrize(
    ("found", "year"), [("+1920-00-00T00:00:00Z", 1920), (1920, 1920), ("12", None), (None, None), ("19201", None)]
)
def test_years(found, year):
    assert year_of(found) == year


def test_truth():
    assert [bool_of(x) for x in (True, "Yes", "false", 1, None, "x")] == [True, True, False, None, None, None]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KINDS = {Type.NUMBER: float, Type.TEXT: str, Type.BOOL: bool, Type.TIME: datetime}


@given(anything, st.sampled_from(sorted(VOCABULARY)))
def test_what_comes_out_is_of_the_type_or_nothing(found, attribute):
    wanted = VOCABULARY[attribute].type
    value = convert(found, attribute, wanted)
    assert value is None or isinstance(value, KINDS[wanted])
