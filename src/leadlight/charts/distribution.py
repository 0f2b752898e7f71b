"""How scores are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, chart
from leadlight.spec.entity import plural


def distribution(bins: Sequence[tuple[float, float, int]], *, entity: str) -> dict[str, Any]:
    """Return a histogram of scores from (low, high, count).

    >>> distribution([(0.0, 10.0, 3)], entity="lead")["data"]["values"]
    [{'low': 0.0, 'high': 10.0, 'count': 3}]
    """
    return chart(
        [{"low": low, "high": high, "count": count} for low, high, count in bins],
        width=640,
        height=220,
        mark={"type": "bar", "color": ACCENT, "binSpacing": 1},
        encoding={
            "x": {"field": "low", "type": "quantitative", "bin": {"binned": True}, "title": "score"},
            "x2": {"field": "high"},
            "y": {"field": "count", "type": "quantitative", "title": plural(entity), "axis": {"tickMinStep": 1}},
        },
    )
