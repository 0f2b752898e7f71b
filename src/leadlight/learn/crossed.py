"""The curve of a card that was learned from everything, told by rows dealt out in turn.

What such a card's scores mean cannot be read off rows it was learned from. The newest rows, scored by the card of the
older ones, tell it honestly in time, and this is where the curve comes from. But where they are few they tell the
slope only roughly; and the older card is another card: having learned from fewer outcomes it says more than it knows.

So all leads are dealt into parts, and each part is scored by tables learned from the others. These scores know the
slope from every row there is. By how much a slope falls short of 1 goes with one over the number of outcomes learned
from (van Houwelingen and le Cessie 1990), which carries it from the parts to the whole, and to the older card. The
slope of the whole is what is believed before the newest rows are looked at, which keep the last word where they clearly
say otherwise; and the older card's scores are brought to the scale and the level of the whole.

Levels differ, too: each card takes its base from its own newest rows, so the scores of two cards may lie apart by the
good or bad time that one of them ended in. Scores of the older card are moved to the level that the later one gives to
the same rows, and the curve to that of the newest of them.
"""

from __future__ import annotations

import numpy as np

from leadlight.evaluate.splits import Split, random_split, split
from leadlight.learn.alone import fold_of
from leadlight.learn.calibrate import Calibration, Slope, calibrate
from leadlight.learn.examples import Examples, Floats, Ints
from leadlight.learn.fit import FEWEST, FitSettings, fit
from leadlight.learn.level import USUAL_SPREAD
from leadlight.learn.points import points_per_unit
from leadlight.learn.stability import intercept, newest
from leadlight.learn.tables import Tables

PARTS = 4
ENOUGH = 500
"""So many winners among the newest rows tell the slope by themselves; then nothing is learned again."""
SPREAD = 0.1
"""How far the slope in the coming period usually is from that of the rows dealt out (standard deviation)."""
SCALES = (0.5, 1.5)
"""By how much the older card's scores are stretched at most."""
LEAST_AGAIN = 1 / 3
"""The share of the wins that a card must have learned from for its scores to stand for those of the card judged."""


def curve_of_all(
    examples: Examples,
    older: Ints,
    newest: Ints,
    score: Floats,
    card: Tables,
    settings: FitSettings | None = None,
    *,
    seed: int = 0,
) -> tuple[Calibration, Floats]:
    """Return the curve of the card learned from all rows, and the scores of the newest that it belongs to.

    `score` are those of the newest rows by the card learned from the older ones. Where the newest have many winners,
    their slope tells how much the older card says too much, and so how much less the card of all does.
    """
    held, ratio = examples.take(newest), int(examples.won[older].sum()) / max(examples.wins, 1)
    many = len(np.unique(held.lead[held.won])) >= ENOUGH
    crossed = None if many else crossed_scores(examples, settings, seed=seed)
    if crossed is None:
        if many:
            score = score * _scale(calibrate(score, held.won, lead=held.lead, time=held.time).slope, ratio)
        score = at_level(score, points(card, held))
        return at_newest(calibrate(score, held.won, lead=held.lead, time=held.time), card, examples), score
    seen = calibrate(crossed, examples.won, lead=examples.lead).slope
    slope = slope_at(seen, (PARTS - 1) / PARTS)
    of_older = slope_at(slope, 1 / max(ratio, 1e-9))
    scale = float(np.clip(of_older / slope, *SCALES))
    score = (score - score.mean()) * scale + crossed[newest].mean()
    curve = calibrate(score, held.won, lead=held.lead, time=held.time, slope=Slope(slope, SPREAD))
    return at_newest(curve, card, examples), score


def split_again(examples: Examples) -> Split:
    """Split the rows that a card to be judged is learned from once more, to read off what its scores mean.

    In time; at random by lead where the horizon in between leaves few of the wins: a card of a small part of them says
    next to nothing, and what that means says nothing of the card judged.
    """
    found = split(examples.won, time=examples.time, horizon=examples.horizon, lead=examples.lead)
    enough = found.enough and found.train_wins >= LEAST_AGAIN * examples.wins
    return found if enough else random_split(examples.won, lead=examples.lead)


def curve_before(
    examples: Examples, older: Ints, newest: Ints, card: Tables, settings: FitSettings | None = None
) -> Calibration:
    """Return what could be said of a card before rows newer than those it was learned from came.

    The curve is read off the newest of its own rows, as the card of the older ones scores them.
    """
    held = examples.take(newest)
    score = points(fit(examples.take(older), settings).tables, held)
    curve = calibrate(at_level(score, points(card, held)), held.won, lead=held.lead, time=held.time)
    return at_newest(curve, card, examples)


def at_level(score: Floats, whole: Floats) -> Floats:
    """Return scores moved to the level of another card's of the same rows.

    >>> at_level(np.array([0.0, 10.0]), np.array([20.0, 32.0])).tolist()
    [21.0, 31.0]
    """
    found: Floats = score + (whole.mean() - score.mean())
    return found


def at_newest(curve: Calibration, card: Tables, examples: Examples) -> Calibration:
    """Return a curve at the level of the newest rows that a card was learned from, which its base is taken from, too.

    Moved as far as their wins bear it out: of few, the level that the curve has is believed.
    """
    if examples.time is None:
        return curve
    rows = newest_rows(examples)
    said, won = curve.probabilities(points(card, examples.take(rows))), examples.won[rows]
    wins = len(np.unique(examples.lead[rows][won]))
    return curve.moved(wins / (wins + USUAL_SPREAD**-2) * intercept(np.log(said / (1 - said)), won))


def newest_rows(examples: Examples) -> Ints:
    """Return the rows that cards take their base from; without time, all."""
    if examples.time is None:
        return np.arange(len(examples))
    rows = np.argsort(examples.time, kind="stable")
    return rows[newest(examples.won[rows]) :]


def points(card: Tables, examples: Examples) -> Floats:
    """Return what a card says of rows, in points."""
    found: Floats = card.log_odds(examples.features) * points_per_unit()
    return found


def crossed_scores(examples: Examples, settings: FitSettings | None = None, *, seed: int = 0) -> Floats | None:
    """Return each row's score, in points, by tables learned from other leads; None where these would be too few."""
    part = fold_of(examples.lead, folds=PARTS, seed=seed)
    found = np.zeros(len(examples))
    for number in range(PARTS):
        mine, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
        wins = int(examples.won[others].sum())
        if not len(mine) or min(wins, len(others) - wins) < FEWEST:
            return None
        found[mine] = points(fit(examples.take(others), settings).tables, examples.take(mine))
    return found


def _scale(of_older: float, ratio: float) -> float:
    """Return what brings scores of a card of so small a part of the wins to the scale of the card of all."""
    return float(np.clip(of_older / slope_at(of_older, ratio), SCALES[0], 1.0))


def slope_at(slope: float, ratio: float) -> float:
    """Return the slope of tables learned from 1 / `ratio` times as many outcomes.

    >>> round(slope_at(0.8, 0.75), 2), round(slope_at(0.85, 1.5), 3)
    (0.85, 0.775)
    """
    return max(1 - ratio * (1 - slope), 0.1)
