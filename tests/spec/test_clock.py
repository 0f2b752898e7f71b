from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from leadlight.spec.clock import ClockSpec


def test_once_a_day_unless_told() -> None:
    assert ClockSpec().every == timedelta(days=1)
    assert ClockSpec.model_validate({"every": "15m"}).every == timedelta(minutes=15)
    assert ClockSpec.model_validate({"every": None}).every is None


@pytest.mark.parametrize("told", ["often", "0s", 5])
def test_a_step_is_a_duration(told: object) -> None:
    with pytest.raises(ValidationError):
        ClockSpec.model_validate({"every": told})
