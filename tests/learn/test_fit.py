from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from leadlight.errors import TooFewOutcomes, UsageError
from leadlight.learn.examples import Examples
from leadlight.learn.fit import FitSettings, Fitted, fit
from leadlight.learn.tables import sigmoid


def world(n: int = 6000, seed: int = 0, *, timed: bool = True, **more: Sequence[Any]) -> Examples:
    """Make leads whose true log-odds are -1.5 + x + (a and b differ from 0 alike) + what their city is."""
    r = np.random.default_rng(seed)
    x, a, b = r.normal(size=n), r.normal(size=n), r.normal(size=n)
    city = r.choice(["Rome", "Oslo", "Bonn"], size=n)
    z = -1.5 + x + 1.5 * ((a > 0) == (b > 0)) + np.where(city == "Oslo", -1.0, 0.5)
    missing = r.random(n) < 0.1
    columns = {"x": pa.array(x, mask=missing), "a": a, "b": b, "city": city, **more}
    won = r.random(n) < sigmoid(np.where(missing, z - x, z))
    return Examples(features=pa.table(columns), won=won, time=np.arange(n) / 10.0 if timed else None)


def auc(fitted: Fitted, rows: Examples) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(rows.won, fitted.probability(rows.features)))


def true_auc(rows: Examples) -> float:
    """Return the area under the curve of the true probabilities of `world`."""
    from sklearn.metrics import roc_auc_score

    x, a, b = (np.nan_to_num(rows.features[name].to_numpy()) for name in ("x", "a", "b"))
    city = np.where(rows.features["city"].to_numpy() == "Oslo", -1.0, 0.5)
    return float(roc_auc_score(rows.won, x + 1.5 * ((a > 0) == (b > 0)) + city))


def calibration_gap(fitted: Fitted, rows: Examples) -> float:
    """Return the mean distance of probability and rate over ten bins."""
    p = fitted.probability(rows.features)
    parts = np.array_split(np.argsort(p), 10)
    return float(np.mean([abs(p[part].mean() - rows.won[part].mean()) for part in parts]))


@pytest.mark.parametrize("timed", [True, False])
def test_effects_and_their_pair_are_found_and_probabilities_are_true(timed: bool) -> None:
    fitted, new = fit(world(timed=timed)), world(seed=1)
    assert ("a", "b") in fitted.pairs_chosen
    assert auc(fitted, new) > true_auc(new) - 0.01
    assert calibration_gap(fitted, new) < 0.04
    assert all(facts.bands_after <= 14 for facts in fitted.terms if len(facts.features) == 1)
    assert fitted.rows == 6000
    assert fitted.wins == world().wins


def test_the_same_seed_gives_the_same_tables() -> None:
    one, two = (fit(world(2000, timed=False)).probability(world(seed=3).features) for _ in range(2))
    assert (one == two).all()


def test_copies_of_a_feature_say_no_more_than_it() -> None:
    rows = world(3000)
    x = rows.features["x"]
    three = Examples(features=rows.features.append_column("x2", x).append_column("x3", x), won=rows.won, time=rows.time)
    once, thrice = fit(rows), fit(three)
    assert thrice.left_out == dict.fromkeys(("x2", "x3"), "says the same as 'x' in every row")
    assert (once.probability(rows.features) == thrice.probability(three.features)).all()


def test_near_copies_of_a_feature_hardly_add_confidence() -> None:
    rows = world(3000)
    near = pa.array(np.nan_to_num(rows.features["x"].to_numpy()) + np.random.default_rng(1).normal(0, 0.05, 3000))
    two = Examples(features=rows.features.append_column("near", near), won=rows.won, time=rows.time)
    once, twice = (fit(given, FitSettings(most_pairs=0)).probability(given.features) for given in (rows, two))
    assert abs(once.std() - twice.std()) < 0.02


def test_one_win_of_a_new_value_moves_a_probability_by_its_shrunken_evidence_only() -> None:
    rows = world(3000)
    new = np.where(np.arange(3000) == int(np.flatnonzero(rows.won)[5]), "brand new", "old")
    new[::2] = "older"
    fitted = fit(Examples(features=rows.features.append_column("source", pa.array(new)), won=rows.won, time=rows.time))
    lead = rows.features.slice(0, 1)
    old, won_once = (
        float(fitted.probability(lead.append_column("source", pa.array([value])))[0]) for value in ("old", "brand new")
    )
    assert abs(won_once - old) < 0.05


