"""Fine bins: every feature as small whole numbers, once, so that all fitting afterwards is counting."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlight.learn.tables import Axis, CategoryAxis, NumberAxis

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

MOST_VALUES = 250
"""Values of a text kept apart; codes are one byte, and two are needed for missing and other."""
BUDGET = 1200
"""About how many codes there may be in all, since the solver's steps take the cube of it."""
RAREST = 5
"""A value seen in fewer rows is one of the others."""
FEWEST_BINS = 12
MOST_DIGITS = 17


@dataclass(frozen=True, slots=True)
class Binned:
    """Rows as codes: `codes[j]` has the place of each row on `axes[j]`. `left_out` says why a feature is not used."""

    axes: tuple[Axis, ...]
    codes: tuple[Codes, ...]
    left_out: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The features used, in order."""
        return [axis.feature for axis in self.axes]


def bin_features(features: pa.Table, *, most: int = 48, rarest: int = RAREST, copies: bool = False) -> Binned:
    """Return each row's code for each feature that can say anything.

    Numbers are cut at quantiles into at most `most` bands, texts keep their most frequent values. A feature without a
    value, with one value only in all rows, or (unless `copies` may stay) that tells rows apart just as one before it
    does, is left out and named.

    >>> rows = pa.table({"size": [1.0, 2.0, None, 2.0], "same": ["a"] * 4, "none": pa.nulls(4)})
    >>> binned = bin_features(rows)
    >>> binned.names, binned.codes[0].tolist(), binned.left_out
    (['size'], [1, 2, 0, 2], {'same': 'has one value only', 'none': 'has no value'})
    """
    axes, codes, left_out = [], [], {}
    room = max(BUDGET // max(features.num_columns, 1), FEWEST_BINS)
    most, values = min(most, room), min(MOST_VALUES, 2 * room)
    seen: dict[bytes, str] = {}
    for name in features.column_names:
        column = features.column(name).combine_chunks()
        if column.null_count == len(column):
            left_out[name] = "has no value"
            continue
        axis = fine_axis(name, column, most=most, rarest=rarest, values=values)
        places = axis.places(features)
        if (places == places[0]).all():
            left_out[name] = "has one value only"
            continue
        column_codes = places.astype(np.uint8)
        first = seen.setdefault(sha256(column_codes.tobytes()).digest(), name)
        if first != name and not copies:
            left_out[name] = f"says the same as {first!r} in every row"
            continue
        axes.append(axis)
        codes.append(column_codes)
    return Binned(tuple(axes), tuple(codes), left_out)


def codes_of(axes: tuple[Axis, ...], features: pa.Table) -> tuple[Codes, ...]:
    """Return the codes of other rows on axes found before."""
    return tuple(axis.places(features).astype(np.uint8) for axis in axes)


def fine_axis(name: str, column: pa.Array, *, most: int, rarest: int = RAREST, values: int = MOST_VALUES) -> Axis:
    """Return the axis of one feature by its type."""
    if pa.types.is_boolean(column.type):
        return CategoryAxis(name, ((False,), (True,)))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return CategoryAxis(name, tuple((value,) for value in frequent_values(column, rarest=rarest, most=values)))
    return NumberAxis(name, number_cuts(column.cast(pa.float64()).drop_null().to_numpy(), most=most))


def frequent_values(column: pa.Array, *, rarest: int = RAREST, most: int = MOST_VALUES) -> list[str]:
    """Return the values seen often enough to have an effect of their own, the most frequent first."""
    counts = pc.value_counts(column.drop_null())
    pairs: list[tuple[int, str]] = sorted(
        (-row["counts"], row["values"]) for row in counts.to_pylist() if row["counts"] >= rarest
    )
    return [value for _, value in pairs[:most]]


def number_cuts(values: Floats, *, most: int) -> tuple[float, ...]:
    """Return cuts between observed values, at about equal shares of rows, each with as few digits as it can have.

    >>> number_cuts(np.array([0.13, 0.48, 7.0, 7.9]), most=4)
    (0.3, 4.0, 7.5)
    >>> number_cuts(np.arange(1000.0), most=4)
    (250.0, 500.0, 750.0)
    """
    finite = values[np.isfinite(values)]
    seen, counts = np.unique(finite, return_counts=True)
    if len(seen) < 2:
        return tuple(seen[:1].tolist()) if len(seen) and len(finite) < len(values) else ()
    if len(seen) <= most:
        upper = np.arange(1, len(seen))
    else:
        share = np.cumsum(counts) / counts.sum()
        upper = np.unique(np.searchsorted(share, np.arange(1, most) / most, side="left") + 1)
        upper = upper[upper < len(seen)]
    return tuple(short_between(seen[upper - 1], seen[upper]).tolist())


def short_between(below: Floats, above: Floats) -> Floats:
    """Return for each pair the number with the fewest significant digits that is > below and <= above.

    >>> short_between(np.array([9.5, 3.0, -0.7, 1234.5]), np.array([10.2, 4.0, -0.52, 1236.0])).tolist()
    [10.0, 4.0, -0.6, 1235.0]
    """
    found, open_ = above.copy(), np.ones(len(above), bool)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.maximum(np.abs(above), np.abs(below))))
    for digits in range(1, MOST_DIGITS):
        for position, exponent in zip(np.flatnonzero(open_), size[open_], strict=True):
            middle = _nearest_inside(below[position], above[position], digits - 1 - int(exponent))
            if middle is not None:
                found[position], open_[position] = middle, False
        if not open_.any():
            break
    return found


def _nearest_inside(below: Any, above: Any, decimals: int) -> float | None:
    """Return the number of so many decimals nearest to the middle that lies in (below, above], if there is one."""
    middle = round(float((below + above) / 2), decimals)
    tries = (middle, middle + 10.0**-decimals, middle - 10.0**-decimals)
    for value in (round(value, decimals) for value in tries):
        if below < value <= above:
            return float(value)
    return None
