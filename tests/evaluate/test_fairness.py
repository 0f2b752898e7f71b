from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from leadlight.evaluate.fairness import fairness, proxies


def groups(**sizes: int) -> np.ndarray:
    return np.array([name for name, n in sizes.items() for _ in range(n)], object)


def test_four_fifths_by_hand() -> None:
    group = groups(a=200, b=200)
    chosen = np.concatenate([np.arange(200) < 100, np.arange(200) < 60])
    found = fairness("sex", group, chosen=chosen, won=np.zeros(400, bool))
    first, second = found.groups
    assert (first.name, first.ratio, first.chosen.rate) == ("a", None, 0.5)
    assert second.ratio.value == pytest.approx(0.6)
    error = np.sqrt(1 / 60 - 1 / 200 + 1 / 100 - 1 / 200)
    assert second.ratio.low == pytest.approx(0.6 * np.exp(-1.959964 * error))
    assert second.ratio.high == pytest.approx(0.6 * np.exp(1.959964 * error))
    assert second.falls_short
    assert found.findings == ("b is chosen 60% as often as a, less than four fifths",)


def test_few_people_prove_nothing_and_tiny_groups_are_no_measure() -> None:
    group = groups(a=100, b=10, c=1)
    chosen = np.concatenate([np.arange(100) < 50, np.arange(10) < 3, [True]])
    found = fairness("origin", group, chosen=chosen, won=chosen)
    assert [item.name for item in found.groups] == ["a", "b", "c"]  # c is chosen most, but is one person
    assert found.groups[1].ratio.value == pytest.approx(0.6)
    assert not found.groups[1].falls_short
    assert found.groups[2].ratio.value == pytest.approx(2.0)
    assert str(found).startswith("origin: nothing stands out")


def test_a_group_of_whom_nobody_is_chosen() -> None:
    group = groups(a=300, b=300)
    found = fairness("sex", group, chosen=group == "a", won=np.zeros(600, bool))
    assert found.groups[1].ratio.value == 0.0
    assert found.groups[1].falls_short
    nobody = fairness("sex", group, chosen=np.zeros(600, bool), won=np.zeros(600, bool))
    assert [item.ratio for item in nobody.groups] == [None, None]


def test_probabilities_that_hold_for_one_group_only() -> None:
    rng = np.random.default_rng(0)
    group = np.array(["a", "b", None, "a"] * 1000, object)
    p = np.full(4000, 0.2)
    won = rng.random(4000) < np.where(group == "b", 0.35, 0.2)
    found = fairness("sex", group, chosen=p > 0.1, won=won, probability=p)
    assert {item.name: item.since.off for item in found.groups} == {"a": False, "b": True, "missing": False}
    assert found.findings[0].startswith("the probabilities do not hold for b: ")
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["attribute"] == "sex"


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("ab")), min_size=1, max_size=60))
def test_mutual_information_against_scikit_learn(rows: list[tuple[str, str]]) -> None:
    feature, group = ([row[i] for row in rows] for i in range(2))
    found = proxies(np.array(group, object), pa.table({"f": feature}))[0]
    entropy = mutual_info_score(group, group)
    chance = (len(set(feature)) - 1) * (len(set(group)) - 1) / (2 * len(rows))
    expected = (mutual_info_score(feature, group) - chance) / entropy if entropy > 0 else 0.0
    assert found.told == pytest.approx(min(max(expected, 0.0), 1.0), abs=1e-9)
    most = sum(max(sum(pair == (x, y) for pair in rows) for y in "ab") for x in "xyz")
    assert found.right == pytest.approx(most / len(rows))
    assert found.right_without == pytest.approx(max(group.count("a"), group.count("b")) / len(rows))


def test_proxies_are_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    group = np.array(["a", "b"] * 1000, object)
    features = pa.table({
        "noise": rng.normal(size=2000),
        "many": [f"c{i}" for i in rng.integers(0, 50, 2000)],
        "title": np.where(rng.random(2000) < 0.9, np.where(group == "a", "Mr", "Ms"), "Dr").tolist(),
        "height": np.where(group == "a", 180.0, 168.0) + 7 * rng.normal(size=2000),
    })  # fmt: skip
    found = fairness("sex", group, chosen=np.ones(2000, bool), won=np.zeros(2000, bool), features=features)
    assert [item.feature for item in found.proxies if item.is_proxy] == ["title", "height"]
    assert found.proxies[0].told == pytest.approx(0.9, abs=0.03)
    assert found.findings[0] == "title guesses it right in 95% instead of 50%"


def test_nobody() -> None:
    found = fairness(
        "sex",
        np.empty(0, object),
        chosen=np.empty(0, bool),
        won=np.empty(0, bool),
        features=pa.table({"f": pa.array([], pa.float64())}),
    )
    assert found.groups == ()
    assert found.proxies[0].told == 0.0
