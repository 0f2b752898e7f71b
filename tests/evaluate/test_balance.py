from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency

from leadlight.evaluate.balance import balance


def test_a_random_choice_leaves_both_arms_alike() -> None:
    dice = np.random.default_rng(1)
    features = pa.table({f"x{i}": dice.normal(0, 1, 5000) for i in range(20)})
    found = balance(features, dice.random(5000) < 0.5, meant=0.5)
    assert found.alike
    assert found.differing == ()
    assert "alike before, by 20 features" in str(found)


def test_a_choice_by_a_feature_is_seen_and_named() -> None:
    dice = np.random.default_rng(2)
    loyal = dice.random(4000) < 0.3
    treated = dice.random(4000) < np.where(loyal, 0.6, 0.4)
    found = balance(pa.table({"loyal": loyal, "noise": dice.normal(0, 1, 4000)}), treated)
    assert not found.alike
    assert [item.feature for item in found.differing] == ["loyal"]
    assert "loyal is" in str(found)
    assert "leave_out" in str(found)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["differing"] == ["loyal"]


def test_the_test_is_the_chi_square_test() -> None:
    column = np.repeat(["a", "b", "a", "b"], [300, 200, 250, 250])
    treated = np.repeat([True, False], 500)
    found = balance(pa.table({"x": column}), treated)
    table = np.array([[300, 200], [250, 250]])
    assert found.features[0].chance == pytest.approx(chi2_contingency(table, correction=False).pvalue)


def test_more_treated_than_meant_is_a_mismatch() -> None:
    treated = np.arange(10_000) % 100 < 55
    found = balance(pa.table({"x": np.arange(10_000) % 7 * 1.0}), treated, meant=0.5)
    assert not found.alike
    assert "55.0% were treated, not the 50.0%" in str(found)
    assert balance(pa.table({"x": np.arange(10_000) % 7 * 1.0}), treated, meant=0.55).alike
