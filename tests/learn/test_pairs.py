from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadlight.learn.pairs import MOST_SIDE_VALUES, choose_pairs, held_out_gain, pair_codes, pair_term, side
from leadlight.learn.tables import CategoryAxis, NumberAxis

N = 6000
AXIS = NumberAxis("x", tuple(map(float, range(1, 10))))


def drawn(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 11, N).astype(np.uint8)


def test_the_pair_that_acts_is_chosen_and_no_other() -> None:
    codes = tuple(drawn(seed) for seed in range(4))
    acts = np.where((codes[1] > 5) == (codes[3] > 5), 0.3, -0.3)
    won = np.random.default_rng(9).random(N) < 0.5 + acts
    sides = [side(AXIS, column) for column in codes]
    period = np.arange(N) * 6 // N
    pairs, considered = choose_pairs(sides, codes, won - 0.5, np.full(N, 0.25), period, most=3, allowed=[0, 1, 2, 3])
    assert (pairs[0].first, pairs[0].second) == (1, 3)
    assert considered == 6
    assert len(pairs) == 1 or pairs[1].gain < pairs[0].gain / 20


def test_what_turns_from_period_to_period_gains_nothing() -> None:
    g = np.array([[[30.0]], [[-30.0]], [[30.0]], [[-30.0]]])
    assert held_out_gain(g, np.full_like(g, 50.0)) < 0
    assert held_out_gain(np.abs(g), np.full_like(g, 50.0)) > 0


def test_sides_are_few_and_a_value_called_other_is_among_the_others() -> None:
    axis = CategoryAxis("city", (("other",), *((f"c{k}",) for k in range(20))))
    codes = np.repeat(np.arange(1, 22), 10).astype(np.uint8)
    found = side(axis, codes)
    assert found.axis.size == MOST_SIDE_VALUES + 2
    assert found.place_of[1] == found.axis.size - 1
    assert side(AXIS, drawn(0)).axis.size == 6 + 1


def test_a_cell_of_the_term_is_the_value_of_its_code() -> None:
    first, second = side(AXIS, drawn(0)), side(AXIS, drawn(1))
    values = np.random.default_rng(2).normal(size=1 + first.cells * second.cells)
    rows = pa.table({"x": [None, 0.5, 3.5, 9.5]})
    term = pair_term(first, second, values, np.zeros(len(values)))
    fine = AXIS.places(rows).astype(np.uint8)
    assert term.values(rows).tolist() == values[pair_codes(first, second, fine, fine)].tolist()
    assert (term.log_odds[0] == values[0]).all()
    assert (term.log_odds[:, 0] == values[0]).all()
