"""Which words of long texts to learn from: those that tell most beside each other, on the rows learned from alone.

A text of some length has hundreds of words of which each tells a little. One at a time, by what they gain in trees, the
wrong ones are found: what counts is what a word adds to all the others. So all are weighed at once by a logistic
regression with a strong prior towards nothing, and those that move the odds of most rows most are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.learn.examples import Examples, Floats

MOST = 100
"""How many words a learned scorecard looks at."""
OUTCOMES_A_WORD = 2
"""How many of the rarer outcome there must be for each word kept."""
STRENGTH = 100.0
"""Precision, before looking, of a word's effect on the log-odds."""
ROWS = 50_000
"""The newest rows are enough to weigh words by."""


def choose_words(examples: Examples, words: Collection[str], *, most: int = MOST) -> list[str]:
    """Return the features among `words` to learn from, in the order of the examples.

    Whoever judges what comes of it must give the older rows only.

    >>> rows = {"crash": [True] * 30 + [False] * 70, "the": [True, False] * 50}
    >>> examples = Examples(features=pa.table(rows), won=np.arange(100) < 40)
    >>> choose_words(examples, {"crash", "the"}, most=1)
    ['crash']
    """
    names = [name for name in examples.names if name in words]
    rarer = int(min(examples.wins, len(examples) - examples.wins))
    most = min(most, rarer // OUTCOMES_A_WORD)
    if len(names) <= most:
        return names
    if not most:
        return []
    newest = examples if examples.time is None else examples.take(np.argsort(examples.time, kind="stable")[-ROWS:])
    best = set(np.argsort(-_spread(newest, names), kind="stable")[:most].tolist())
    return [name for place, name in enumerate(names) if place in best]


def _spread(examples: Examples, names: Sequence[str]) -> Floats:
    """Return how much each word moves the log-odds of the rows: the standard deviation of what it adds."""
    from sklearn.linear_model import LogisticRegression

    held = np.column_stack([_as_number(examples.features.column(name)) for name in names])
    if not (examples.won.any() and not examples.won.all()):
        return np.zeros(len(names))
    model = LogisticRegression(C=1 / STRENGTH, max_iter=200).fit(held, examples.won)
    found: Floats = np.abs(model.coef_[0]) * held.std(axis=0)
    return found


def _as_number(column: pa.ChunkedArray) -> Floats:
    found: Floats = pc.fill_null(column.cast(pa.bool_()), False).cast(pa.float64()).to_numpy()
    return found
