from __future__ import annotations

import numpy as np
import pytest

from leadlight.evaluate.arrays import no_gaps, same_length


def test_lengths_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match="score 2, won 3$"):
        same_length(score=np.zeros(2), won=np.zeros(3), lead=None)
    assert same_length(lead=None) == 0


def test_missing_values_are_counted() -> None:
    with pytest.raises(ValueError, match="score holds 2 missing values"):
        no_gaps("score", np.array([1.0, np.nan, np.nan]))
    assert no_gaps("score", np.array([1, 2])).dtype == np.float64
