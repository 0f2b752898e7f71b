from __future__ import annotations

import numpy as np
import pytest

from leadlight.learn.additive import Block, fit_sum, plain_penalty, smooth_penalty
from leadlight.learn.tables import sigmoid


def blocks(n: int = 4000, seed: int = 0) -> tuple[tuple[Block, ...], np.ndarray]:
    r = np.random.default_rng(seed)
    first, second = r.integers(1, 5, n).astype(np.uint8), r.integers(0, 3, n).astype(np.uint8)
    won = r.random(n) < sigmoid(-1 + 0.8 * (first - 2.5) + np.array([0, 1, -1])[second])
    return (Block(first, smooth_penalty(5)), Block(second, plain_penalty(3))), won


def test_it_is_the_penalised_optimum() -> None:
    """At the end the gradient of the penalised likelihood is 0."""
    given, won = blocks()
    fixed = tuple(Block(b.codes, b.penalty, 3.0, fixed=True) for b in given)
    found = fit_sum(fixed, won, steps=40, tolerance=1e-10)
    residual = won - sigmoid(found.log_odds(tuple(b.codes for b in fixed)))
    assert abs(residual.sum()) < 1e-3
    second = np.bincount(fixed[1].codes, residual, 3)
    assert second - second.mean() == pytest.approx(3 * (found.coefficients[1] - found.coefficients[1].mean()), abs=0.01)


def test_more_evidence_less_shrinkage() -> None:
    sizes = []
    for n in (60, 600, 60_000):
        codes = np.tile(np.array([0, 1], np.uint8), n // 2)
        won = np.tile(np.array([False, False, False, True]), n // 4) | (np.arange(n) % 8 == 1)
        sizes.append(np.ptp(fit_sum((Block(codes, plain_penalty(2), 20.0),), won).coefficients[0]))
    assert sizes[0] < sizes[1] < sizes[2]


def test_noise_is_shrunk_to_almost_nothing() -> None:
    r = np.random.default_rng(0)
    found = fit_sum((Block(r.integers(0, 30, 5000).astype(np.uint8), plain_penalty(30), 20.0),), r.random(5000) < 0.2)
    assert found.coefficients[0].std() < 0.15


def test_a_row_of_weight_two_is_as_two_rows() -> None:
    given, won = blocks(800)
    twice = tuple(b.take(np.repeat(np.arange(800), 2)) for b in given)
    one = fit_sum(given, won, weights=np.full(800, 2.0), steps=30, tolerance=1e-9)
    two = fit_sum(twice, np.repeat(won, 2), steps=30, tolerance=1e-9)
    assert one.coefficients[0] == pytest.approx(two.coefficients[0], abs=1e-3)


def test_errors_cover_the_truth() -> None:
    given, won = blocks(20_000)
    found = fit_sum(given, won, errors=True)
    truth = np.array([0, 1, -1]) - found.weights[1] @ np.array([0, 1, -1]) / found.weights[1].sum()
    assert (np.abs(found.coefficients[1] - truth) < 4 * found.errors[1]).all()
    assert (found.errors[1] < 0.05).all()


def test_many_rows_are_fitted_as_well_with_pairs_counted_in_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    given, won = blocks(30_000)
    exact = fit_sum(given, won, steps=40, tolerance=1e-9)
    monkeypatch.setattr("leadlight.learn.additive.MOST_COUNTED", 1000)
    part = fit_sum(given, won, steps=40, tolerance=1e-9)
    codes = tuple(block.codes for block in given)
    assert exact.log_odds(codes) == pytest.approx(part.log_odds(codes), abs=0.02)
