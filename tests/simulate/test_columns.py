from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa

from leadlight.simulate.columns import lead_ids, moments, texts


def test_texts_are_the_words_of_their_codes_or_null() -> None:
    assert texts(("a", "b"), np.array([1, 0, 1]), np.array([False, False, True])).to_pylist() == ["b", "a", None]


def test_moments_are_naive_utc() -> None:
    found = moments(np.array([86_400]), "us")
    assert found.type == pa.timestamp("us")
    assert found.to_pylist() == [datetime.fromisoformat("1970-01-02")]


def test_ids_count_from_one_and_outgrow_their_zeros() -> None:
    assert lead_ids(np.array([0, 41, 12_345_678])).to_pylist() == ["L0000001", "L0000042", "L12345679"]
