"""Unique values, counts of rows, copies."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.identifiers import same_content, uniqueness

DRAW = np.random.default_rng(3)
N = 400
ORDER = np.arange(float(N))


def is_identifier(values) -> bool:
    return uniqueness(pa.chunked_array([pa.array(values)]), ORDER).is_identifier


@pytest.mark.parametrize(
    "values",
    [
        [f"00Q5f{n:06d}" for n in range(N)],
        [f"{n % 20} {n}" for n in range(N)],
        ORDER + 1,
        5_000 - 13 * ORDER,
        DRAW.permutation(N) + 1.0,
        260_101_00000 + 37.0 * ORDER,
    ],
)
def test_identifiers(values) -> None:
    assert is_identifier(values)


@pytest.mark.parametrize(
    "values",
    [
        DRAW.normal(size=N),
        DRAW.lognormal(8, 2, N).round(),
        DRAW.integers(0, 100, N).astype(float),
        np.sort(DRAW.lognormal(8, 1, N)),
        [f"city {n % 200}" for n in range(N)],
        [f"we want to see offer {n}" for n in range(N)],
        DRAW.random(N) < 0.5,
        [f"x{n}" for n in range(10)] * (N // 10),
    ],
)
def test_no_identifiers(values) -> None:
    assert not is_identifier(values)


def test_few_values_are_no_evidence() -> None:
    found = uniqueness(pa.chunked_array([pa.array([f"id{n}" if n < 30 else None for n in range(N)])]), ORDER)
    assert (found.values, found.distinct, found.missing, found.is_identifier) == (30, 30, 370, False)


def test_copies_in_other_words() -> None:
    size, flag = DRAW.normal(size=N), DRAW.random(N) < 0.3
    code = DRAW.integers(0, 4, N)
    rows = pa.table(
        {
            "size": size,
            "cents": size * 100,
            "less": -size,
            "flag": flag,
            "word": np.where(flag, "yes", "no"),
            "not": ~flag,
            "code": code.astype(float),
            "name": np.array(["red", "green", "blue", "grey"])[code],
        }
    )
    assert same_content(rows) == {"cents": "size", "less": "size", "word": "flag", "not": "flag", "name": "code"}


def test_no_copies() -> None:
    one = np.zeros(N)
    one[5] = 1
    rows = pa.table(
        {
            "one": one,
            "again": one * 2,
            "constant": np.zeros(N),
            "other": np.zeros(N) + 1,
            "a": [f"a{n}" for n in range(N)],
            "b": [f"b{n}" for n in range(N)],
            "x": DRAW.normal(size=N),
            "y": DRAW.normal(size=N),
        }
    )
    assert same_content(rows) == {}


def test_gaps_must_be_the_same() -> None:
    values = DRAW.integers(0, 5, N).astype(float)
    rows = pa.table({"full": values, "gaps": pa.array(values, mask=np.arange(N) % 2 == 0)})
    assert same_content(rows) == {}
