"""Features are chosen for what they add to each other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadlight.learn.chosen import MOST, choose_features
from leadlight.learn.examples import Examples
from leadlight.learn.fit import FitSettings


def leads(rows: int = 3000, noise: int = 30, seed: int = 5) -> Examples:
    """A size and a rare request that tell, copies of the size that add nothing, texts of many values and noise."""
    dice = np.random.default_rng(seed)
    size, asked = dice.normal(size=rows), dice.random(rows) < 0.03
    won = dice.random(rows) < 1 / (1 + np.exp(2 - 0.8 * size - 1.5 * asked))
    columns = {
        **{f"noise_{n}": dice.normal(size=rows) for n in range(noise)},
        **{f"word_{n}": dice.integers(0, 60, rows).astype(str) for n in range(5)},
        "size": size,
        "asked": asked,
    }
    return Examples(features=pa.table(columns), won=won, time=np.arange(rows, dtype=float))


def test_a_rare_flag_that_tells_is_chosen_before_noise_of_many_values() -> None:
    examples = leads()
    assert choose_features(examples, examples.names, most=2) == ["size", "asked"]


def test_few_are_all_kept_in_their_order_and_only_named_ones_are_chosen() -> None:
    examples = leads(noise=3)
    assert choose_features(examples, ["size", "noise_1"]) == ["size", "noise_1"]
    assert choose_features(examples, ["noise_0", "asked", "noise_1"], most=1) == ["asked"]


def test_no_more_are_chosen_than_are_read() -> None:
    examples = leads(noise=MOST + 10)
    found = choose_features(examples, examples.names, FitSettings(seed=3))
    assert len(found) <= MOST
    assert {"size", "asked"} <= {*found}


def test_what_has_one_value_moves_nothing_and_is_left_out_first() -> None:
    examples = leads(noise=0)
    features = examples.features.append_column("always", pa.array(np.ones(len(examples))))
    examples = Examples(features=features, won=examples.won, time=examples.time)
    assert "always" not in choose_features(examples, examples.names, most=len(examples.names) - 1)
