from __future__ import annotations

import json

import pytest

from leadlight.charts.distribution import distribution
from leadlight.charts.render import to_svg

BINS = [[], [(0.0, 10.0, 3)], [(-10.0, -5.0, 1), (-5.0, 0.0, 0), (5.0, 10.0, 12_000)]]


@pytest.mark.parametrize("bins", BINS)
def test_a_bar_for_each_bin_of_plain_json(bins: list[tuple[float, float, int]]) -> None:
    spec = distribution(bins, entity="ticket")
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert [(row["low"], row["high"], row["count"]) for row in spec["data"]["values"]] == bins
    assert spec["encoding"]["y"]["title"] == "tickets"


@pytest.mark.parametrize("bins", BINS)
def test_it_can_be_drawn(bins: list[tuple[float, float, int]]) -> None:
    drawn = to_svg(distribution(bins, entity="ticket"))
    assert "tickets" in drawn
    assert drawn.count('aria-roledescription="bar"') == len(bins)


def test_counts_are_whole_numbers() -> None:
    drawn = to_svg(distribution([(0.0, 10.0, 4), (10.0, 20.0, 1)], entity="lead"))
    assert ">0.5<" not in drawn
    assert ">4<" in drawn
