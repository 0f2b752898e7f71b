from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from leadlight.evaluate.drift import (
    NO_CHANCES,
    Since,
    calibration_since,
    column_drift,
    feature_drift,
    psi,
    score_drift,
    watch,
)


def world(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(rng.normal(size=n) - 2)))
    return p, rng.random(n) < p


def test_psi_by_hand() -> None:
    before, now = np.array([100_000, 300_000, 600_000]), np.array([200_000, 300_000, 500_000])
    expected = 0.1 * np.log(2) + 0 + (-0.1) * np.log(5 / 6)
    assert psi(before, now) == pytest.approx(expected, abs=1e-5)
    assert psi(before, before * 3) == pytest.approx(0.0, abs=1e-9)
    assert np.isfinite(psi(np.array([0, 10]), np.array([10, 0])))


def test_the_same_leads_are_stable_and_chance_is_told() -> None:
    rng = np.random.default_rng(0)
    stable, below = 0, 0
    for _ in range(200):
        found = score_drift(rng.normal(size=300), rng.normal(size=150))
        stable += found.band == "stable"
        below += found.psi <= found.by_chance
    assert stable >= 185  # although PSI above .1 is common in samples so small
    assert below >= 185


def test_many_features_of_few_leads_do_not_cry_wolf() -> None:
    rng = np.random.default_rng(0)

    def sample(rows: int) -> pa.Table:
        return pa.table(
            {f"f{i}": rng.normal(size=rows) if i % 2 else rng.choice(list("abcd"), rows) for i in range(40)}
        )

    # Nothing has shifted; each feature by itself would be beyond chance in 1 of 20.
    alarms = sum(watch(reference=sample(200), recent=sample(40)).needs_learning for _ in range(20))
    assert alarms <= 3
    moved = sample(40).set_column(0, "f0", pa.array(["d"] * 40))
    assert watch(reference=sample(200), recent=moved).needs_learning


@pytest.mark.parametrize(("shift", "band"), [(0.0, "stable"), (0.4, "some shift"), (1.0, "large shift")])
def test_a_shift_of_numbers(shift: float, band: str) -> None:
    rng = np.random.default_rng(0)
    found = score_drift(rng.normal(size=5000), rng.normal(size=5000) + shift)
    assert found.band == band
    # Normals that differ by d in the mean differ by d² in (continuous) PSI.
    assert found.psi == pytest.approx(shift**2, abs=0.1)


def test_what_has_become_missing_or_new_is_a_shift() -> None:
    before = pa.table({"a": ["x"] * 100, "b": [1.0] * 100, "gone": ["y"] * 100, "same": [True, False] * 50})
    now = pa.table({"a": ["new"] * 100, "b": [None] * 90 + [1.0] * 10, "same": [True, False] * 50})
    found = {item.name: item for item in feature_drift(before, now)}
    assert {name: item.band for name, item in found.items()} == {
        "a": "large shift", "b": "large shift", "gone": "large shift", "same": "stable",
    }  # fmt: skip
    assert found["b"].moved_most == ("1", 1.0, 0.1)
    assert found["gone"].bins == (("y", 1.0, 0.0), ("missing", 0.0, 1.0))
    assert ("other", 0.0, 1.0) in found["a"].bins
    assert list(found)[-1] == "same"


def test_nothing_to_compare_is_unknown() -> None:
    found = column_drift("a", pa.array([], pa.float64()), pa.array([1.0]))
    assert (found.psi, found.band, str(found)) == (None, "unknown", "a: nothing to compare")


def test_wins_are_within_what_chance_allows_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(500):
        p, won = world(120, seed=seed)
        found = calibration_since(p, won)[0]
        inside += found.low <= found.won <= found.high
    assert 462 <= inside <= 495


def test_rows_of_one_lead_widen_the_range() -> None:
    p, won = world(200)
    once = calibration_since(p, won)[0]
    again = calibration_since(np.tile(p, 4), np.tile(won, 4), lead=np.tile(np.arange(200), 4))[0]
    assert again.expected - again.low == pytest.approx(4 * (once.expected - once.low), rel=0.1)


def test_segments_are_named_and_the_one_that_is_off_is_found() -> None:
    p, won = world(6000)
    segment = np.array(["north", "south", None] * 2000, object)
    won = won & ((segment != "south") | (np.arange(6000) % 4 == 1))
    found = calibration_since(p, won, segment=segment)
    assert [item.segment for item in found] == [None, "missing", "north", "south"]
    assert [item.off for item in found[1:]] == [False, False, True]
    assert found[0].n == 6000
    assert sum(item.won for item in found[1:]) == found[0].won


def test_a_small_difference_is_let_be_even_when_it_is_no_chance() -> None:
    assert not Since(None, 100_000, 10_900, 10_000, 9_800, 10_200).off
    assert Since(None, 100_000, 13_000, 10_000, 9_800, 10_200).off


def test_watch_says_when_to_learn_and_why() -> None:
    p, won = world(3000)
    quiet = watch(
        reference=pa.table({"size": p[:1500]}), recent=pa.table({"size": p[1500:]}),
        reference_score=p[:1500], recent_score=p[1500:], probability=p, won=won,
    )  # fmt: skip
    assert not quiet.needs_learning
    assert str(quiet).startswith("No need to learn again: nothing has shifted much. ")
    loud = watch(
        reference=pa.table({"size": p}), recent=pa.table({"size": p + 1}), reference_score=p, recent_score=p + 1,
        probability=p / 3, won=won, segment=np.array(["a", "b"] * 1500, object),
    )  # fmt: skip
    assert loud.needs_learning
    assert len(loud.reasons) == 4
    assert loud.reasons[0].startswith("the scores have shifted (PSI ")
    assert loud.reasons[1].startswith("1 feature has shifted: size: large shift")
    assert loud.reasons[2].startswith("the probabilities no longer hold: ")
    assert loud.reasons[3].startswith("the probabilities no longer hold for a: ")
    plain = loud.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["needs_learning"]
    assert str(watch()) == f"No need to learn again: nothing has shifted much. {NO_CHANCES}"


def test_nobody_since() -> None:
    found = calibration_since(np.empty(0), np.empty(0, bool), segment=np.empty(0, object))
    assert found == (Since(None, 0, 0, 0.0, 0.0, 0.0),)
    assert not found[0].off
