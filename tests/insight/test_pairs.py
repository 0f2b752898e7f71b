from __future__ import annotations

import numpy as np
import pytest

from leadlight.insight.levels import Levels
from leadlight.insight.pairs import _single_effects, _together, find_pairs

ROWS = 20_000


def level(name: str, place: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Levels:
    return Levels(tuple(f"{name}{number}" for number in range(int(place.max()) + 1)), place)


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 3, ROWS), rng.integers(0, 4, ROWS), rng.integers(0, 2, ROWS)]


def test_the_planted_pair_is_found_and_no_other(drawn) -> None:
    """Every level has its own effect on the odds; a0 with b2 has half the odds these make one expect."""
    a, b, c = drawn
    odds = 0.2 * np.array([1.0, 0.5, 1.5])[a] * np.array([1.0, 1.2, 1.4, 0.8])[b] * np.array([1.0, 0.7])[c]
    odds[(a == 0) & (b == 2)] *= 0.5
    won = np.random.default_rng(4).random(ROWS) < odds / (1 + odds)
    found = find_pairs([level("a", a), level("b", b), level("c", c)], won, 30)
    assert found[0].texts == ("a0", "b2")
    assert found[0].count == ((a == 0) & (b == 2)).sum()
    assert found[0].won == won[(a == 0) & (b == 2)].sum()
    assert found[0].ratio.high < 1
    assert {text[0] for pair in found for text in pair.texts} == {"a", "b"}


def test_chance_has_no_pairs(drawn) -> None:
    levels = [level(name, place) for name, place in zip("abc", drawn, strict=True)]
    found = [find_pairs(levels, np.random.default_rng(seed).random(ROWS) < 0.1, 30) for seed in range(20)]
    assert sum(map(len, found)) <= 2


def test_what_two_levels_share_with_a_third_is_no_pair_of_theirs() -> None:
    """Both deeds come from being keen, which is a level too: the keen do both and win, and no deed adds to that."""
    rng = np.random.default_rng(5)
    keen = rng.integers(0, 2, ROWS)
    deeds = [(rng.random(ROWS) < np.where(keen == 1, 0.7, 0.1)).astype(np.int64) for _ in range(2)]
    won = rng.random(ROWS) < np.where(keen == 1, 0.3, 0.02)
    assert find_pairs([level("keen", keen), *(level(f"deed{i}", deed) for i, deed in enumerate(deeds))], won, 30) == ()


def test_single_effects_expect_of_each_level_the_wins_that_came(drawn) -> None:
    a, b, c = drawn
    won = np.random.default_rng(6).random(ROWS) < 0.05 + 0.1 * (a == 1) + 0.1 * (b == 3) * (c == 1)
    hot = np.stack([place == value for place in drawn for value in range(place.max() + 1)], axis=1).astype(np.float32)
    expected = hot.T @ _single_effects(hot, won)
    assert expected == pytest.approx(hot.T @ won, rel=0.002)


@pytest.mark.parametrize(("rows", "words", "wins"), [(2400, 120, 20), (600, 200, 10), (300, 80, 3)])
def test_many_words_and_few_wins_still_have_effects(rows: int, words: int, wins: int) -> None:
    """Every word is a level, and so is its absence: full steps would go to where every case is certain."""
    rng = np.random.default_rng(0)
    there = (rng.random((rows, words)) < rng.uniform(0.005, 0.3, words)).astype(np.float32)
    won = np.isin(np.arange(rows), rng.permutation(rows)[:wins])
    assert _single_effects(np.hstack([there, 1 - there]), won).sum() == pytest.approx(wins, rel=0.001)


def test_blocks_add_up() -> None:
    hot = (np.random.default_rng(7).random((9000, 5)) < 0.3).astype(np.float32)
    weight = np.linspace(0, 1, 9000, dtype=np.float32)
    assert _together(hot) == pytest.approx(hot.T @ hot)
    assert _together(hot, weight) == pytest.approx(hot.T @ (hot * weight[:, None]), rel=1e-4)


def test_nothing_to_tell_apart(drawn) -> None:
    levels = [level("a", drawn[0]), level("b", drawn[1])]
    assert find_pairs(levels, np.zeros(ROWS, np.bool_), 30) == ()
    assert find_pairs(levels, np.ones(ROWS, np.bool_), 30) == ()
    assert find_pairs([], np.zeros(0, np.bool_), 30) == ()
