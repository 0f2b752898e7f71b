from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from leadlight.spec.retain import RetainSpec


def test_three_years_and_an_archive_unless_told() -> None:
    assert RetainSpec() == RetainSpec(keep=timedelta(days=1095), archive=".leadlight/archive")
    assert RetainSpec.model_validate({"keep": "30d", "archive": None}).archive is None


def test_a_length_of_time_is_a_duration() -> None:
    with pytest.raises(ValidationError):
        RetainSpec.model_validate({"keep": "long"})
