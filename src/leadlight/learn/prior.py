"""Small data: a hand-written scorecard whose points are the prior, moved by outcomes as far as these bear it.

First one scale is learned: how many points double the odds. Then each number may move, from where it stands, by what a
normal prior around it allows; how wide that is, is weighed by the evidence (Laplace), with never moving at all among
the possibilities. So no outcome leaves the card as it is, a handful hardly moves it, and thousands give what a free
fit would. Caps of groups stay and are part of the fit: where a group's sum lies beyond its cap, its points move nothing
and learn nothing. Gates, bands, values and conditions stay as they are; grades keep their bounds.

What the changes are worth is measured on rows that they were not learned from: later ones where time is known, else
other leads. Where these speak against them, by a worse log loss or a worse order, none is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.evaluate.bootstrap import leads_of
from leadlight.evaluate.metrics import draw
from leadlight.evaluate.splits import rolling_origins
from leadlight.evaluate.verdict import Comparison, compare
from leadlight.learn.calibrate import Calibration, calibrate
from leadlight.learn.levers import Lever, Pulls, with_points
from leadlight.learn.tables import sigmoid
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedScorecard
from leadlight.spec.words import USUAL, Words, without_words

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

WIDTHS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Standard deviations, in log-odds, of how far a number may be off, which are weighed against each other."""
STAY = 0.3
"""How likely it is beforehand that the card is right as it is."""
SURE = 2.0
"""Standard errors beyond 0 that a number needs to change its sign; with fewer it stops at 0."""
CLEAR = 0.4
"""A change smaller than so many of its standard errors is not proposed."""
USUAL_SPREAD = 1.2
"""Standard deviation of log-odds among leads in real data; a card in points of its own is taken to be as wide."""
SCALES = (0.4, 4.0)
"""The scale of a card lies within these multiples of what is usual for so wide a spread of scores."""
FOLDS = 5
STEPS = 30
HALVINGS = 5
CORRECTIONS = 2
ENOUGH = 0.01
"""A step that gains less log density than this is the last."""
NEGLIGIBLE = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """One number that should change, and the rows that say so.

    Of `rows` that pull this lever, `wins` were won; the card as it was expected `expected`.
    """

    criterion: str
    group: str
    level: str
    before: float
    after: float
    rows: int
    wins: int
    expected: float
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the change as plain JSON values."""
        return without_words(self)

    def __str__(self) -> str:
        return (
            f"{self.criterion}, {self.level}: {self.before:g} → {self.after:g} "
            f"({self.wins:,} of {self.rows:,} {self.words.won}, {self.expected:.3g} expected)"
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A scorecard with points moved by outcomes, what moved, and whether that is better.

    `double_odds` is how many points of the card as it was double the odds; `width` how far its numbers seem to be off,
    in log-odds; `effect` compares new with old on rows not learned from, above 0 being better; `withdrawn` counts the
    changes that these rows spoke against; `calibration` belongs to the points proposed.
    """

    spec: models.ScorecardSpec = field(repr=False)
    changes: tuple[Change, ...]
    withdrawn: int
    rows: int
    wins: int
    double_odds: float | None
    width: float
    effect: tuple[Comparison, ...] = field(repr=False, default=())
    timed: bool = False
    calibration: Calibration | None = field(repr=False, default=None)
    words: Words = field(default=USUAL, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the proposal as plain JSON values."""
        return {
            "rows": self.rows,
            "wins": self.wins,
            "withdrawn": self.withdrawn,
            "double_odds": self.double_odds,
            "width": self.width,
            "changes": [change.as_dict() for change in self.changes],
            "timed": self.timed,
            "effect": [item.as_dict() for item in self.effect],
        }

    def __str__(self) -> str:
        lines = [f"{self.wins:,} {self.words.wins} in {self.rows:,} rows move {len(self.changes):,} numbers"]
        if self.withdrawn:
            lines.append(f"  {self.withdrawn:,} changes are not proposed: rows not learned from speak against them")
        lines += [f"  {change}" for change in self.changes]
        lines += [f"  {item}" for item in self.effect if item.figure in ("auc", "log_loss")]
        return "\n".join(lines)


def learn_from(
    card: ResolvedScorecard,
    pulled: Pulls,
    won: Bools,
    *,
    lead: Ints | None = None,
    time: Floats | None = None,
    horizon: float = 0.0,
    seed: int = 1,
) -> Proposal:
    """Propose points for a scorecard from outcomes, its own points being the prior.

    `pulled` comes from `levers.gather`; `won`, `lead`, `time` (days) are of the same rows. Rows of one lead count
    together. The same rows and seed give the same proposal.
    """
    wins = int(won.sum())
    if not 0 < wins < len(won):
        return Proposal(card.spec, (), 0, len(won), wins, None, 0.0)
    lead = np.arange(len(won), dtype=np.int64) if lead is None else lead
    problem = _problem(card, pulled, won, lead)
    moved = _move(problem, WIDTHS)
    timed = list(_timed_folds(won, time, horizon))
    held = _held_out(problem, timed or list(_lead_folds(won, lead, seed)), moved.likely)
    effect = _effect(held, won, lead, seed)
    borne = bool((moved.points != problem.points).any()) and _is_better(effect)
    points = moved.points if borne else problem.points
    if borne:
        calibration = _calibrated(problem, lead, time, moved.likely, seed)
    else:  # the card as it was has learned from no row
        calibration = calibrate(problem.scores(problem.points)[0], won, lead=lead, time=time)
    spec = with_points(card, points)
    return Proposal(
        spec=spec if spec.calibration is None else spec.model_copy(update={"calibration": _curve(calibration)}),
        changes=_changes(problem, points, moved.scale, pulled.levers),
        withdrawn=0 if borne else int((moved.points != problem.points).sum()),
        rows=len(won),
        wins=wins,
        double_odds=float(np.log(2) / moved.scale.slope),
        width=moved.width,
        effect=effect,
        timed=bool(timed),
        calibration=calibration,
    )


def _is_better(effect: tuple[Comparison, ...]) -> bool:
    """Whether rows not learned from are told better, and ranked no worse.

    Points that say nothing, made smaller, improve the log loss and may turn the order round all the same.
    """
    gained = {item.figure: item.difference.value for item in effect}
    return gained.get("log_loss", 0.0) > 0 and gained.get("auc", 0.0) >= 0


def _calibrated(
    problem: _Problem, lead: Ints, time: Floats | None, widths: tuple[float, ...], seed: int
) -> Calibration:
    """Calibrate the new points: each row scored by what the other leads teach, so that none vouches for itself."""
    held = _held_out(problem, list(_lead_folds(problem.won, lead, seed)), widths)
    at = None if time is None else time[held.rows]
    return calibrate(held.new[0], problem.won[held.rows], lead=lead[held.rows], time=at)


def _curve(calibration: Calibration) -> models.CalibrationSpec:
    return models.CalibrationSpec.model_validate(calibration.as_dict())


# ------------------------------------------------------------------------------------------------------ the problem


@dataclass(frozen=True, slots=True)
class _Problem:
    """Rows as coordinates, the card's points, the group of each lever with its cap, and how much a row counts."""

    pulled: Pulls
    won: Bools
    points: Floats
    group: Ints
    low: Floats
    high: Floats
    base: float
    step: float
    weight: float

    def take(self, rows: Ints) -> _Problem:
        return replace(self, pulled=self.pulled.take(rows), won=self.won[rows])

    def scores(self, points: Floats) -> tuple[Floats, Bools]:
        """Return each row's score, and of each row and group whether its sum lies within the cap."""
        shape = (self.pulled.rows, len(self.low))
        given = self.pulled.amount * points[self.pulled.lever]
        cell = self.pulled.row * shape[1] + self.group[self.pulled.lever]
        sums = np.bincount(cell, given, minlength=shape[0] * shape[1]).reshape(shape)
        clipped = np.clip(sums, self.low, self.high)
        return self.base + clipped.sum(axis=1), clipped == sums


def _problem(card: ResolvedScorecard, pulled: Pulls, won: Bools, lead: Ints) -> _Problem:
    names = list(card.spec.groups)
    caps = [group.cap for group in card.spec.groups.values()]
    points = np.array([lever.points for lever in pulled.levers])
    found = _Problem(
        pulled=pulled,
        won=won,
        points=points,
        group=np.array([names.index(lever.group) for lever in pulled.levers], np.int64),
        low=np.array([-np.inf if low is None else low for low, _ in caps]),
        high=np.array([np.inf if high is None else high for _, high in caps]),
        base=card.spec.base,
        step=0.5 if np.allclose(points * 2, np.round(points * 2)) else 0.1,
        weight=1.0,
    )
    return replace(found, weight=1 / _design_effect(found, lead))


def _design_effect(problem: _Problem, lead: Ints) -> float:
    """Return by how much the rows of one lead, which go together, overstate what is known."""
    score, _ = problem.scores(problem.points)
    residual = problem.won - _scale(score, problem.won).probabilities(score)
    of = leads_of(lead, len(lead)).code
    return max(1.0, float(np.sum(np.bincount(of, residual) ** 2) / np.sum(residual**2)))


# -------------------------------------------------------------------------------------------------------- the scale


@dataclass(frozen=True, slots=True)
class _Scale:
    """Log-odds = intercept + slope × score."""

    intercept: float
    slope: float

    def probabilities(self, score: Floats) -> Floats:
        return sigmoid(self.intercept + self.slope * score)


def _scale(score: Floats, won: Bools) -> _Scale:
    """Fit one line, its slope by a prior around what is usual for so wide a spread of scores and never far from it."""
    spread = float(score.std())
    usual = USUAL_SPREAD / max(spread, 1e-6)
    centre = float(score.mean())
    x = np.column_stack([np.ones(len(score)), (score - centre) * usual])
    rate = (won.sum() + 0.5) / (len(won) + 1)
    found = np.array([np.log(rate / (1 - rate)), 1.0])
    for _ in range(STEPS):
        p = sigmoid(x @ found)
        gradient = x.T @ (won - p) - [0.0, 4 * (found[1] - 1)]
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag([1e-6, 4.0])
        move = np.clip(np.linalg.solve(hessian, gradient), -1, 1)
        found = found + move
        found[1] = np.clip(found[1], *SCALES)
        if np.abs(move).max() < 1e-8:
            break
    slope = float(found[1]) * usual
    return _Scale(_intercept(slope * score, won), slope)


def _intercept(log_odds: Floats, won: Bools) -> float:
    """Return the intercept at which as many wins are expected as came, half a win and half a loss added."""
    found, middle = 0.0, float(log_odds.mean())
    for _ in range(STEPS):
        p, half = sigmoid(found + log_odds), float(sigmoid([found + middle])[0])
        gap = (won - p).sum() + 0.5 - half
        move = float(np.clip(gap / ((p * (1 - p)).sum() + half * (1 - half) + 1e-9), -2, 2))
        found += move
        if abs(move) < 1e-9:
            break
    return found


# ------------------------------------------------------------------------------------------------------- the points


@dataclass(frozen=True, slots=True)
class _Moved:
    """New points, the scale they were learned by, and the widths that the evidence leaves."""

    points: Floats
    scale: _Scale
    width: float
    likely: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    """How far each number moves under one width, in points; the errors of `_contrasts`; and the log evidence."""

    moves: Floats
    errors: Floats
    evidence: float


def _move(problem: _Problem, widths: tuple[float, ...]) -> _Moved:
    """Move the points: the mean over all widths, by how likely each is; then what is unclear goes back."""
    scale = _scale(problem.scores(problem.points)[0], problem.won)
    still = np.zeros(len(problem.points))
    fits: list[_Fit] = []
    for width in widths:
        fits.append(_fit(problem, scale, width, start=fits[-1].moves if fits else still))
    prior = [STAY if width == 0 else (1 - STAY) / (len(WIDTHS) - 1) for width in widths]
    density = np.array([fit.evidence for fit in fits]) + np.log(prior)
    share = np.exp(density - density.max())
    share /= share.sum()
    moves = np.einsum("w,wl->l", share, [fit.moves for fit in fits])
    spread = np.einsum("w,wl->l", share, [fit.errors**2 + (fit.moves - moves) ** 2 for fit in fits])
    likely = tuple(width for width, part in zip(widths, share, strict=True) if part > NEGLIGIBLE)
    width = float(share @ widths)
    return _Moved(_tidy(problem, scale, width, moves, np.sqrt(spread)), scale, width, likely)


def _fit(problem: _Problem, scale: _Scale, width: float, *, start: Floats, free: Bools | None = None) -> _Fit:
    """Return the largest posterior density, by Newton steps that are halved where they do not help.

    Numbers that are not `free` stay where they start.
    """
    size = len(problem.points)
    if width == 0:
        _, hessian = _derivatives(problem, scale, np.zeros(size + 1), 1.0)
        value = _density(problem, scale, np.zeros(size + 1), 0.0)
        return _Fit(np.zeros(size), np.zeros(size), value - np.log(hessian[0, 0]) / 2)
    precision = width**-2
    moving = np.r_[True, np.ones(size, np.bool_) if free is None else free]
    at = np.r_[0.0, start * scale.slope]
    value = _density(problem, scale, at, precision)
    for _ in range(STEPS):
        gradient, hessian = _derivatives(problem, scale, at, precision)
        move = np.zeros(size + 1)
        move[moving] = np.linalg.solve(hessian[np.ix_(moving, moving)], gradient[moving])
        for halving in range(HALVINGS):
            trial = at + move * 0.5**halving
            gained = _density(problem, scale, trial, precision) - value
            if gained > 0:
                value, at = value + gained, trial
                break
        if gained < ENOUGH:
            break
    evidence = value + size * np.log(precision) / 2 - np.linalg.slogdet(hessian)[1] / 2
    contrasts = _contrasts(problem.pulled)
    errors = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, np.linalg.inv(hessian)[1:, 1:], contrasts))
    return _Fit(at[1:] / scale.slope, errors / scale.slope, float(evidence))


