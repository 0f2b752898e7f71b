"""A postal address in its parts, and where that is."""

from __future__ import annotations

import asyncio
import csv
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.providers.address import ABOUT, READ, Address, AddressSettings
from leadlight.enrich.sound import sound
from leadlight.errors import UsageError


@cache
def near_berlin() -> Address:
    """Made when it is asked for: a second, and much memory, of every process that collects tests."""
    return Address(AddressSettings(near="Berlin, Germany"))


def says(address: str = "", provider: Address | None = None, **clues: str) -> dict[str, object]:
    given_clues = {Clue(name): text for name, text in {"address": address, **clues}.items() if text}
    facts = asyncio.run((provider or near_berlin()).ask(Query(given_clues), None))  # type: ignore[arg-type]
    assert sound(facts, ABOUT) == facts
    return {fact.attribute: fact.value for fact in facts}


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("12 Main Street, Suite 4, Albany, New York 12207-1234", "12 Main St Ste 4, Albany, NY 12207-1234, US"),
        ("12 MAIN ST STE 4 ALBANY NY 12207", "12 Main St Ste 4, Albany, NY 12207, US"),
        ("750 Main Street, Hartford, Connecticut 6103", "750 Main St, Hartford, CT 06103, US"),
        ("6 Forge Road, Sevenoaks, Kent TN14 7QU", "6 Forge Road, Sevenoaks Kent TN14 7QU, GB"),
        ("1 Forge Road, Vadodara, Gujarat 390 019, India", "1 Forge Road, Vadodara Gujarat 390 019, IN"),
        ("PO Box 123, Austin TX 78701", "PO Box 123, Austin, TX 78701, US"),
        ("1600 Amphitheatre Pkwy\nMountain View, CA 94043\nUSA", "1600 Amphitheatre Pkwy, Mountain View, CA 94043, US"),
        ("Marienplatz 1, 80331 München, Deutschland", "Marienplatz 1, 80331 Munich, DE"),
        ("Marienplatz 1 80331 München", "Marienplatz 1, 80331 Munich, DE"),
        ("Marienplatz 1, D-80331 München", "Marienplatz 1, 80331 Munich, DE"),
        ("10 Downing Street, London SW1A 2AA", "10 Downing Street, London SW1A 2AA, GB"),
        ("10 Downing Street, London, SW1A 2AA, UK", "10 Downing Street, London SW1A 2AA, GB"),
        ("1 Rue X, 69009 Lyon Cedex 09, France", "1 Rue X, 69009 Lyon, FR"),
        ("290 Bremner Blvd, Toronto, ON M5V 3L9", "290 Bremner Blvd, Toronto ON M5V 3L9, CA"),
        ("1 Macquarie St, Sydney NSW 2000, Australia", "1 Macquarie St, Sydney NSW 2000, AU"),
        ("Keizersgracht 123, 1015 CJ Amsterdam", "Keizersgracht 123, 1015 CJ Amsterdam, NL"),
        ("Bahnhofstrasse 1, CH-8001 Zürich", "Bahnhofstrasse 1, 8001 Zürich, CH"),
        ("Av. Paulista 1578, São Paulo - SP, 01310-200, Brazil", "Av. Paulista 1578, São Paulo SP 01310-200, BR"),
        ("Via Roma 1, 20121 Milano MI, Italia", "Via Roma 1, 20121 Milan MI, IT"),
        ("Drottninggatan 5, 111 51 Stockholm, Sweden", "Drottninggatan 5, 111 51 Stockholm, SE"),
        ("ul. Marszałkowska 1, 00-001 Warszawa, Polska", "ul. Marszałkowska 1, 00-001 Warsaw, PL"),
        ("1-1 Marunouchi, Chiyoda-ku, Tokyo 100-0005, Japan", "1-1 Marunouchi, Chiyoda-ku, Tokyo 100-0005, JP"),
    ],
)
def test_normal_form(address, normal):
    assert says(address)["address_normal"] == normal


@pytest.mark.parametrize(
    ("address", "city", "region", "country"),
    [
        ("Paris, Texas", "Paris", "TX", "US"),
        ("Paris, France", "Paris", None, "FR"),
        ("Wilmington, DE", "Wilmington", "DE", "US"),
        ("Seattle WA", "Seattle", "WA", "US"),
        ("Inver Grove Heights, MN", "Inver Grove Heights", "MN", "US"),
        ("Pasadena, CA", "Pasadena", "CA", "US"),
        ("Toronto, CA", "Toronto", None, "CA"),
        ("Berlin, DE", "Berlin", None, "DE"),
        ("Atlanta, Georgia", "Atlanta", "GA", "US"),
        ("Tbilisi, Georgia", "Tbilisi", None, "GE"),
        ("Dublin 2, Ireland", "Dublin", None, "IE"),
        ("Berlin", "Berlin", None, "DE"),
        ("Germany", None, None, "DE"),
        ("nonsense here", None, None, None),
    ],
)
def test_places_without_a_street(address, city, region, country):
    found = says(address)
    assert (found.get("city"), found.get("region"), found.get("country")) == (city, region, country)
    assert "address_normal" not in found


