from __future__ import annotations

from leadlight.charts.style import CONFIG, SCHEMA, chart


def test_every_chart_says_what_it_is_and_looks_the_same() -> None:
    assert chart([{"a": 1}], width=10, height={"step": 2}, mark="bar") == {
        "$schema": SCHEMA, "config": CONFIG, "width": 10, "height": {"step": 2}, "data": {"values": [{"a": 1}]},
        "mark": "bar",
    }  # fmt: skip
