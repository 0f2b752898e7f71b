from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from leadlight.evaluate.bootstrap import leads_of
from leadlight.evaluate.ranking import SHARES, in_order, rank_figures

ROWS = st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40)


def figures(score: list[float], won: list[bool], weights: list[float] | None = None) -> np.ndarray:
    leads = leads_of(None, len(score))
    weight = None if weights is None else np.array(weights, float)
    order = in_order(np.array(score, float), np.array(won, bool), leads, weights=weight)
    return rank_figures(order, np.ones((1, leads.count)))[0]


def by_hand(score: list[float], won: list[bool], share: float) -> float:
    """Share ties fairly: walk down the scores, the last one in proportion."""
    left, found = Fraction(share).limit_denominator(100) * len(score), Fraction(0)
    for value in sorted(set(score), reverse=True):
        tied = [win for one, win in zip(score, won, strict=True) if one == value]
        part = min(max(left / len(tied), Fraction(0)), Fraction(1))
        found += part * sum(tied)
        left -= len(tied)
    return float(found / sum(won))


@given(ROWS)
def test_against_scikit_learn_and_a_walk_by_hand(rows: list[tuple[int, bool, int]]) -> None:
    score, won = [float(row[0]) for row in rows], [row[1] for row in rows]
    auc, precision, *gain = figures(score, won)
    if not any(won):
        assert np.isnan([auc, precision, *gain]).all()
        return
    assert precision == pytest.approx(average_precision_score(won, score))
    assert gain == pytest.approx([by_hand(score, won, share) for share in SHARES])
    if all(won):
        assert np.isnan(auc)
    else:
        assert auc == pytest.approx(roc_auc_score(won, score))


@given(ROWS)
def test_a_weight_is_as_good_as_so_many_rows(rows: list[tuple[int, bool, int]]) -> None:
    score, won, times = ([row[i] for row in rows] for i in range(3))
    repeated = [(one, win) for one, win, n in rows for _ in range(n)]
    if not repeated:
        return
    expected = figures([row[0] for row in repeated], [row[1] for row in repeated])
    assert figures(score, won, times) == pytest.approx(expected, nan_ok=True)
    # Counts of drawn leads are weights too.
    order = in_order(np.array(score, float), np.array(won, bool), leads_of(None, len(rows)))
    assert rank_figures(order, np.array([times], float))[0] == pytest.approx(expected, nan_ok=True)


def test_known_by_hand() -> None:
    # Ten leads, the two best tie and one of them won; the fifth won too.
    score = [9.0, 9.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    won = [True, False, False, False, True, False, False, False, False, False]
    auc, precision, gain5, gain10, gain20 = figures(score, won)
    assert auc == pytest.approx((7.5 + 5) / 16)
    assert precision == pytest.approx((1 / 2 + 2 / 5) / 2)
    assert (gain5, gain10, gain20) == (pytest.approx(0.125), pytest.approx(0.25), pytest.approx(0.5))


def test_a_constant_is_a_coin() -> None:
    assert figures([1.0] * 50, [True] * 10 + [False] * 40) == pytest.approx([0.5, 0.2, 0.05, 0.1, 0.2])


def test_nobody_and_missing_scores() -> None:
    assert np.isnan(figures([], [])).all()
    with pytest.raises(ValueError, match="score holds 1 missing"):
        figures([1.0, float("nan")], [True, False])
