"""A geocoder like Nominatim, over HTTP."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.enrich.net.net import open_network
from leadlight.enrich.network import NetworkError, Reply, Why
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.geocoder import ABOUT, Geocoder, GeocoderSettings
from leadlight.enrich.sound import sound
from leadlight.errors import UsageError

# The shape that Nominatim's manual shows for format=jsonv2 and addressdetails=1 (a made-up house).
FOUND = {
    "place_id": 100149, "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
    "osm_type": "node", "osm_id": 107775,
    "lat": "52.5170365", "lon": "13.3888599", "category": "place", "type": "house",
    "place_rank": 30, "importance": 0.00000999, "addresstype": "place", "name": "",
    "display_name": "12, Unter den Linden, Mitte, Berlin, 10117, Germany",
    "address": {
        "house_number": "12", "road": "Unter den Linden", "suburb": "Mitte", "city": "Berlin",
        "ISO3166-2-lvl4": "DE-BE",
        "state": "Berlin", "postcode": "10117", "country": "Germany", "country_code": "de",
    },
    "boundingbox": ["52.5170", "52.5171", "13.3888", "13.3889"],
}  # fmt: skip
QUERY = Query({Clue.ADDRESS: "Unter den Linden 12", Clue.CITY: "Berlin", Clue.COUNTRY: "Germany"})


def ask(internet, provider, query=QUERY):
    async def run():
        async with open_network(internet.network(), None) as network:
            return await provider.ask(query, network)

    return asyncio.run(run())


def test_an_address_is_found(internet):
    seen = []
    internet.handle("geo.example", "/search", lambda request: seen.append(request.query) or [FOUND])
    facts = ask(internet, Geocoder(GeocoderSettings(url="https://geo.example/", near="48.137, 11.575")))
    assert {fact.attribute: fact.value for fact in facts} == {
        "latitude": 52.5170365, "longitude": 13.3888599, "distance_km": pytest.approx(503.6, abs=1), "city": "Berlin",
        "region": "Berlin", "postal_code": "10117", "country": "DE",
        "address_normal": "Unter den Linden 12, 10117 Berlin, DE",
    }  # fmt: skip
    assert sound(facts, ABOUT) == facts
    assert {fact.confidence for fact in facts} == {0.9}
    assert seen == [
        {"q": "Unter den Linden 12, Berlin, Germany", "format": "jsonv2", "addressdetails": "1", "limit": "1",
         "accept-language": "en"}
    ]  # fmt: skip


def test_the_key_is_sent_and_stands_nowhere_else(internet):
    seen = []
    internet.handle("keyed.example", "/v1/search", lambda request: seen.append(request.query["key"]) or [FOUND])
    settings = GeocoderSettings(url="https://keyed.example/v1", key="${GEO_KEY}")
    provider = Geocoder(settings, Surroundings(environ={"GEO_KEY": "s3cret"}))
    facts = ask(internet, provider)
    assert seen == ["s3cret"]
    assert "s3cret" not in repr(facts)
    assert "s3cret" not in (provider.key(QUERY) or "")
    with pytest.raises(UsageError, match="GEO_KEY"):
        Geocoder(settings, Surroundings(environ={}))


@pytest.mark.parametrize("answer", [[], {}, [{}], [{"lat": "x", "lon": "1"}], [{"lat": "91", "lon": "0"}], "no", 404])
def test_nothing_found(internet, answer):
    internet.handle("empty-geo.example", "/search", lambda _: answer)
    provider = Geocoder(GeocoderSettings(url="https://empty-geo.example"))
    if answer == "no":
        with pytest.raises(NetworkError) as failed:
            ask(internet, provider)
        assert failed.value.why is Why.BROKEN
    else:
        assert ask(internet, provider) == ()


def test_a_street_and_a_city_are_less_sure():
    async def first(answer):
        return await Geocoder(GeocoderSettings()).ask(QUERY, Canned(answer))  # type: ignore[arg-type]

    sure = [asyncio.run(first([{**FOUND, "place_rank": rank}]))[0].confidence for rank in (30, 26, 16, 4, "x")]
    assert sure == [0.9, 0.7, 0.5, 0.3, 0.3]


def test_what_is_asked():
    key = Geocoder(GeocoderSettings()).key
    assert key(Query({Clue.ADDRESS: "12 Main St, Albany", Clue.CITY: "Albany"})) == "12 Main St, Albany"
    assert key(Query({Clue.POSTAL_CODE: "12207"})) is None
    assert key(Query({Clue.COUNTRY: "US"})) is None
    assert key(Query({Clue.POSTAL_CODE: "12207", Clue.COUNTRY: "US"})) == "12207, US"


class Canned:
    """A network whose every page holds some JSON."""

    def __init__(self, answer):
        self.answer = answer

    async def get(self, url, **_):
        import json
        from datetime import datetime

        return Reply(
            url, 200, {"content-type": "application/json"}, json.dumps(self.answer).encode(), datetime(2026, 11, 28)
        )


NAMES = [*FOUND, *FOUND["address"], "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(-1e9, 1e9) | st.text(max_size=20) | st.just("52.5"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(JSON | st.lists(JSON.map(lambda value: {**FOUND, "address": value, "place_rank": value}), max_size=2))
def test_whatever_the_geocoder_says_the_answer_is_sound(answer):
    facts = asyncio.run(Geocoder(GeocoderSettings(near="1, 2")).ask(QUERY, Canned(answer)))  # type: ignore[arg-type]
    assert len(sound(facts, ABOUT)) == len(facts)