def _contrasts(pulled: Pulls) -> Floats:
    """Return the matrix that takes from each number the mean of its criterion.

    Raising all numbers of a criterion alike tells no lead from another; how sure that is, is of no interest. A
    criterion of one number, which not all leads have, has no such mean.
    """
    criterion = np.array([lever.criterion for lever in pulled.levers])
    rows = np.bincount(pulled.lever, minlength=len(criterion)).astype(np.float64)
    same = criterion[:, None] == criterion[None, :]
    share = np.where(same & (same.sum(axis=1) > 1)[:, None], rows[None, :], 0.0)
    found: Floats = np.eye(len(criterion)) - share / np.maximum(share.sum(axis=1, keepdims=True), 1.0)
    return found


def _density(problem: _Problem, scale: _Scale, at: Floats, precision: float) -> float:
    """Return the log posterior by the intercept's move and the numbers' moves in log-odds."""
    score, _ = problem.scores(problem.points + at[1:] / scale.slope)
    log_odds = scale.intercept + at[0] + scale.slope * score
    loss = problem.weight * float(np.sum(np.logaddexp(0, log_odds) - problem.won * log_odds))
    return -loss - precision * float(at[1:] @ at[1:]) / 2


def _derivatives(problem: _Problem, scale: _Scale, at: Floats, precision: float) -> tuple[Floats, Floats]:
    """Return the gradient of the log posterior and its negative Hessian."""
    from scipy.sparse import csr_matrix

    score, within = problem.scores(problem.points + at[1:] / scale.slope)
    p = sigmoid(scale.intercept + at[0] + scale.slope * score)
    rest = problem.weight * (problem.won - p)
    curvature = problem.weight * p * (1 - p)
    pulled, shape = problem.pulled, (problem.pulled.rows, len(at) - 1)
    amount = pulled.amount * within[pulled.row, problem.group[pulled.lever]]
    pull = csr_matrix((amount, (pulled.row, pulled.lever)), shape=shape)
    rooted = csr_matrix((amount * np.sqrt(curvature)[pulled.row], (pulled.row, pulled.lever)), shape=shape)
    hessian = np.empty((len(at), len(at)))
    hessian[0, 0] = curvature.sum() + 1e-9
    hessian[0, 1:] = hessian[1:, 0] = pull.T @ curvature
    hessian[1:, 1:] = (rooted.T @ rooted).toarray() + precision * np.eye(shape[1])
    return np.r_[rest.sum(), pull.T @ rest - precision * at[1:]], hessian


