from __future__ import annotations

import math

import numpy as np
import pytest

from leadlight.simulate.draws import MAX_EXACT_MEAN, Draws

N = 200_000
EVERYBODY = np.arange(N)


def test_a_number_depends_on_its_own_index_only() -> None:
    whole = Draws(7).normal("x", EVERYBODY)
    parts = [Draws(7).normal("x", part) for part in np.array_split(EVERYBODY, 13)]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize(
    "other",
    [
        Draws(8).uniform("x", EVERYBODY),
        Draws(7).uniform("y", EVERYBODY),
        Draws(7).uniform("x", EVERYBODY, 1),
        Draws(7).uniform("x", EVERYBODY + N),
        np.roll(Draws(7).uniform("x", EVERYBODY), 1),
    ],
    ids=["seed", "stream", "draw", "index", "neighbour"],
)
def test_numbers_of_different_owners_do_not_go_together(other: np.ndarray) -> None:
    assert abs(np.corrcoef(Draws(7).uniform("x", EVERYBODY), other)[0, 1]) < 5 / math.sqrt(N)


def test_uniform_numbers_are_even_and_never_0_or_1() -> None:
    found = Draws(1).uniform("u", EVERYBODY)
    counts = np.histogram(found, bins=100, range=(0, 1))[0]
    chi2 = ((counts - N / 100) ** 2 / (N / 100)).sum()
    assert 0 < found.min() <= found.max() < 1
    assert 50 < chi2 < 160


def test_normal_numbers_have_the_moments_of_a_normal() -> None:
    found = Draws(1).normal("n", EVERYBODY)
    assert found.mean() == pytest.approx(0, abs=0.01)
    assert found.std() == pytest.approx(1, abs=0.01)
    assert (found**4).mean() == pytest.approx(3, abs=0.1)
    assert (np.abs(found) > 1.96).mean() == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("mean", [0.0, 0.3, 5.0, MAX_EXACT_MEAN, 400.0])
def test_poisson_counts_have_the_mean_as_mean_and_variance(mean: float) -> None:
    found = Draws(1).poisson(f"p{mean}", EVERYBODY, np.full(N, mean))
    assert found.mean() == pytest.approx(mean, rel=0.01)
    assert found.var() == pytest.approx(mean, rel=0.02)


def test_a_small_poisson_count_is_0_as_often_as_it_must_be() -> None:
    found = Draws(1).poisson("p", EVERYBODY, np.full(N, 0.3))
    assert [(found == k).mean() for k in range(3)] == pytest.approx(
        [math.exp(-0.3) * 0.3**k / math.factorial(k) for k in range(3)], abs=0.004
    )


def test_choices_follow_the_shares_of_their_row() -> None:
    shares = np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]])
    row = EVERYBODY % 3
    found = Draws(1).choice("c", EVERYBODY, shares, row)
    for k, expected in enumerate(([0.2, 0.5, 0.3], [0, 1, 0], [0.75, 0, 0.25])):
        counts = np.bincount(found[row == k], minlength=3) / (row == k).sum()
        assert counts == pytest.approx(expected, abs=0.01)
