"""Words of texts are chosen for what they add to each other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.examples import Examples
from leadlight.learn.words import MOST, OUTCOMES_A_WORD, choose_words


def texts(rows: int = 2000, words: int = 40, told: int = 4, seed: int = 3) -> Examples:
    """Rows in which each of the first `told` words raises the odds, and the others say nothing."""
    dice = np.random.default_rng(seed)
    there = dice.random((rows, words)) < dice.uniform(0.1, 0.4, words)
    won = dice.random(rows) < 1 / (1 + np.exp(2 - 1.5 * there[:, :told].sum(axis=1)))
    table = pa.table({**{f"w{n}": there[:, n] for n in range(words)}, "size": dice.random(rows)})
    return Examples(features=table, won=won, time=np.arange(rows, dtype=float))


def test_words_that_tell_are_found_among_those_that_do_not() -> None:
    examples = texts()
    words = {name for name in examples.names if name.startswith("w")}
    assert choose_words(examples, words, most=4) == ["w0", "w1", "w2", "w3"]


def test_only_words_are_chosen_and_few_are_all_kept() -> None:
    examples = texts(words=5)
    assert choose_words(examples, {"w1", "w4", "elsewhere"}) == ["w1", "w4"]
    assert choose_words(examples, set()) == []


def test_a_word_that_repeats_another_does_not_take_its_place() -> None:
    """One at a time both would look good; beside each other they share what they tell."""
    examples = texts(told=3)
    twice = examples.features.append_column("w0_again", examples.features.column("w0"))
    found = choose_words(Examples(features=twice, won=examples.won), {*twice.column_names} - {"size"}, most=5)
    assert {"w1", "w2"} <= set(found)


def test_few_outcomes_choose_few_words() -> None:
    examples = texts()
    few = Examples(features=examples.features, won=np.arange(2000) < 12)
    words = {name for name in examples.names if name.startswith("w")}
    assert len(choose_words(few, words)) == 12 // OUTCOMES_A_WORD
    assert choose_words(Examples(features=examples.features, won=np.zeros(2000, bool)), words) == []
    assert len(choose_words(examples, words)) <= MOST


@pytest.mark.parametrize("missing", [True, False])
def test_a_text_that_is_missing_has_no_words(missing: bool) -> None:
    column = pa.array([None if missing and n % 3 == 0 else n % 2 == 0 for n in range(200)])
    examples = Examples(features=pa.table({"a": column, "b": pa.array([True] * 200)}), won=np.arange(200) % 2 == 0)
    assert choose_words(examples, {"a", "b"}, most=1) == ["a"]
