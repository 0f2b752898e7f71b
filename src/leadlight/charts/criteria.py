"""What each criterion gives across everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import DOWN, UP, chart


def criteria_bars(means: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Return the mean points of each criterion, in the order given; gains to the right, losses to the left.

    >>> criteria_bars([("Seniority", 4.5), ("Unsubscribed", -1.0)])["data"]["values"][1]
    {'name': 'Unsubscribed', 'points': -1.0}
    """
    values = [{"name": name, "points": points} for name, points in means]
    return chart(
        values,
        width=480,
        height={"step": 24},
        mark={"type": "bar", "cornerRadiusEnd": 2},
        encoding={
            "y": {"field": "name", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "points", "type": "quantitative", "title": "mean points"},
            "color": {"condition": {"test": "datum.points < 0", "value": DOWN}, "value": UP},
        },
    )
