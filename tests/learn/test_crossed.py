"""The curve of a card learned from everything: by the truth it should be right, and no row may vouch for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from leadlight.evaluate.arrays import Floats, Ints
from leadlight.learn.alone import fold_of
from leadlight.learn.calibrate import calibrate
from leadlight.learn.crossed import (
    ENOUGH,
    PARTS,
    at_newest,
    crossed_scores,
    curve_before,
    curve_of_all,
    points,
    slope_at,
    split_again,
)
from leadlight.learn.examples import Examples
from leadlight.learn.fit import FitSettings, fit
from leadlight.learn.points import points_per_unit
from leadlight.learn.tables import Tables, sigmoid

FEATURES = 12
SETTINGS = FitSettings(most_pairs=0)
SCALE = points_per_unit()
FLAT = Tables(-2.0, ())
"""A card that says the same of everybody."""


def people(rows: int, seed: int, *, lasting: float = 1.0) -> tuple[Examples, Floats]:
    """Draw leads in order of time, of whom three features tell something; return them and their true log-odds.

    In the last quarter the features tell only the share `lasting` of it.
    """
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, FEATURES))
    strength = np.where(np.arange(rows) < rows * 0.75, 1.0, lasting)
    truth = -2.0 + strength * (0.7 * x[:, 0] + 0.5 * x[:, 1] - 0.5 * x[:, 2])
    table = pa.table({f"x{k}": x[:, k] for k in range(FEATURES)})
    won = random.random(rows) < sigmoid(truth)
    return Examples(features=table, won=won, time=np.arange(rows, dtype=np.float64)), truth


def parts(rows: int) -> tuple[Ints, Ints]:
    return np.arange(int(rows * 0.75)), np.arange(int(rows * 0.75), rows)


def older_scores(examples: Examples, older: Ints, newest: Ints) -> Floats:
    return points(fit(examples.take(older), SETTINGS).tables, examples.take(newest))


def true_slope(truth: Floats, said: Floats) -> float:
    """Return the slope of a straight line through the true log-odds against those said."""
    return float(np.polyfit(np.log(said / (1 - said)), truth, 1)[0])


@pytest.mark.slow
def test_nearer_the_truth_than_the_newest_rows_alone() -> None:
    alone, together = [], []
    for seed in range(6):
        examples, _ = people(1_600, seed)
        older, newest = parts(1_600)
        score = older_scores(examples, older, newest)
        held = examples.take(newest)
        curve, _ = curve_of_all(examples, older, newest, score, FLAT, SETTINGS)
        new, truth = people(5_000, seed + 100)
        said = fit(examples, SETTINGS).tables.log_odds(new.features) * SCALE
        alone.append(true_slope(truth, calibrate(score, held.won, lead=held.lead, time=held.time).probabilities(said)))
        together.append(true_slope(truth, curve.probabilities(said)))
    assert np.median(np.abs(np.log(together))) < np.median(np.abs(np.log(alone)))
    assert np.median(together) == pytest.approx(1, abs=0.15)


def test_no_row_vouches_for_itself() -> None:
    """Other outcomes of a part's own leads leave the scores of the part as they were."""
    examples, _ = people(800, 1)
    before = crossed_scores(examples, SETTINGS)
    mine = fold_of(examples.lead, folds=PARTS) == 0
    after = crossed_scores(replace(examples, won=examples.won ^ mine), SETTINGS)
    assert before is not None
    assert after is not None
    assert (before[mine] == after[mine]).all()
    assert np.abs(before[~mine] - after[~mine]).max() > 1


def test_too_few_to_deal_out_leaves_the_curve_of_the_newest() -> None:
    examples, _ = people(60, 1)
    few = replace(examples, won=np.arange(60) % 5 == 0)
    assert crossed_scores(few, SETTINGS) is None
    older, newest = parts(60)
    score = np.linspace(-40, 0, len(newest))
    curve, same = curve_of_all(few, older, newest, score, Tables(score.mean() / SCALE, ()), SETTINGS)
    held = few.take(newest)
    assert same == pytest.approx(score)
    card = Tables(score.mean() / SCALE, ())
    assert curve == at_newest(calibrate(same, held.won, lead=held.lead, time=held.time), card, few)


