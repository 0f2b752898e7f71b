from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from leadlight.learn.calibrate import MAX_KNOTS, POINTS_PER_UNIT, Bools, Calibration, Floats, Ints, Slope, calibrate
from leadlight.learn.tables import sigmoid
from leadlight.spec.models import CalibrationSpec

Shape = Callable[[Floats], Floats]

SHAPES: dict[str, Shape] = {
    "line": lambda x: -2.5 + x,
    "flat": lambda x: -3 + 0.5 * x,
    "bent": lambda x: -3 + 0.3 * x + 1.2 * np.maximum(x, 0),
    "saturating": lambda x: -4 + 3.2 * sigmoid(2 * x),
}
"""Log-odds by score (in natural units), as the world has them."""


def world(
    shape: Shape, wins: int, seed: int, *, shifts: Floats | None = None
) -> tuple[Floats, Bools, Floats, np.random.Generator]:
    """Return score, won and time of about so many wins; each of the shifts is the level of one period."""
    random = np.random.default_rng(seed)
    rate = sigmoid(shape(random.normal(0, 1.2, 20_000))).mean()
    x = random.normal(0, 1.2, int(wins / rate))
    time = np.sort(random.random(len(x))) * (1 if shifts is None else len(shifts))
    level = 0.0 if shifts is None else shifts[time.astype(int)]
    return x * POINTS_PER_UNIT, random.random(len(x)) < sigmoid(shape(x) + level), time, random


def covered(found: Calibration, shape: Shape, shift: float, random: np.random.Generator) -> float:
    """Return the share of the coming period's leads whose true probability lies within their interval."""
    x = random.normal(0, 1.2, 2_000)
    low, high = found.interval(x * POINTS_PER_UNIT)
    truth = sigmoid(shape(x) + shift)
    return float(((low <= truth) & (truth <= high)).mean())


def excess(truth: Floats, said: Floats) -> float:
    """Return the log loss above that of the truth."""
    return float(np.mean(truth * np.log(truth / said) + (1 - truth) * np.log((1 - truth) / (1 - said))))


def platt(score: Floats, won: Bools) -> Callable[[Floats], Floats]:
    """Fit Platt's line by scikit-learn, hardly penalised."""
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=1e4).fit(score[:, None] / POINTS_PER_UNIT, won)
    return lambda x: fit.predict_proba(x[:, None] / POINTS_PER_UNIT)[:, 1]


def isotonic(score: Floats, won: Bools) -> Callable[[Floats], Floats]:
    from sklearn.isotonic import IsotonicRegression

    fit = IsotonicRegression(out_of_bounds="clip").fit(score, won)
    least = 0.5 / (len(score) + 1)
    return lambda x: np.clip(fit.predict(x), least, 1 - least)


def sound(found: Calibration) -> None:
    """Check what holds for every calibration."""
    score, middle, low, high = (np.array(getattr(found, name)) for name in ("score", "probability", "low", "high"))
    assert 1 <= len(score) <= MAX_KNOTS
    assert (np.diff(score) > 0).all()
    for heights in (middle, low, high):
        assert (np.diff(heights) >= 0).all()
        assert ((heights > 0) & (heights < 1)).all()
    assert ((low <= middle) & (middle <= high)).all()
    CalibrationSpec(score=found.as_dict()["score"], probability=found.as_dict()["probability"])


