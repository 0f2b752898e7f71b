"""Whatever JSON a system sends, a value is of the type that was promised, or none."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.connect.typed import TEXT_MOST, typed
from leadlight.expr.types import Type

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
KINDS = {Type.TEXT: str, Type.NUMBER: float, Type.BOOL: bool, Type.TIME: datetime}


@settings(max_examples=150, deadline=None)
@given(value=JSON)
def test_a_value_is_of_its_type_or_none(value: Any) -> None:
    for kind, made in KINDS.items():
        found = typed(value, kind)
        assert found is None or type(found) is made
        assert not isinstance(found, float) or math.isfinite(found)
        assert not isinstance(found, datetime) or found.tzinfo is None
        assert not isinstance(found, str) or (found and len(found) <= TEXT_MOST and "\x00" not in found)


@settings(max_examples=50, deadline=None)
@given(at=st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 28)), hours=st.integers(-14, 14))
def test_a_time_is_the_same_moment_in_any_zone(at: datetime, hours: int) -> None:
    local = at + timedelta(hours=hours)
    assert typed(f"{local.isoformat()}{hours:+03d}:00", Type.TIME) == at


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1e999", Type.NUMBER),
        ("nan", Type.NUMBER),
        (10**400, Type.NUMBER),
        pytest.param(10**5000, Type.TEXT, id="thousands-of-digits"),
        pytest.param(10**5000, Type.BOOL, id="true-or-false-of-thousands-of-digits"),
        ("0001-01-01T00:00:00+14:00", Type.TIME),
        ("9999-12-31T23:59:59-14:00", Type.TIME),
        ("  ", Type.TEXT),
        ([], Type.TEXT),
        ([None, {}], Type.TEXT),
        (float("nan"), Type.TEXT),
    ],
)
def test_what_is_none_of_it_is_none(value: Any, kind: Type) -> None:
    assert typed(value, kind) is None