def _tidy(problem: _Problem, scale: _Scale, width: float, moves: Floats, errors: Floats) -> Floats:
    """Leave what is not clear, let no number change its sign without being sure, and round as the file does.

    What stays or stops at 0 is made up for by the others, which are fitted anew.
    """
    before = problem.points
    free = np.abs(moves) >= CLEAR * errors
    for _ in range(CORRECTIONS):
        after = before + moves
        doubtful = free & (np.sign(after) * np.sign(before) < 0) & (np.abs(after) < SURE * errors)
        held = np.where(doubtful, -before, np.where(free, moves, 0.0))
        free &= ~doubtful
        if width == 0 or not free.any():
            moves = held
            break
        moves = np.where(free, _fit(problem, scale, width, start=held, free=free).moves, held)
    doubtful = (np.sign(before + moves) * np.sign(before) < 0) & (np.abs(before + moves) < SURE * errors)
    after = np.where(doubtful, 0.0, before + moves)
    rounded: Floats = np.round(np.round(after / problem.step) * problem.step, 6) + 0.0
    return np.where(moves == 0, before, rounded)


# ------------------------------------------------------------------------------------------------------- its effect

_Judged = tuple[Floats, Floats]
"""Scores and probabilities of rows that were not learned from."""
_Fold = tuple[Ints, Ints]
"""Rows to learn from and rows to judge."""


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """Rows by number, judged by the card as it was and as it would be."""

    rows: Ints
    old: _Judged
    new: _Judged


