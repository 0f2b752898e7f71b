"""What can be wrong with bands, category keys and pair tables; each fault with the path to it from its criterion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from leadlight.errors import did_you_mean, shorten
from leadlight.expr.types import Type
from leadlight.spec.marks import Path
from leadlight.spec.models import BandCriterion, CategoryCriterion, PairCriterion
from leadlight.spec.validation import found, quotes_hint

OTHER = "other"
"""The key of a pair table that stands for all other values."""
NEEDED = {Type.NUMBER: "a number", Type.TEXT: "text", Type.BOOL: "true or false"}


class Flaw(NamedTuple):
    """One thing that is wrong in a criterion."""

    message: str
    path: Path
    on_key: bool = False
    is_warning: bool = False


def band_flaws(criterion: BandCriterion) -> Iterator[Flaw]:
    """Find bands that are empty, overlap, or leave a gap that `other` does not fill."""
    sound: list[tuple[float, float, int]] = []
    for index, (low, high, _) in enumerate(criterion.bands):
        start, end = -math.inf if low is None else low, math.inf if high is None else high
        if start >= end:
            yield Flaw(f"the band {interval(start, end)} is empty: low must be below high", ("bands", index))
        else:
            sound.append((start, end, index))
    sound.sort()
    reach, holder = -math.inf, ""
    for position, (start, end, index) in enumerate(sound):
        path = ("bands", index)
        if position and start < reach:
            shared = interval(start, min(end, reach))
            yield Flaw(f"the band {interval(start, end)} overlaps {holder}: both hold {shared}", path)
        elif position and start > reach and criterion.other is None:
            gap = interval(reach, start)
            yield Flaw(f"the bands leave a gap at {gap}: give it a band, or say with `other` what it gets", path)
        if end > reach or not position:
            reach, holder = end, interval(start, end)


def interval(low: float, high: float) -> str:
    """Write a half-open band as YAML has it.

    >>> interval(10, math.inf)
    '[10, null)'
    """
    return f"[{_bound(low)}, {_bound(high)})"


def _bound(value: float) -> str:
    if math.isinf(value):
        return "null"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def category_flaws(criterion: CategoryCriterion, kind: Type) -> Iterator[Flaw]:
    """Find keys that the feature's values can never equal."""
    if not criterion.points:
        yield Flaw("must not be empty", ("points",))
    for key in criterion.points:
        if key == OTHER and kind is Type.TEXT:
            yield _literally(key, ("points", key), "all other values get")
        else:
            yield from key_flaws(key, ("points", key), criterion.feature, kind)


def _literally(key: str, path: Path, gets: str) -> Flaw:
    message = f"this is for the value {key!r}; what {gets} is said by `{key}:` beside this map"
    return Flaw(message, path, on_key=True, is_warning=True)


def key_flaws(key: Any, path: Path, feature: str, kind: Type) -> Iterator[Flaw]:
    """Find what is wrong with a key of a map by a feature's values."""
    is_number = isinstance(key, int | float) and not isinstance(key, bool)
    fits = {Type.TEXT: isinstance(key, str), Type.BOOL: isinstance(key, bool), Type.NUMBER: is_number}[kind]
    if fits and key == "missing":
        yield _literally(key, path, "no value gets")
    if fits and not (is_number and not math.isfinite(key)):
        return
    wanted = "a finite number" if fits else f"{NEEDED[kind]} too"
    message = f"{feature} is {NEEDED[kind]}: a key must be {wanted}; found {found(key)}"
    if key in (OTHER, "missing"):
        message += f"; write `{key}:` beside this map"
    yield Flaw(message + quotes_hint(NEEDED[kind], key), path, on_key=True)


