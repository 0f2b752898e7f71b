from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from leadlight.learn.black_box import black_box
from leadlight.learn.examples import Examples


def rows(n: int, seed: int, *, timed: bool = True) -> Examples:
    dice = np.random.default_rng(seed)
    x, kind = dice.normal(size=n), dice.choice(["a", "b", "c"], n)
    won = dice.random(n) < 1 / (1 + np.exp(-(2 * x + (kind == "a") - 1)))
    flag = dice.random(n) < 0.5
    features = pa.table({"x": pa.array(x, mask=flag & (x < -2)), "kind": kind, "flag": flag})
    return Examples(features=features, won=won, time=np.arange(n, dtype=float) if timed else None)


@pytest.mark.parametrize("timed", [True, False])
def test_it_learns_what_there_is_the_same_every_time(timed: bool) -> None:
    train, test = rows(3000, 1, timed=timed), rows(2000, 2)
    box, again = black_box(train), black_box(train)
    assert box is not None
    assert again is not None
    found = box.probability(test.features)
    assert roc_auc_score(test.won, found) > 0.8
    assert (again.probability(test.features) == found).all()
    assert box.gain["x"] > box.gain["kind"] > box.gain["flag"]


def test_values_it_has_not_seen_are_no_fault() -> None:
    box = black_box(rows(500, 1))
    assert box is not None
    odd = pa.table({"flag": [True], "kind": ["never seen"], "x": [0.0]})
    assert 0 < box.probability(odd)[0] < 1


def test_too_few_wins_give_none() -> None:
    few = rows(60, 1)
    some = np.concatenate([np.flatnonzero(few.won)[:10], np.flatnonzero(~few.won)])
    assert black_box(few.take(some)) is None
