"""Made-up leads of any number: 60 features, a known probability, outcomes drawn from it. To time, never to judge by."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.learn.examples import Examples

NUMBERS, TEXTS, FLAGS = 40, 14, 6
FEATURES = NUMBERS + TEXTS + FLAGS
MISSING = 0.05
DAYS = 730.0


def simulated(rows: int, seed: int = 0) -> Examples:
    """Return leads over two years: 40 numbers of different shapes, 14 texts of 3 to 200 values, 6 flags.

    All features matter a little, and four pairs do; about one lead in ten is won.

    >>> some = simulated(2_000)
    >>> len(some), len(some.names), 0.05 < some.wins / len(some) < 0.2
    (2000, 60, True)
    """
    random = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {}
    effects = [_number(columns, random, rows, place) for place in range(NUMBERS)]
    effects += [_text(columns, random, rows, place) for place in range(TEXTS)]
    effects += [_flag(columns, random, rows, place) for place in range(FLAGS)]
    pairs = sum(4 * effects[one] * effects[other] for one, other in ((0, 3), (6, 40), (7, 9), (54, 12)))
    log_odds = sum(effects) + pairs - 2.4
    won = random.random(rows) < 1 / (1 + np.exp(-log_odds))
    return Examples(features=pa.table(columns), won=won, time=np.sort(random.uniform(0, DAYS, rows)))


def _number(columns: dict[str, pa.Array], random: np.random.Generator, rows: int, place: int) -> np.ndarray:
    """Add a number (normal, skewed, or a count) and return what it does to the log-odds."""
    normal = random.standard_normal(rows)
    values = (normal, np.exp(normal), random.poisson(3, rows).astype(float))[place % 3]
    columns[f"number_{place}"] = pa.array(values, mask=random.random(rows) < MISSING)
    return 0.3 * (np.tanh(normal) if place % 3 < 2 else np.tanh(values - 3))


def _text(columns: dict[str, pa.Array], random: np.random.Generator, rows: int, place: int) -> np.ndarray:
    """Add a text of which some values are common and many are rare."""
    count = int(np.geomspace(3, 200, TEXTS)[place])
    code = np.minimum(random.geometric(min(0.5, 4 / count), rows) - 1, count - 1).astype(np.int32)
    words = pa.array([f"value {number}" for number in range(count)])
    coded = pa.DictionaryArray.from_arrays(pa.array(code, mask=random.random(rows) < MISSING), words)
    columns[f"text_{place}"] = coded.cast(pa.string())
    return 0.2 * random.standard_normal(count)[code]


def _flag(columns: dict[str, pa.Array], random: np.random.Generator, rows: int, place: int) -> np.ndarray:
    value = random.random(rows) < 0.3
    columns[f"flag_{place}"] = pa.array(value, mask=random.random(rows) < MISSING)
    return 0.5 * (value - 0.3)


def numbers(features: pa.Table) -> np.ndarray:
    """Return made-up features as a matrix: a text by its number, a flag as 0 or 1, NaN where missing.

    >>> numbers(pa.table({"text_0": ["value 7", None], "flag_0": [True, False]})).tolist()
    [[7.0, 1.0], [nan, 0.0]]
    """
    columns = (
        pc.utf8_slice_codeunits(column, len("value ")) if pa.types.is_string(column.type) else column
        for column in features.columns
    )
    return np.column_stack([column.cast(pa.float64()).to_numpy() for column in columns])
