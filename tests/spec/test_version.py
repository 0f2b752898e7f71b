import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.spec.models import ScorecardSpec
from leadlight.spec.version import version
from leadlight.spec.yaml import read_yaml

HOUSE = """\
base: 3
groups:
  fit:
    cap: [-100, 60]
    criteria:
      - {name: Seniority, feature: seniority, points: {c_level: 20, vp: 15}, missing: 1, other: 2}
      - {name: Size, feature: employees, bands: [[0, 10, -5], [10, null, 8]], missing: 7}
      - {name: Pair, features: [industry, employees], bands: {employees: [50]}, table: {a: [1, 2], other: [3, 4]}}
      - {name: Looks, event: page_view, points: 5, half_life: 14d, max: 20, within: 30d, first: 9}
      - {name: Works, when: employees > 50, points: 5}
gates: [{name: Competitor, when: "domain = 'x'", grade: D}]
grades: {fit: {A: 40, D: null}, hysteresis: {margin: 3, dwell: 24h}}
scale: {double_odds: 25}
calibration: {score: [-60, 70], probability: [0.25, 0.75]}
"""


def version_of(text: str) -> str:
    return version(ScorecardSpec.model_validate(read_yaml(text, "house.yaml").value))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return [path] if isinstance(value, int | float) and not isinstance(value, bool) else []
    return [leaf for key, inner in items for leaf in leaves(inner, (*path, key))]


CONTENT = read_yaml(HOUSE, "house.yaml").value
NUMBERS = leaves(CONTENT)


def test_comments_blanks_and_the_order_of_keys_change_nothing() -> None:
    lines = HOUSE.splitlines()
    turned = "\n".join(["# by Ann", *lines[-4:], "", *lines[:-4], "# end"])
    turned = turned.replace(
        "{name: Works, when: employees > 50, points: 5}", "{points: 5.0, when: 'employees > 50', name: Works}"
    )
    turned = turned.replace("c_level: 20, vp: 15", "vp: 15, c_level: 20")
    assert version_of(turned) == version_of(HOUSE)


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert version_of(HOUSE + "of: lead\n") == version_of(HOUSE)


@given(st.sampled_from(NUMBERS))
def test_every_number_counts(path: tuple[Any, ...]) -> None:
    content = copy.deepcopy(CONTENT)
    holder = content
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] += 1 if isinstance(holder[path[-1]], int) else 0.125
    changed = version(ScorecardSpec.model_validate(content)) if path != ("calibration", "score", 1) else "another"
    assert changed != version_of(HOUSE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("within: 30d", "within: 31d"), ("half_life: 14d", "half_life: 15d"), ("dwell: 24h", "dwell: 25h"),
        ("employees > 50", "employees > 51"), ("grade: D", "grade: A"), ("name: Size", "name: Sise"), ("vp:", "svp:"),
    ],
)  # fmt: skip
def test_every_word_counts(before: str, after: str) -> None:
    assert version_of(HOUSE.replace(before, after)) != version_of(HOUSE)


def test_version_is_12_hex_digits_and_stays_the_same_for_ever() -> None:
    assert version_of(HOUSE) == "3e37185b78c7"
