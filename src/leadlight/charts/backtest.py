"""What each way to choose would have won."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, QUIET, chart


def backtest_bars(
    totals: Sequence[tuple[str, float, float | None, float | None]], *, title: str = "deals won"
) -> dict[str, Any]:
    """Return a bar for each strategy from (name, total, low, high), in the order given, the first one in colour.

    `low` and `high` are the interval of the total; None draws none.

    >>> spec = backtest_bars([("learned", 41, 35, 47), ("hindsight", 80, None, None)])
    >>> spec["layer"][0]["data"]["values"][1]["label"]
    '80'
    """
    values = [
        {"name": name, "total": total, "label": _amount(total), "end": max(total, high or total), "first": not place}
        for place, (name, total, _, high) in enumerate(totals)
    ]
    ranges = [{"name": name, "low": low, "high": high} for name, _, low, high in totals if low is not None]
    y = {"field": "name", "type": "nominal", "sort": [row[0] for row in totals], "title": None}
    x = {"type": "quantitative", "title": title}
    colour = {"condition": {"test": "datum.first", "value": ACCENT}, "value": QUIET}
    layers = [
        {"data": {"values": values}, "mark": {"type": "bar", "cornerRadiusEnd": 2},
         "encoding": {"y": y, "x": {"field": "total", **x}, "color": colour}},
        {"data": {"values": ranges}, "mark": {"type": "rule", "strokeWidth": 2, "color": "#343a40"},
         "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}}},
        {"data": {"values": values}, "mark": {"type": "text", "align": "left", "dx": 6, "color": "#495057"},
         "encoding": {"y": y, "x": {"field": "end", **x}, "text": {"field": "label"}}},
    ]  # fmt: skip
    spec = chart([], width=520, height={"step": 30}, layer=layers)
    del spec["data"]
    return spec


def _amount(total: float) -> str:
    """Return a number as people write it: one decimal below 100, none above.

    >>> [_amount(x) for x in (80.0, 12.44, 1234.5)]
    ['80', '12.4', '1,234']
    """
    return f"{total:,.0f}" if total >= 100 or total == int(total) else f"{total:,.1f}"
