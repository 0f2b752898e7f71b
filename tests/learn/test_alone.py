"""What features say alone and together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from leadlight.learn.alone import auc, auc_error, each_alone, fold_of, out_of_fold, per_lead, together
from leadlight.learn.examples import Examples

DRAW = np.random.default_rng(7)
SIZE = DRAW.normal(size=4000)
OTHER = DRAW.normal(size=4000)
WON = DRAW.random(4000) < 1 / (1 + np.exp(1.5 - SIZE - OTHER))
ROWS = Examples(features=pa.table({"size": SIZE, "other": OTHER, "noise": DRAW.normal(size=4000)}), won=WON)


def test_auc_is_that_of_others_ties_included() -> None:
    score = np.round(SIZE, 1)
    assert auc(score, WON) == pytest.approx(roc_auc_score(WON, score), abs=1e-12)
    assert auc(score, np.zeros(4000, bool)) == 0.5


def test_the_error_of_an_auc_is_that_of_repeated_draws() -> None:
    found = []
    for seed in range(300):
        draw = np.random.default_rng(seed)
        won = np.arange(300) < 60
        found.append(auc(draw.normal(size=300) + won, won))
    assert auc_error(float(np.mean(found)), 60, 240) == pytest.approx(np.std(found), rel=0.15)


def test_noise_is_worth_nothing_and_a_trait_something() -> None:
    found = each_alone(ROWS, fold_of(ROWS.lead))
    assert abs(found["noise"].auc - 0.5) < 3 * found["noise"].error
    assert found["noise"].told < 0.005
    assert found["size"].auc == pytest.approx(auc(SIZE, WON), abs=0.02)


def test_together_is_more_than_alone() -> None:
    folds = fold_of(ROWS.lead)
    found = each_alone(ROWS, folds)
    both = together([found["size"], found["other"]], ROWS, folds)
    assert both > max(found["size"].auc, found["other"].auc) + 0.05
    assert together([found["other"], found["size"]], ROWS, folds) == both
    assert together([], ROWS, folds) == 0.5


def test_a_row_is_not_judged_by_itself() -> None:
    """Every row its own value: in the fold it would be known by heart."""
    codes, won = np.arange(200, dtype=np.uint8), DRAW.random(200) < 0.3
    chance = out_of_fold(codes, won, fold_of(np.arange(200)), prior=1.0)
    assert np.allclose(chance, won.mean())


def test_rows_of_a_lead_share_a_fold() -> None:
    lead = np.repeat(np.arange(50), 4)
    folds = fold_of(lead)
    assert all(len(set(folds[lead == one].tolist())) == 1 for one in range(50))
    assert np.bincount(folds).tolist() == [40] * 5
    assert (folds == fold_of(lead)).all()
    assert not (folds == fold_of(lead, seed=1)).all()
    assert per_lead(Examples(features=pa.table({"a": np.zeros(200)}), won=np.zeros(200, bool), lead=lead)) == 0.25
