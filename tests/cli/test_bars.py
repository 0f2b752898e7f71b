from __future__ import annotations

import pytest

from leadlight.cli.bars import bar


@pytest.mark.parametrize("value", [-10.0, -0.001, 0.0, 0.001, 3.3, 9.99, 10.0, 40.0])
def test_a_bar_is_always_as_wide(value: float) -> None:
    assert len(bar(value, 10.0, 6).plain) == 13


def test_the_smallest_contribution_is_still_seen() -> None:
    assert "▏" in bar(1e-6, 100.0).plain
    assert "█│" in bar(-1e-6, 100.0).plain


def test_nothing_to_compare_with_is_no_bar() -> None:
    assert bar(0.0, 0.0, 3).plain == "   │   "