def pair_flaws(criterion: PairCriterion, types: Mapping[str, Type]) -> Iterator[Flaw]:
    """Find cuts and tables that do not fit the two features; a feature without a type is left out."""
    first, second = criterion.features
    if first == second:
        yield Flaw(f"the two features must differ; found {first} twice", ("features",))
        return
    for name, cuts in criterion.bands.items():
        yield from _cut_flaws(name, cuts, criterion.features, types)
    for name in criterion.features:
        if name not in criterion.bands and types.get(name) is Type.TIME:
            yield Flaw(f"{name} is a time: use a feature with its `age`, and `bands`", ("features",))
            return
    yield from _cell_flaws(criterion, criterion.table, ("table",), [first, second], types)


def _cut_flaws(name: str, cuts: Sequence[float], names: Sequence[str], types: Mapping[str, Type]) -> Iterator[Flaw]:
    path = ("bands", name)
    if name not in names:
        yield Flaw(f"{shorten(name)} is not one of the two features: {did_you_mean(name, names)}", path, on_key=True)
    elif types.get(name, Type.NUMBER) is not Type.NUMBER:
        yield Flaw(f"bands need a number; {name} is {describe(types[name])}", path, on_key=True)
    if not cuts:
        yield Flaw("needs at least one cut", path)
    for index, (low, high) in enumerate(pairwise(cuts)):
        if low >= high:
            yield Flaw(f"cuts must rise; found {_bound(low)} before {_bound(high)}", (*path, index + 1))


def _cell_flaws(
    criterion: PairCriterion, cells: Any, path: Path, names: Sequence[str], types: Mapping[str, Type]
) -> Iterator[Flaw]:
    """Walk the table: over the first feature's rows, then over the second's points."""
    if not names:
        if isinstance(cells, bool) or not isinstance(cells, int | float) or not math.isfinite(cells):
            yield Flaw(f"must be a finite number; found {found(cells)}", path)
        return
    name, rest = names[0], names[1:]
    inside: list[tuple[Any, Any]]
    if name in criterion.bands:
        yield from _banded_flaws(criterion, cells, path, names)
        inside = list(enumerate(cells)) if isinstance(cells, list) else []
    else:
        yield from _mapped_flaws(cells, path, names, types)
        inside = list(cells.items()) if isinstance(cells, dict) else []
    for key, cell in inside:
        yield from _cell_flaws(criterion, cell, (*path, key), rest, types)


def _banded_flaws(criterion: PairCriterion, cells: Any, path: Path, names: Sequence[str]) -> Iterator[Flaw]:
    cuts = criterion.bands[names[0]]
    wanted = len(cuts) + 1
    noun = "rows" if len(names) == 2 else "points"
    if not isinstance(cells, list) or len(cells) != wanted:
        seen = f"{len(cells)}" if isinstance(cells, list) else found(cells)
        yield Flaw(f"must be a list of {wanted} {noun}, for {names[0]} {_cells_in_words(cuts)}; found {seen}", path)


def _mapped_flaws(cells: Any, path: Path, names: Sequence[str], types: Mapping[str, Type]) -> Iterator[Flaw]:
    noun = "row" if len(names) == 2 else "points"
    if not isinstance(cells, dict) or not cells:
        seen = "an empty map" if cells == {} else found(cells)
        hint = f"; for bands say its cuts, as in `bands: {{{names[0]}: [50, 500]}}`" if isinstance(cells, list) else ""
        yield Flaw(f"must be a map from each value of {names[0]} to its {noun}; found {seen}{hint}", path)
        return
    kind = types.get(names[0])
    for key in cells:
        if kind is not None and key != OTHER:
            yield from key_flaws(key, (*path, key), names[0], kind)


def _cells_in_words(cuts: Sequence[float]) -> str:
    """Name the cells between cuts.

    >>> _cells_in_words([50, 500])
    'below 50, 50 to 500, from 500'
    """
    if not cuts:
        return ""
    between = [f"{_bound(low)} to {_bound(high)}" for low, high in pairwise(cuts)]
    return ", ".join([f"below {_bound(cuts[0])}", *between, f"from {_bound(cuts[-1])}"])


def describe(kind: Type) -> str:
    """Name a type in a sentence."""
    return {**NEEDED, Type.TIME: "a time"}[kind]