def _held_out(problem: _Problem, folds: Sequence[_Fold], widths: tuple[float, ...]) -> _HeldOut:
    """Learn from some rows and score others, in turn."""
    rows: list[Ints] = []
    old: list[_Judged] = []
    new: list[_Judged] = []
    for train, test in folds:
        past, rest = problem.take(train), problem.take(test)
        rows.append(test)
        if not 0 < past.won.sum() < len(past.won):
            points, scale = problem.points, _scale(problem.scores(problem.points)[0], problem.won)
        else:
            moved = _move(past, widths)
            points, scale = moved.points, moved.scale
        for kept, given in ((old, problem.points), (new, points)):
            scored = rest.scores(given)[0]
            line = replace(scale, intercept=_intercept(scale.slope * past.scores(given)[0], past.won))
            kept.append((scored, line.probabilities(scored)))
    return _HeldOut(np.concatenate(rows), _joined(old), _joined(new))


def _joined(parts: list[_Judged]) -> _Judged:
    return np.concatenate([score for score, _ in parts]), np.concatenate([chance for _, chance in parts])


def _timed_folds(won: Bools, time: Floats | None, horizon: float) -> Iterator[_Fold]:
    if time is None or np.ptp(time) == 0:
        return
    for part in rolling_origins(won, time=time, horizon=horizon, min_wins=1):
        if part.enough:
            yield part.train, part.test


