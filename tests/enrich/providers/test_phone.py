"""What a phone number says by itself."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadlight.enrich.provider import Clue, Query
from leadlight.enrich.providers.phone import ABOUT, Phone, PhoneSettings
from leadlight.enrich.sound import sound

PHONE = Phone(PhoneSettings())


def says(text: str, country: str | None = None, provider: Phone = PHONE) -> dict[str, object]:
    clues = {Clue.PHONE: text} | ({Clue.COUNTRY: country} if country else {})
    return {fact.attribute: fact.value for fact in asyncio.run(provider.ask(Query(clues), None))}  # type: ignore[arg-type]


def test_a_number_in_new_york():
    assert says("+1 (212) 736-5000") == {
        "phone_valid": True,
        "phone_e164": "+12127365000",
        "phone_country": "US",
        "phone_region": "New York, NY",
        "phone_type": "fixed_line_or_mobile",
        "time_zone": "America/New_York",
    }


def test_a_mobile_number_names_its_carrier_and_how_unsure_that_is():
    facts = {fact.attribute: fact for fact in PHONE.facts("+41 79 640 00 00")}
    assert facts["phone_type"].value == "mobile"
    assert facts["phone_carrier"].value == "Swisscom"
    assert facts["phone_carrier"].confidence < facts["phone_country"].confidence == 1


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("030 23125 000", "Deutschland", "+493023125000"),
        ("0044 20 7946 0958", None, "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "UK", "+442079460958"),
        ("tel:+33-1-40-20-50-50", None, "+33140205050"),
        ("01 40 20 50 50 / 01 40 20 51 51", "FR", "+33140205050"),
        ("n/a, +33 1 40 20 50 50", None, "+33140205050"),
        ("212-736-5000 x12", "USA", "+12127365000"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("＋４９ ３０ ２３１２５０００", None, "+493023125000"),
    ],
)
def test_numbers_as_people_write_them(text, country, e164):
    found = says(text, country)
    assert found["phone_valid"] is True
    assert found["phone_e164"] == e164


@pytest.mark.parametrize(
    ("text", "country"), [("+1 555", None), ("0000000000", "US"), ("12345", "DE"), ("+999 123456789", None)]
)
def test_numbers_that_are_none(text, country):
    assert says(text, country) == {"phone_valid": False}


def test_without_a_country_nobody_can_say():
    assert says("212 736 5000") == {}
    assert says("212 736 5000", provider=Phone(PhoneSettings(default_country="US")))["phone_e164"] == "+12127365000"
    assert says("030 23125000", "DE", Phone(PhoneSettings(default_country="US")))["phone_country"] == "DE"


def test_a_number_of_many_time_zones_names_none():
    found = says("+1 800 356 9377")
    assert found["phone_type"] == "toll_free"
    assert "time_zone" not in found


def test_keys():
    assert PHONE.key(Query({Clue.PHONE: " 030\n1 "})) == "- 030 1"
    assert PHONE.key(Query({Clue.PHONE: "030 1", Clue.COUNTRY: "Germany"})) == "DE 030 1"
    assert PHONE.key(Query({Clue.PHONE: " - "})) is None
    assert PHONE.key(Query({Clue.COUNTRY: "DE"})) is None


@given(st.text(max_size=60) | st.text(alphabet="+0123456789 ()-/.x;,", max_size=40), st.none() | st.text(max_size=10))
@example("+" * 100, "US")
@example("0" * 1000, "GB")
@example("+1 212 736 5000 ext. 99999999999", None)
def test_whatever_is_written_there_the_answer_is_sound(text, country):
    clues = {Clue.PHONE: text} | ({Clue.COUNTRY: country} if country else {})
    facts = asyncio.run(PHONE.ask(Query(clues), None))  # type: ignore[arg-type]
    assert {fact.attribute for fact in sound(facts, ABOUT)} == {fact.attribute for fact in facts}


def test_a_lead_costs_less_than_half_a_millisecond():
    PHONE.facts("+12127365000")
    start = time.process_time()
    for n in range(300):
        PHONE.facts(f"+1212736{5000 + n}")
    assert time.process_time() - start < 300 * 0.0005
