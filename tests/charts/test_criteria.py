from __future__ import annotations

import json

from leadlight.charts.criteria import criteria_bars
from leadlight.charts.render import to_svg
from leadlight.charts.style import DOWN, UP

MEANS = [("Seniority", 4.5), ("Never", 0.0), ("Unsubscribed", -1.0)]


def test_the_order_given_is_the_order_drawn() -> None:
    spec = criteria_bars(MEANS)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert [(row["name"], row["points"]) for row in spec["data"]["values"]] == MEANS
    drawn = to_svg(spec)
    assert drawn.index(">Seniority<") < drawn.index(">Never<") < drawn.index(">Unsubscribed<")


def test_gains_and_losses_differ_in_colour() -> None:
    drawn = to_svg(criteria_bars(MEANS))
    assert drawn.count(f'fill="{UP}"') == 2
    assert drawn.count(f'fill="{DOWN}"') == 1


def test_a_hostile_name_is_only_text() -> None:
    drawn = to_svg(criteria_bars([("<script>alert(1)</script>", 1.0), ("a & b", 2.0)]))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "a &amp; b" in drawn
