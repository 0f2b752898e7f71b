"""Cities and distances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.places import EARTH_KM, distance_km, gazetteer, point_of

POINT = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("name", "country", "region", "found"),
    [
        ("Berlin", None, None, ("Berlin", "DE")),
        ("münchen", "DE", None, ("Munich", "DE")),
        ("Köln", None, None, ("Köln", "DE")),
        ("Paris", None, None, ("Paris", "FR")),
        ("Paris", "US", None, ("Paris", "US")),
        ("London", "CA", None, ("London", "CA")),
        ("Москва", None, None, ("Moscow", "RU")),
        ("東京", None, None, ("Tokyo", "JP")),
    ],
)
def test_the_place_meant_is_where_most_people_live(name, country, region, found):
    place = gazetteer().find(name, country=country, region=region)
    assert place is not None
    assert (place.place.name, place.place.country) == found


def test_how_sure_a_place_is_says_how_many_share_its_name():
    sure, shared = gazetteer().find("Berlin", country="DE"), gazetteer().find("Springfield")
    near = gazetteer().find("Springfield", country="US", region="IL")
    assert sure is not None
    assert shared is not None
    assert near is not None
    assert shared.confidence < 0.4 < sure.confidence < near.confidence < 1
    assert near.place.region == "IL"


def test_nowhere():
    assert gazetteer().find("Nowhere-at-all") is None
    assert gazetteer().find("Berlin", country="JP") is None
    assert gazetteer().find("") is None


def test_points():
    assert point_of("Albany, USA") == pytest.approx((42.65, -73.76), abs=0.05)
    assert point_of("91, 0") is None
    assert point_of("nan, nan") is None
    assert point_of("") is None


@given(POINT, POINT)
def test_distances_are_those_on_a_globe(one, other):
    there, back = distance_km(one, other), distance_km(other, one)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= EARTH_KM * 3.14160
    assert distance_km(one, one) == 0
    assert distance_km((0, 0), (0, 180)) == pytest.approx(20015.1, abs=1)
