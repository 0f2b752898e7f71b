from __future__ import annotations

import json

from leadlight.charts.profile import profile_shares
from leadlight.charts.render import to_svg
from leadlight.charts.style import ACCENT, QUIET

ROWS = [("Seniority: vp", 0.4, 0.1, 4.0), ("Source: cold", 0.04, 0.1, 0.4), ("Never seen", 0.2, 0.2, 1.0)]


def test_each_level_has_two_dots_a_line_and_its_lift() -> None:
    spec = profile_shares(ROWS)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    lines, dots, texts = (layer["data"]["values"] for layer in spec["layer"])
    assert len(dots) == 2 * len(lines) == 2 * len(ROWS)
    assert [(row["low"], row["high"]) for row in lines] == [(0.1, 0.4), (0.04, 0.1), (0.2, 0.2)]
    assert [row["lift"] for row in texts] == ["4.0 ×", "0.40 ×", "1.0 ×"]


def test_the_order_given_is_the_order_drawn() -> None:
    drawn = to_svg(profile_shares(ROWS))
    places = [drawn.index(f">{level}<") for level, *_ in ROWS]
    assert places == sorted(places)
    assert ">of the won<" in drawn
    assert drawn.count(f'fill="{ACCENT}"') == len(ROWS) + 1  # with the legend's
    assert drawn.count(f'fill="{QUIET}"') >= len(ROWS) + 1


def test_a_hostile_level_is_only_text() -> None:
    drawn = to_svg(profile_shares([("<script>alert(1)</script>", 0.2, 0.1, 2.0)]))
    assert "<script" not in drawn


def test_nothing_to_show_is_an_empty_chart() -> None:
    assert to_svg(profile_shares([])).startswith("<svg")
