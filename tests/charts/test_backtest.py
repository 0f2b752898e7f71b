from __future__ import annotations

import json

from leadlight.charts.backtest import backtest_bars
from leadlight.charts.render import to_svg
from leadlight.charts.style import ACCENT, QUIET

TOTALS = [("learned", 41.0, 35.0, 47.0), ("random order", 12.44, 10.0, 15.0), ("hindsight", 1234.5, None, None)]


def test_a_bar_for_each_strategy_and_an_interval_where_there_is_one() -> None:
    spec = backtest_bars(TOTALS, title="worth won")
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    bars, rules, labels = (layer["data"]["values"] for layer in spec["layer"])
    assert [(row["name"], row["label"], row["end"]) for row in bars] == [
        ("learned", "41", 47.0), ("random order", "12.4", 15.0), ("hindsight", "1,234", 1234.5),
    ]  # fmt: skip
    assert [row["name"] for row in rules] == ["learned", "random order"]
    assert labels == bars


def test_the_first_stands_out() -> None:
    drawn = to_svg(backtest_bars(TOTALS))
    assert drawn.index(">learned<") < drawn.index(">random order<") < drawn.index(">hindsight<")
    assert drawn.count(f'fill="{ACCENT}"') == 1
    assert drawn.count(f'fill="{QUIET}"') == 2
    assert ">deals won<" in drawn


def test_nothing_won_at_all() -> None:
    assert ">0<" in to_svg(backtest_bars([("a", 0.0, 0.0, 0.0)]))
