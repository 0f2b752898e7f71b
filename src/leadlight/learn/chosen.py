"""Which features to learn from: those that move the log-odds most, each beside all the others.

A workspace has a hundred candidates and more, several for each type of event, and a card of all of them is hard to
read. By what they gain in boosted trees the wrong ones are found: a number or a text of many values offers more splits
than a flag, and of a few hundred wins trees see little of what is rare and telling. So tables of all candidates are
fitted at once, as those of the card will be, and the ones that move the odds of most rows most are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadlight.learn.examples import Examples
from leadlight.learn.fit import FitSettings, moved_by

MOST = 40
"""How many features a learned scorecard looks at, beside the words of texts."""
ROWS = 50_000
"""The newest rows are enough to weigh features by."""


def choose_features(
    examples: Examples, names: Sequence[str], settings: FitSettings | None = None, *, most: int = MOST
) -> list[str]:
    """Return the features among `names` to learn from, in their order.

    Whoever judges what comes of it must give the older rows only.

    >>> import pyarrow as pa
    >>> x = np.tile(np.arange(10.0), 40)
    >>> examples = Examples(features=pa.table({"noise": np.repeat([0.0, 1.0], 200), "x": x}), won=x > 4)
    >>> choose_features(examples, ["noise", "x"], most=1)
    ['x']
    """
    if len(names) <= most:
        return list(names)
    rows = examples.select(list(names))
    if rows.time is not None:
        rows = rows.take(np.argsort(rows.time, kind="stable")[-ROWS:])
    moved = moved_by(rows, settings)
    best = set(sorted((name for name in names if moved[name] > 0), key=lambda name: -moved[name])[:most])
    return [name for name in names if name in best] or list(names[:most])
