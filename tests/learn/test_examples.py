from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.examples import Examples

FEATURES = pa.table({"x": [1.0, None, 3.0], "city": ["a", "b", None]})
ROWS = Examples(features=FEATURES, won=np.array([True, False, True]), time=np.array([1.0, 2.0, 3.0]), horizon=30.0)


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])], ids=["numbers", "mask"])
def test_some_rows_keep_all_that_belongs_to_them(rows: np.ndarray) -> None:
    place = np.flatnonzero(rows) if rows.dtype == bool else rows
    taken = ROWS.take(rows)
    assert taken.features.to_pylist() == [FEATURES.to_pylist()[k] for k in place]
    assert (taken.lead.tolist(), taken.wins, taken.horizon) == (place.tolist(), 2, 30.0)
    assert taken.time is not None
    assert taken.time.tolist() == (place + 1.0).tolist()


def test_some_features() -> None:
    assert ROWS.select(["city"]).names == ["city"]


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rows of features"):
        Examples(features=FEATURES, won=np.array([True]))