def _lead_folds(won: Bools, lead: Ints, seed: int) -> Iterator[_Fold]:
    """Deal leads into folds at random, those with a win and those without alike."""
    code = leads_of(lead, len(lead)).code
    winner = np.bincount(code, won) > 0
    order = np.random.default_rng(seed).permutation(len(winner))
    order = order[np.argsort(winner[order], kind="stable")]
    fold = np.empty(len(winner), np.int64)
    fold[order] = np.arange(len(winner)) % FOLDS
    for number in range(FOLDS):
        test = fold[code] == number
        if test.any() and not test.all():
            yield np.flatnonzero(~test), np.flatnonzero(test)


def _effect(held: _HeldOut, won: Bools, lead: Ints, seed: int) -> tuple[Comparison, ...]:
    leads = leads_of(lead[held.rows], len(held.rows))
    came = won[held.rows]
    drawn = [draw(score, came, leads, probability=chance, seed=seed) for score, chance in (held.new, held.old)]
    return tuple(compare("proposed", drawn[0], "as it was", drawn[1]))


def _changes(problem: _Problem, points: Floats, scale: _Scale, all_levers: tuple[Lever, ...]) -> tuple[Change, ...]:
    """Say what changed, what moves most leads' scores first."""
    pulled, size = problem.pulled, len(problem.points)
    expected = scale.probabilities(problem.scores(problem.points)[0])
    here = pulled.amount != 0
    rows = np.bincount(pulled.lever[here], minlength=size)
    wins = np.bincount(pulled.lever[here], problem.won[pulled.row[here]], minlength=size)
    hoped = np.bincount(pulled.lever[here], expected[pulled.row[here]], minlength=size)
    step = points - problem.points
    order = sorted(np.flatnonzero(step != 0), key=lambda k: (-abs(step[k]) * rows[k] ** 0.5, k))
    return tuple(
        Change(
            lever.name, lever.group, lever.level, lever.points, float(points[k]),
            int(rows[k]), int(wins[k]), float(hoped[k]),
        )
        for k in order
        for lever in [all_levers[k]]
    )  # fmt: skip
