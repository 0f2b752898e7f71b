"""The kinds of numpy arrays that evaluation passes around."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]
"""Text or None, one for each row."""


def same_length(**arrays: NDArray[np.generic] | None) -> int:
    """Return how many rows the arrays have; those that are None do not count.

    Raises ValueError where they differ, naming them.

    >>> same_length(score=np.zeros(2), won=np.array([True, False]), lead=None)
    2
    """
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        raise ValueError("arrays of different lengths: " + ", ".join(f"{name} {n}" for name, n in lengths.items()))
    return next(iter(lengths.values()), 0)


def no_gaps(name: str, array: Floats) -> Floats:
    """Return the array as double; raises ValueError where it holds NaN.

    >>> no_gaps("score", np.array([1, 2]))
    array([1., 2.])
    """
    array = np.asarray(array, np.float64)
    if np.isnan(array).any():
        raise ValueError(f"{name} holds {int(np.isnan(array).sum())} missing values")
    return array
