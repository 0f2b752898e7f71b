from __future__ import annotations

import json

from leadlight.charts.grades import grade_bars, grade_matrix
from leadlight.charts.render import to_svg

AXES, LEVELS = ("fit", "deed"), (["A", "B"], ["1", "2", "3"])
COUNTS = {("A", "1"): 100, ("A", "3"): 46, ("B", "2"): 45, ("B", "3"): 1234}


def test_a_bar_for_each_grade_even_an_empty_one() -> None:
    spec = grade_bars({"A": 2, "B": 0, "C": 5}, entity="lead")
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert spec["data"]["values"] == [
        {"grade": "A", "count": 2}, {"grade": "B", "count": 0}, {"grade": "C", "count": 5},
    ]  # fmt: skip
    drawn = to_svg(spec)
    assert drawn.index(">A<") < drawn.index(">B<") < drawn.index(">C<")


def test_a_cell_for_each_pair_of_levels() -> None:
    spec = grade_matrix(COUNTS, axes=AXES, levels=LEVELS)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert [(cell["grade"], cell["count"]) for cell in spec["data"]["values"]] == [
        ("A1", 100), ("A2", 0), ("A3", 46), ("B1", 0), ("B2", 45), ("B3", 1234),
    ]  # fmt: skip
    assert (spec["width"], spec["height"]) == (3 * 130, 2 * 76)


def test_ink_is_white_on_the_dark_cells_only() -> None:
    cells = grade_matrix({**COUNTS, ("B", "3"): 100}, axes=AXES, levels=LEVELS)["data"]["values"]
    assert [cell["grade"] for cell in cells if cell["dark"]] == ["A1", "A3", "B3"]  # above 45 % of the most


def test_the_matrix_can_be_drawn_even_of_nobody() -> None:
    for counts, shown in ((COUNTS, ">1,234<"), ({}, ">A1<")):
        drawn = to_svg(grade_matrix(counts, axes=AXES, levels=LEVELS))
        assert shown in drawn
        assert drawn.count('aria-roledescription="rect mark"') == 6
