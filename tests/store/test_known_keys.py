"""Keys known in memory: what is not among them is new for certain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.events import load_events
from leadlight.store.known_keys import KnownKeys, known_keys
from leadlight.store.staged import Staged

Stage = Callable[..., Staged]


def day(number: int) -> datetime:
    return datetime(2025, 1, number)


def numbers(*values: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array(values, np.uint64)


def test_all_that_was_told_is_known() -> None:
    known, told = KnownKeys(), np.random.default_rng(3).integers(0, 2**63, 5_000).astype(np.uint64)
    for part in np.array_split(told, 97):
        known.add(part)
    assert all(known.may_have(part) for part in np.array_split(told, 400))
    assert not known.may_have(np.setdiff1d(np.arange(1_000, dtype=np.uint64), told))
    assert len(known) == len(told)
    assert len(known._runs) < 20  # runs are merged: few are to be searched


@pytest.mark.parametrize("value", [0, 1, 2**64 - 1])
def test_the_ends_of_the_numbers_are_numbers_like_others(value: int) -> None:
    known = KnownKeys()
    known.add(numbers())
    assert not known.may_have(numbers(value))
    known.add(numbers(value))
    assert known.may_have(numbers(5, value))
    assert not known.may_have(numbers(7))
    assert not known.may_have(numbers())


def test_events_are_counted_once_with_and_without(store: Engine, stage: Stage) -> None:
    def load(*messages: str) -> int:
        rows = [("a", f"m{message}", day(1), f"/{message}") for message in messages]
        staged = stage("web", ["lead", "message_id", "at"], {"path": Type.TEXT}, rows)
        return load_events(store, staged, "visit", known=known).new

    known = known_keys(store, "web")
    assert (known is None) == (not store.capabilities.one_file)
    assert load("1", "2", "2") == 2
    assert load("3", "2") == 1
    known = known_keys(store, "web")  # as a service does that starts again
    assert load("1", "2", "3", "4") == 1
    assert store.rows("SELECT count(*), count(DISTINCT _key) FROM events") == [(4, 4)]


def test_what_was_rolled_back_can_be_loaded_again(store: Engine, stage: Stage) -> None:
    known = known_keys(store, "web")

    def load() -> int:
        rows = stage("web", ["lead", "message_id", "at"], {}, [("a", "m1", day(1))])
        return load_events(store, rows, "visit", known=known).new

    def fail() -> None:
        with store.transaction():
            assert load() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert load() == 1
    assert load() == 0


def test_events_of_other_sources_are_no_repeats(store: Engine, stage: Stage) -> None:
    load_events(store, stage("file", ["lead", "message_id", "at"], {}, [("a", "m1", day(1))]), "visit")
    known = known_keys(store, "web")
    rows = stage("web", ["lead", "message_id", "at"], {}, [("a", "m1", day(1))])
    assert load_events(store, rows, "visit", known=known).new == 1