def test_of_many_nothing_is_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadlight.learn.crossed.fit", None)
    examples, truth = people(ENOUGH * 40, 1)
    older, newest = parts(len(examples))
    held, said = examples.take(newest), truth[newest] * SCALE * 1.6  # the older card says more than it knows
    curve, score = curve_of_all(examples, older, newest, said, FLAT, SETTINGS)
    assert curve == at_newest(calibrate(score, held.won, lead=held.lead, time=held.time), FLAT, examples)
    assert score.mean() == pytest.approx(FLAT.base * SCALE), "the older card's base may be anything"
    of_older = calibrate(said, held.won, lead=held.lead, time=held.time).slope
    assert of_older == pytest.approx(1 / 1.6, abs=0.05)
    share = examples.won[older].sum() / examples.wins
    assert curve.slope == pytest.approx(slope_at(of_older, share), abs=0.02), "the card of all says less too much"


def test_the_level_is_that_of_the_newest_rows() -> None:
    """Of a tenth in which half as much is won, as its wins bear it out; without time there is no newest."""
    examples, _ = people(4_000, 3)
    fewer = examples.won & ~((np.arange(4_000) >= 3_600) & (np.arange(4_000) % 2 == 0))
    examples = replace(examples, won=fewer)
    card, last = fit(examples, SETTINGS).tables, np.arange(3_600, 4_000)
    newest = np.arange(3_000, 4_000)
    held, score = examples.take(newest), points(card, examples.take(newest))
    curve = calibrate(score, held.won, lead=held.lead, time=held.time)
    came = examples.won[last].sum()
    before, after = (one.probabilities(points(card, examples.take(last))).sum() for one in (
        curve, at_newest(curve, card, examples)))  # fmt: skip
    assert abs(np.log(after / came)) < 0.5 * abs(np.log(before / came))
    assert at_newest(curve, card, replace(examples, time=None)) == curve


def test_newest_rows_that_clearly_say_otherwise_have_the_last_word() -> None:
    examples, _ = people(6_000, 2, lasting=0.0)
    older, newest = parts(6_000)
    curve, score = curve_of_all(examples, older, newest, older_scores(examples, older, newest), FLAT, SETTINGS)
    said = curve.probabilities(score)
    assert np.log(said / (1 - said)).std() < 0.3  # the features told 1.0, and tell nothing any more


def test_the_curve_has_the_level_of_the_card_in_the_file() -> None:
    """The older card's base may be anything: what is said of new leads stays the same."""
    examples, _ = people(1_600, 3)
    older, newest = parts(1_600)
    score = older_scores(examples, older, newest)
    one, other = (curve_of_all(examples, older, newest, score + more, FLAT, SETTINGS)[0] for more in (0.0, 30.0))
    assert one.probabilities(np.array([-60.0, -20.0])) == pytest.approx(
        other.probabilities(np.array([-60.0, -20.0])), rel=0.02
    )


def test_what_could_be_said_before_does_not_suffer_from_the_time_an_older_card_ended_in() -> None:
    """Every card takes its base from its newest rows; those of the older card were bad ones, and passed."""
    examples, _ = people(3_000, 4)
    older, newest = parts(3_000)
    bad = np.arange(3_000) >= len(older) - 220  # the tenth that gives the base
    bad &= np.arange(3_000) < len(older)
    examples = replace(examples, won=examples.won & ~(bad & (np.arange(3_000) % 4 > 0)))
    card = fit(examples, SETTINGS).tables
    said = curve_before(examples, older, newest, card, SETTINGS).probabilities(points(card, examples.take(newest)))
    assert said.mean() == pytest.approx(examples.won[newest].mean(), rel=0.1)


def test_where_the_horizon_leaves_little_to_learn_from_the_rows_are_split_at_random() -> None:
    examples, _ = people(1_600, 5)
    short, long = (split_again(replace(examples, horizon=horizon)) for horizon in (100.0, 1_000.0))
    assert short.timed
    assert not long.timed
    assert long.train_wins > examples.wins / 2 > short.unsettled


def test_a_slope_grows_towards_1_with_what_is_learned_from() -> None:
    assert slope_at(slope_at(0.8, 0.5), 2.0) == pytest.approx(0.8)
    assert 0.8 < slope_at(0.8, 0.5) < 1 < slope_at(1.2, 0.5) < 1.2
    assert slope_at(0.1, 10.0) > 0
