from __future__ import annotations

import json

from leadlight.charts.gain import COIN, IDEAL, gain_curve
from leadlight.charts.render import to_svg
from leadlight.spec.words import Words

CURVES = {"learned": [(0.0, 0.0), (0.1, 0.4), (1.0, 1.0)], "today's": [(0.0, 0.0), (0.1, 0.2), (1.0, 1.0)]}


def points(name: str, base_rate: float = 0.2) -> list[tuple[float, float]]:
    values = gain_curve(CURVES, base_rate=base_rate, words=Words())["data"]["values"]
    return [(row["share"], row["gain"]) for row in values if row["order"] == name]


def test_each_order_beside_the_coin_and_the_ideal() -> None:
    spec = gain_curve(CURVES, base_rate=0.2, words=Words())
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert points("learned") == CURVES["learned"]
    assert points(COIN) == [(0.0, 0.0), (1.0, 1.0)]
    assert points(IDEAL) == [(0.0, 0.0), (0.2, 1.0), (1.0, 1.0)]


def test_it_can_be_drawn_with_each_name_once() -> None:
    drawn = to_svg(gain_curve(CURVES, base_rate=0.2, words=Words("ticket")))
    for name in (">learned<", ">today's<", ">coin<", ">ideal<", ">tickets called, best first<", ">wins found<"):
        assert drawn.count(name) == 1
    assert drawn.count('aria-roledescription="line mark"') == 4


def test_many_orders_and_none() -> None:
    many = {f"order {i}": [(0.0, 0.0), (1.0, 1.0)] for i in range(9)}
    assert to_svg(gain_curve(many, base_rate=0.0, words=Words())).count('aria-roledescription="line mark"') == 11
    assert to_svg(gain_curve({}, base_rate=1.0, words=Words())).startswith("<svg")
