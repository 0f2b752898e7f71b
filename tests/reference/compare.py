"""Holding two answers together: the reference's and an engine's, or two engines'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reference.scorer import Scored, Scores

TOLERANCE = 1e-9
NOTHING = 1e-290
Key = int | str | tuple[int | str, datetime]


def close(one: float, other: float, size: float = 0.0) -> bool:
    """Say whether two numbers agree: within 1e-9, of the largest number that took part where that is more than 1."""
    return abs(one - other) <= TOLERANCE * max(1.0, size, abs(one), abs(other))


def fired(points: float) -> bool:
    """Say whether a criterion gave anything: exact, but for what about 1,000 half-lives leave of an event's points.

    Engines differ in the smallest number they can hold there: PostgreSQL gives 0 where others still have 1e-310.
    """
    return abs(points) > NOTHING


def feature_faults(expected: Mapping[Key, Mapping[str, Any]], found: Mapping[Key, Mapping[str, Any]]) -> list[str]:
    """List where two tables of features differ: in rows, in values, in what is missing, in types."""
    faults = _keys(expected, found)
    for key in expected.keys() & found.keys():
        for name, value in expected[key].items():
            if not _same_value(value, found[key][name]):
                faults.append(f"{key}: {name} should be {value!r}, is {found[key][name]!r}")
    return faults


def _same_value(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return close(one, other)
    return type(one) is type(other) and one == other


def _keys(expected: Mapping[Key, Any], found: Mapping[Key, Any]) -> list[str]:
    lost, extra = expected.keys() - found.keys(), found.keys() - expected.keys()
    return [f"no row for {key}" for key in lost] + [f"a row too many for {key}" for key in extra]


def score_faults(expected: Scores, found: Mapping[Key, Scored]) -> list[str]:
    """List where two sets of scores differ, and where what was found does not add up."""
    faults = _keys(expected.scored, found)
    for key in expected.scored.keys() & found.keys():
        faults += [f"{key}: {fault}" for fault in _score_faults(expected.scored[key], found[key])]
    return faults


def _score_faults(expected: Scored, found: Scored) -> Iterator[str]:
    size = sum((abs(points) for points in _items(expected)), 0.0)
    for group, points in expected.contributions.items():
        if len(points) != len(found.contributions[group]):
            yield f"{group} has {len(found.contributions[group])} contributions"
        for i, (one, other) in enumerate(zip(points, found.contributions[group], strict=False)):
            if not close(one, other) or fired(one) != fired(other):
                yield f"{group}[{i}] should give {one!r}, gives {other!r}"
    for part in ("caps", "groups"):
        for group, value in getattr(expected, part).items():
            if not close(value, getattr(found, part)[group], size):
                yield f"{part} of {group} should be {value!r}, is {getattr(found, part)[group]!r}"
    if not close(expected.score, found.score, size):
        yield f"score should be {expected.score!r}, is {found.score!r}"
    if not close(sum(_items(found)), found.score, size):
        yield f"contributions sum to {sum(_items(found))!r}, not to the score {found.score!r}"
    if not _same_value(expected.probability, found.probability):
        yield f"probability should be {expected.probability!r}, is {found.probability!r}"
    for part in ("levels", "since", "grade", "gate"):
        if getattr(expected, part) != getattr(found, part):
            yield f"{part} should be {getattr(expected, part)!r}, is {getattr(found, part)!r}"


def _items(scored: Scored) -> list[float]:
    return [
        scored.base,
        *scored.caps.values(),
        *(points for group in scored.contributions.values() for points in group),
    ]
