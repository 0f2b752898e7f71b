"""How many leads hold each grade: bars for one axis, a matrix for two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.charts.style import ACCENT, SCALE, chart
from leadlight.spec.entity import plural


def grade_bars(counts: Mapping[str, int], *, entity: str) -> dict[str, Any]:
    """Return a bar for each grade, the best on top.

    >>> [row["grade"] for row in grade_bars({"A": 2, "B": 5}, entity="lead")["data"]["values"]]
    ['A', 'B']
    """
    y = {"field": "grade", "type": "nominal", "sort": list(counts), "title": None, "axis": {"labelFontSize": 14}}
    x = {"field": "count", "type": "quantitative", "title": plural(entity), "axis": {"tickMinStep": 1}}
    bars = {"mark": {"type": "bar", "color": ACCENT, "cornerRadiusEnd": 2}, "encoding": {"x": x, "y": y}}
    labels = {
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "#495057"},
        "encoding": {
            "x": {"field": "count", "type": "quantitative"},
            "y": y,
            "text": {"field": "count", "type": "quantitative", "format": ",d"},
        },
    }
    values = [{"grade": grade, "count": count} for grade, count in counts.items()]
    return chart(values, width=560, height={"step": 30}, layer=[bars, labels])


def grade_matrix(
    counts: Mapping[tuple[str, str], int], *, axes: tuple[str, str], levels: tuple[Sequence[str], Sequence[str]]
) -> dict[str, Any]:
    """Return a matrix of two axes (rows, columns), each cell with its grade and count; the best at the top left.

    >>> grade_matrix({("A", "1"): 4}, axes=("fit", "engagement"), levels=(["A"], ["1"]))["data"]["values"]
    [{'row': 'A', 'column': '1', 'grade': 'A1', 'count': 4, 'dark': True}]
    """
    most = max(counts.values(), default=0) or 1
    values = [
        {"row": row, "column": column, "grade": row + column, "count": counts.get((row, column), 0),
         "dark": counts.get((row, column), 0) > most * 0.45}
        for row in levels[0]
        for column in levels[1]
    ]  # fmt: skip
    place = {
        "x": {
            "field": "column", "type": "ordinal", "sort": list(levels[1]), "title": axes[1],
            "axis": {"orient": "top", "labelAngle": 0, "domain": False, "ticks": False, "labelFontSize": 14},
        },
        "y": {
            "field": "row", "type": "ordinal", "sort": list(levels[0]), "title": axes[0],
            "axis": {"domain": False, "ticks": False, "labelFontSize": 14},
        },
    }  # fmt: skip
    ink = {"condition": {"test": "datum.dark", "value": "white"}, "value": "#343a40"}
    cells = {
        "mark": {"type": "rect", "cornerRadius": 4, "stroke": "white", "strokeWidth": 3},
        "encoding": {
            **place,
            "color": {
                "field": "count",
                "type": "quantitative",
                "scale": {"range": SCALE, "zero": True},
                "legend": None,
            },
        },
    }
    count = {
        "mark": {"type": "text", "fontSize": 18, "dy": 8},
        "encoding": {**place, "text": {"field": "count", "format": ",d"}, "color": ink},
    }
    grade = {
        "mark": {"type": "text", "fontSize": 12, "dy": -12},
        "encoding": {**place, "text": {"field": "grade"}, "color": ink},
    }
    return chart(values, width=130 * len(levels[1]), height=76 * len(levels[0]), layer=[cells, count, grade])
