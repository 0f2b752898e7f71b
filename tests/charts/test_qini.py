from __future__ import annotations

from leadlight.charts.qini import RANDOM, qini_curve
from leadlight.charts.render import to_svg


def test_a_line_for_each_order_and_the_straight_one_of_a_random_order() -> None:
    spec = qini_curve({"uplift": [(0, 0), (0.3, 0.03), (1, 0.05)], "response": [(0, 0), (1, 0.05)]}, entity="customer")
    rows = spec["data"]["values"]
    assert {row["order"] for row in rows} == {"uplift", "response", RANDOM}
    assert [row["gained"] for row in rows if row["order"] == RANDOM] == [0.0, 5.0]
    assert "customers treated" in spec["encoding"]["x"]["title"]
    assert to_svg(spec).startswith("<svg")