def test_a_place_has_coordinates_people_a_time_zone_and_a_distance():
    found = says("Marienplatz 1, 80331 München")
    assert found["latitude"] == pytest.approx(48.14, abs=0.02)
    assert found["longitude"] == pytest.approx(11.58, abs=0.02)
    assert found["time_zone"] == "Europe/Berlin"
    assert found["distance_km"] == pytest.approx(505, abs=3)
    assert 1_000_000 < found["city_population"] < 2_000_000
    assert "distance_km" not in says("Marienplatz 1, 80331 München", Address(AddressSettings()))


def test_parts_that_stand_on_their_own_go_first():
    found = says("12 Main Street", city="Albany", postal_code="12207", country="United States")
    assert found["address_normal"] == "12 Main St, Albany, NY 12207, US"
    assert says(postal_code="k1a 0b1", country="Canada") == {"region": "ON", "postal_code": "K1A 0B1", "country": "CA"}
    assert says(city="Springfield", postal_code="62701", country="US")["latitude"] == pytest.approx(39.8, abs=0.1)
    assert says(country="Deutschland") == {"country": "DE"}


def test_the_usual_country_is_the_last_resort():
    provider = Address(AddressSettings(default_country="Austria"))
    assert says("Hauptplatz 1, 8010", provider)["country"] == "AT"
    assert says("Berlin", provider)["country"] == "DE"


def test_how_sure_a_city_is_when_many_have_its_name():
    facts = {fact.attribute: fact for fact in near_berlin().facts({Clue.CITY: "Springfield"})}
    assert facts["latitude"].confidence < 0.3
    assert facts["region"].confidence == facts["country"].confidence == facts["latitude"].confidence
    assert facts["city"].confidence == 1  # as given


def test_a_point_that_is_none_is_a_users_mistake():
    with pytest.raises(UsageError, match="Narnia"):
        Address(AddressSettings(near="Cair Paravel, Narnia"))


def test_keys():
    assert near_berlin().key(Query({Clue.CITY: " Albany ", Clue.COUNTRY: "US"})) == "city: Albany | country: US"
    assert near_berlin().key(Query({Clue.CITY: " - "})) is None
    assert near_berlin().key(Query({Clue.EMAIL: "a@b.com"})) is None


WORDS = st.lists(
    st.text(max_size=12)
    | st.sampled_from(
        ["Berlin", "CA", "10115", "SW1A 2AA", ",", "\n", "Str. 5", "NY", "12207", "D-", "Georgia", "-", "Paris", "SP"]
    ),
    max_size=8,
).map(" ".join)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(READ), WORDS | st.text(max_size=40)))
@example({Clue.ADDRESS: "0" * 5000})
@example({Clue.ADDRESS: "(" * 300, Clue.COUNTRY: "US"})
@example({Clue.ADDRESS: "\\d+[", Clue.COUNTRY: "Ireland"})
def test_whatever_is_written_there_the_answer_is_sound(clues):
    facts = asyncio.run(near_berlin().ask(Query(clues), None))  # type: ignore[arg-type]
    assert {fact.attribute for fact in sound(facts, ABOUT)} == {fact.attribute for fact in facts}


DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "enrich_companies" / "fortune1000_2022.csv"


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA.name} beside the repository")
@pytest.mark.parametrize("form", ["{city}, {state}", "{city} {state}", "1 Main Street, {city}, {state}"])
def test_cities_and_states_of_a_thousand_companies(form):
    with DATA.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::3]
    found = [(row["state"], says(form.format(**row), Address(AddressSettings()))) for row in rows]
    right = [(told.get("country"), told.get("region")) == ("US", state) for state, told in found]
    assert sum(right) / len(right) > 0.98
    assert sum("latitude" in told for _, told in found) / len(found) > 0.85  # cities of 15,000 people and more


@pytest.mark.parametrize("country", ["GB", "IE", "IN", "AZ", "BR", "GP", "SE", "MV", "IM"])
def test_codes_of_every_country_can_be_looked_for(country):
    assert says("Somewhere 1, 12345 6789 AB12 3CD Town", country=country)["country"] == country


def test_a_lead_costs_less_than_two_milliseconds():
    says("12 Main St, Albany, NY 12207")
    start = time.process_time()
    for n in range(100):
        near_berlin().facts({Clue.ADDRESS: f"{n} Main Street, Albany, NY 12207"})
        near_berlin().facts({Clue.ADDRESS: f"Marienplatz {n}, 80331 München"})
    assert time.process_time() - start < 200 * 0.002