def test_a_value_never_seen_is_as_the_rare_ones_were() -> None:
    rows = world(3000)
    source = np.random.default_rng(5).integers(0, 400, 3000).astype(str)
    fitted = fit(Examples(features=rows.features.append_column("source", pa.array(source)), won=rows.won))
    lead = rows.features.slice(0, 1)
    seen, unseen = (
        fitted.probability(lead.append_column("source", pa.array([value])))[0] for value in (source[7], "never")
    )
    assert seen == unseen


def test_an_effect_that_turns_is_not_kept_and_one_that_stays_is() -> None:
    r = np.random.default_rng(2)
    n = 12_000
    stays, turns = r.normal(size=n), r.normal(size=n)
    sign = np.where(np.arange(n) // 2000 % 2 == 0, 1.0, -1.0)
    won = r.random(n) < sigmoid(-1 + stays + sign * turns)
    rows = Examples(features=pa.table({"stays": stays, "turns": turns}), won=won, time=np.arange(n) / 10)
    kept = {facts.features: facts.kept for facts in fit(rows, FitSettings(most_pairs=0)).terms}
    assert kept[("stays",)] > 0.9
    assert kept[("turns",)] < 0.2


def test_a_base_rate_that_drifts_is_no_effect_and_the_newest_is_the_base() -> None:
    r = np.random.default_rng(4)
    n = 12_000
    x = r.normal(size=n)
    won = r.random(n) < sigmoid(-4 + 4 * np.arange(n) / n + x)
    fitted = fit(Examples(features=pa.table({"x": x}), won=won, time=np.arange(n) / 10))
    new = r.normal(size=5000)
    assert abs(fitted.probability(pa.table({"x": new})).mean() - sigmoid(new - 0.2).mean()) < 0.03


@pytest.mark.parametrize("way", ["rising", "falling"])
def test_a_feature_held_in_one_direction_goes_nowhere_else(way: Any) -> None:
    fitted = fit(world(2000), FitSettings(monotone={"x": way, "a": way}))
    for term in fitted.tables.terms:
        assert not ({"x", "a"} & set(term.features)) or len(term.features) == 1
        if term.features[0] in ("x", "a"):
            steps = np.diff(term.log_odds[1:]) * (1 if way == "rising" else -1)
            assert (steps >= -1e-12).all()


@pytest.mark.parametrize(
    ("name", "way", "said"), [("z", "rising", "z"), ("city", "rising", "no number"), ("x", "up", "up")]
)
def test_what_cannot_be_held_is_said(name: str, way: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fit(world(500), FitSettings(monotone={name: way}))


@pytest.mark.parametrize("wins", [0, 3, 497, 500])
def test_too_few_outcomes_have_an_error_of_their_own(wins: int) -> None:
    with pytest.raises(TooFewOutcomes, match="too few") as found:
        fit(Examples(features=pa.table({"x": np.arange(500.0)}), won=np.arange(500) < wins))
    assert (found.value.wins, found.value.losses) == (wins, 500 - wins)


def test_features_that_say_nothing_are_named_and_left_out() -> None:
    more = {"same": ["a"] * 500, "none": pa.nulls(500, pa.float64())}
    fitted = fit(world(500, **more))
    assert fitted.left_out == {"same": "has one value only", "none": "has no value"}
    assert sum("is not used" in warning for warning in fitted.warnings) == 2


def test_without_any_feature_every_row_gets_the_base_rate() -> None:
    fitted = fit(Examples(features=pa.table({"same": ["a"] * 500}), won=np.arange(500) % 5 == 0))
    assert fitted.probability(pa.table({"same": ["a", None]})) == pytest.approx([0.2, 0.2], abs=0.01)


def test_missing_values_unseen_in_training_do_not_fail() -> None:
    fitted = fit(world(1000))
    empty = pa.table({"x": [None], "a": [None], "b": [None], "city": [None]}).cast(world(10).features.schema)
    assert 0 < fitted.probability(empty)[0] < 1


def test_tables_are_centred_so_that_points_are_about_the_average_row() -> None:
    rows = world(3000)
    tables = fit(rows).tables
    assert np.abs(tables.contributions(rows.features).mean(axis=0)).max() < 1e-9


def test_what_merging_costs_is_said() -> None:
    merging = fit(world()).merging
    assert merging is not None
    fine, coarse = merging.auc
    assert abs(fine - coarse) < 0.01


def test_the_facts_are_plain_values() -> None:
    import json

    assert json.loads(json.dumps(fit(world(1000)).as_dict()))["rows"] == 1000
