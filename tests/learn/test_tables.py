from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from leadlight.learn.tables import CategoryAxis, NumberAxis, Tables, Term, sigmoid

SIZE, CITY = NumberAxis("size", (0.0, 10.0)), CategoryAxis("city", (("Rome", "Oslo"), ("Bonn",)))
ROWS = pa.table({"size": [None, -1.0, 0.0, 10.0], "city": ["Oslo", None, "Paris", "Bonn"]})


def test_the_place_of_each_value() -> None:
    assert SIZE.places(ROWS).tolist() == [0, 1, 2, 3]
    assert CITY.places(ROWS).tolist() == [1, 0, 3, 2]


def test_bools_and_columns_without_any_value() -> None:
    axis = CategoryAxis("member", ((False,), (True,)))
    assert axis.places(pa.table({"member": [True, None, False]})).tolist() == [2, 0, 1]
    assert CITY.places(pa.table({"city": pa.nulls(2, pa.string())})).tolist() == [0, 0]
    assert CategoryAxis("city", ()).places(ROWS).tolist() == [1, 0, 1, 1]


def test_contributions_and_base_are_the_log_odds() -> None:
    r = np.random.default_rng(0)
    tables = Tables(-1.0, (Term((SIZE,), r.normal(size=4)), Term((CITY, SIZE), r.normal(size=(4, 4)))))
    assert np.allclose(tables.contributions(ROWS).sum(1) - 1.0, tables.log_odds(ROWS), atol=1e-12)
    assert tables.features == ("size", "city")


def test_without_tables_there_is_only_the_base() -> None:
    assert Tables(0.5, ()).log_odds(ROWS).tolist() == [0.5] * 4
    assert Tables(0.5, ()).contributions(ROWS).shape == (4, 0)


@given(st.lists(st.floats(-700, 700), min_size=1))
def test_probabilities_of_opposite_log_odds_add_to_one(log_odds: list[float]) -> None:
    assert np.allclose(sigmoid(log_odds) + sigmoid([-z for z in log_odds]), 1.0, atol=1e-12)