@pytest.mark.parametrize("wins", [0, 1, 2, 5, 20, 100])
@pytest.mark.parametrize("rows", [1, 2, 7, 100, 3_000])
def test_any_number_of_rows_and_wins(rows: int, wins: int) -> None:
    random = np.random.default_rng(rows + wins)
    score = np.round(random.normal(0, 30, rows))
    won = np.zeros(rows, np.bool_)
    won[np.argsort(-score)[:wins]] = True
    found = calibrate(score, won, time=random.random(rows), lead=np.arange(rows) // 2)
    sound(found)
    assert (found.rows, found.wins) == (rows, min(rows, wins))


def test_no_win_leaves_a_chance_and_a_wide_interval() -> None:
    score = np.linspace(-50, 50, 400)
    found = calibrate(score, np.zeros(400, np.bool_))
    middle = float(found.probabilities(np.array([0.0]))[0])
    low, high = found.interval(np.array([0.0]))
    assert 0 < middle < 1 / 400
    assert high[0] > 3 * middle > 6 * low[0]


def test_a_base_rate_known_beforehand_is_believed_as_much_as_one_win() -> None:
    score = np.zeros(50)
    assert calibrate(score, np.zeros(50, np.bool_), base_rate=0.02).probability[0] == pytest.approx(1 / 100, rel=0.01)
    many = calibrate(np.zeros(5_000), np.arange(5_000) < 1_000, base_rate=0.02)
    assert many.probability[0] == pytest.approx(0.2, rel=0.02)


def test_equal_scores_have_one_knot() -> None:
    found = calibrate(np.full(300, 12.0), np.arange(300) < 30)
    sound(found)
    assert found.score == (12.0,)
    assert found.probability[0] == pytest.approx(30.5 / 301, abs=0.001)


def test_no_row_is_an_error() -> None:
    with pytest.raises(ValueError, match="no row to calibrate on"):
        calibrate(np.empty(0), np.empty(0, np.bool_))


def test_an_outlier_moves_nothing() -> None:
    score, won, _, _ = world(SHAPES["line"], 300, 3)
    grid = np.linspace(-60, 60, 50)
    plain = calibrate(score, won).probabilities(grid)
    wild = score.copy()
    wild[0] = 1e9
    assert calibrate(wild, won).probabilities(grid) == pytest.approx(plain, abs=0.01)


def test_knots_are_round() -> None:
    score, won, _, _ = world(SHAPES["bent"], 500, 4)
    found = calibrate(score, won)
    assert all(knot == round(knot) for knot in found.score)
    assert all(len(f"{p:.12g}") <= 8 for p in found.probability)
    fine = calibrate(score / 100, won)
    assert all(knot == pytest.approx(round(knot, 2)) for knot in fine.score)
    assert len(fine.score) >= 4


def test_a_scale_of_its_own_is_found() -> None:
    """A hand-written card in points that are worth a quarter."""
    score, won, _, _ = world(SHAPES["line"], 2_000, 5)
    assert calibrate(score * 4, won).slope == pytest.approx(0.25, abs=0.03)
    assert calibrate(score, won).slope == pytest.approx(1.0, abs=0.12)


def test_a_score_that_ranks_backwards_gets_a_flat_line() -> None:
    score, won, _, _ = world(SHAPES["line"], 500, 6)
    found = calibrate(-score, won)
    sound(found)
    assert found.probability[-1] - found.probability[0] < 0.01


def test_weights_are_rows() -> None:
    score, won, _, _ = world(SHAPES["line"], 400, 7)
    twice = np.concatenate([np.arange(len(score)), np.flatnonzero(won)])
    weighted = calibrate(score, won, weight=np.where(won, 2.0, 1.0)).probabilities(np.array([0.0]))
    assert weighted == pytest.approx(calibrate(score[twice], won[twice]).probabilities(np.array([0.0])), rel=0.03)


def test_rows_of_one_lead_widen_the_interval() -> None:
    """Five rows a lead with the same outcome tell as much as one."""
    score, won, _, _ = world(SHAPES["line"], 200, 8)
    lead: Ints = np.repeat(np.arange(len(score)), 5)
    once = calibrate(score, won)
    known = calibrate(np.repeat(score, 5), np.repeat(won, 5), lead=lead)

    def width(found: Calibration) -> float:
        low, high = found.interval(np.array([0.0]))
        return float(np.log(high[0] / low[0]))

    assert width(known) == pytest.approx(width(once), rel=0.2)
    scores = np.array([-40.0, 0.0, 20.0])
    assert known.probabilities(scores) == pytest.approx(once.probabilities(scores), rel=0.05)


@pytest.mark.parametrize(("rows", "near"), [(60, 0.5), (20_000, 1.0)])
def test_what_is_believed_of_the_slope_counts_where_outcomes_are_few(rows: int, near: float) -> None:
    random = np.random.default_rng(4)
    score = random.normal(-20, 30, rows)
    won = random.random(rows) < sigmoid(score / POINTS_PER_UNIT)
    assert calibrate(score, won, slope=Slope(0.5, 0.05)).slope == pytest.approx(near, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("wins", [10, 100, 1_000])
def test_closer_to_the_truth_than_platt_and_isotonic(wins: int) -> None:
    lost: dict[str, list[float]] = {"ours": [], "platt": [], "isotonic": []}
    for name, shape in SHAPES.items():
        for seed in range(3):
            score, won, _, random = world(shape, wins, seed + len(name))
            x = random.normal(0, 1.2, 4_000) * POINTS_PER_UNIT
            truth = sigmoid(shape(x / POINTS_PER_UNIT))
            lost["ours"].append(excess(truth, calibrate(score, won).probabilities(x)))
            lost["platt"].append(excess(truth, platt(score, won)(x)))
            lost["isotonic"].append(excess(truth, isotonic(score, won)(x)))
    mean = {name: float(np.mean(values)) for name, values in lost.items()}
    assert mean["ours"] < min(mean["platt"], mean["isotonic"])


@pytest.mark.parametrize("wins", [20, 200, 1_000])
def test_the_interval_covers_what_it_says(wins: int) -> None:
    found = []
    for seed in range(40):
        shape = list(SHAPES.values())[seed % len(SHAPES)]
        score, won, _, random = world(shape, wins, seed)
        found.append(covered(calibrate(score, won), shape, 0.0, random))
    assert np.mean(found) > 0.87


@pytest.mark.slow
@pytest.mark.parametrize(("wins", "spread"), [(100, 0.0), (100, 0.2), (1_000, 0.2), (2_000, 0.4)])
def test_the_interval_covers_the_coming_period_when_levels_shift(wins: int, spread: float) -> None:
    found = []
    for seed in range(60):
        shape = list(SHAPES.values())[seed % len(SHAPES)]
        shifts = np.random.default_rng(seed + 1_000).normal(0, spread, 11)
        score, won, time, random = world(shape, wins, seed, shifts=shifts[:10])
        found.append(covered(calibrate(score, won, time=time), shape, float(shifts[10]), random))
    assert np.mean(found) > 0.87


def test_the_level_follows_the_newest_outcomes() -> None:
    """The odds double from the first period to the last; the coming one is like the last."""
    closer = []
    for seed in range(6):
        shifts = np.linspace(0, np.log(2) * 1.5, 10)
        score, won, time, random = world(SHAPES["line"], 1_500, seed, shifts=shifts)
        x = random.normal(0, 1.2, 4_000)
        truth = sigmoid(SHAPES["line"](x) + shifts[-1])
        with_time = calibrate(score, won, time=time)
        assert with_time.periods == 12
        assert with_time.period_spread is not None
        still = excess(truth, calibrate(score, won).probabilities(x * POINTS_PER_UNIT))
        closer.append(excess(truth, with_time.probabilities(x * POINTS_PER_UNIT)) < 0.6 * still)
    assert all(closer)


def test_the_same_rows_give_the_same_calibration() -> None:
    score, won, time, _ = world(SHAPES["bent"], 300, 9, shifts=np.zeros(5))
    assert calibrate(score, won, time=time) == calibrate(score, won, time=time)
