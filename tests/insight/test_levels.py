from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from leadlight.expr.types import Type
from leadlight.insight.levels import VALUES, columns, levels
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedCriterion

TYPES = {"tier": Type.TEXT, "size": Type.NUMBER, "year": Type.NUMBER, "free": Type.BOOL}


def told(spec: Any, *values: list[Any]) -> list[str]:
    """The level of each row, in words."""
    criterion = ResolvedCriterion("g__c", "g", spec)
    found = levels(criterion, pa.table(dict(zip(columns(criterion), values, strict=True))), TYPES)
    return [found.names[place] for place in found.place]


def test_a_category_has_its_values_those_seen_and_none() -> None:
    spec = models.CategoryCriterion(name="Tier", feature="tier", points={"gold": 5.0, "other": 1.0})
    assert told(spec, ["gold", "tin", None, "gold"]) == ["Tier: gold", "Tier: tin", "Tier: not known", "Tier: gold"]


def test_rare_values_are_any_other() -> None:
    spec = models.CategoryCriterion(name="Tier", feature="tier", points={"gold": 5.0})
    common = [f"v{number:02}" for number in range(VALUES)]
    found = told(spec, [*common, *common, "rare", "gold"])
    assert found[0] == "Tier: v00"
    assert found[-2:] == ["Tier: any other", "Tier: gold"]


@pytest.mark.parametrize(
    ("feature", "keys", "values", "shown"),
    [
        ("year", {2024: 1.0, 2025.5: 2.0}, [2024.0, 2025.5, 1.0], ["2,024", "2,025.5", "any other"]),
        ("free", {True: -8.0}, [True, False, None], ["yes", "any other", "not known"]),
    ],
)
def test_numbers_and_bools_may_be_categories(
    feature: str, keys: dict[Any, float], values: list[Any], shown: list[str]
) -> None:
    spec = models.CategoryCriterion(name="C", feature=feature, points=keys)
    assert told(spec, values) == [f"C: {name}" for name in shown]


def test_bands_are_half_open_and_a_gap_is_one_too() -> None:
    spec = models.BandCriterion(name="Size", feature="size", bands=[(0, 10, 1.0), (50, None, 2.0)], other=0.0)
    names = ["Size: below 0", "Size: 0 to 10", "Size: 10 to 50", "Size: from 50", "Size: not known"]
    assert told(spec, [-1.0, 0.0, 10.0, 50.0, None]) == names


def test_an_event_is_told_by_how_often_it_came() -> None:
    spec = models.EventCriterion(name="Visited", event="visit", points=1.0, within="30d")
    assert told(spec, [0.0, 1.0, 2.0, 4.0, 5.0, 90.0]) == [
        "Visited: never in 30d", "Visited once in 30d", "Visited 2 to 4 times in 30d", "Visited 2 to 4 times in 30d",
        "Visited 5 times or more in 30d", "Visited 5 times or more in 30d",
    ]  # fmt: skip


def test_a_condition_holds_or_not() -> None:
    spec = models.WhenCriterion(name="Free mail", when="free", points=-8.0)
    assert told(spec, [-8.0, 0.0]) == ["Free mail: yes", "Free mail: no"]


def test_a_pair_has_a_level_for_each_cell() -> None:
    spec = models.PairCriterion(
        name="Pair", features=("tier", "size"), bands={"size": [10.0]}, table={"gold": [1, 2], "other": [0, 3]}
    )
    assert told(spec, ["gold", "tin", None], [9.0, 10.0, None]) == [
        "Pair: gold, below 10", "Pair: tin, from 10", "Pair: not known, not known",
    ]  # fmt: skip
    swapped = models.PairCriterion(
        name="Pair", features=("size", "tier"), bands={"size": [10.0]}, table=[{"gold": 1}, {"gold": 2}]
    )
    assert told(swapped, [9.0, 10.0], ["tin", "gold"]) == ["Pair: below 10, tin", "Pair: from 10, gold"]
