"""Provider `phone`: what a phone number says by itself. Nobody is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from leadlight.enrich.countries import country_code
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.sound import clean_text

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

ABOUT = About(
    name="phone",
    title="What a phone number says by itself",
    needs=(frozenset({Clue.PHONE}),),
    gives=(
        "phone_valid", "phone_e164", "phone_country", "phone_region", "phone_type", "phone_carrier", "time_zone",
    ),
    clues=frozenset({Clue.PHONE}),
    network=False,
    licence="phonenumbers (Google's libphonenumber), Apache 2.0",
)  # fmt: skip

LONGEST = 100
"""The most characters in which a number is looked for."""
ZONES = 6
"""A number that may be in more time zones than this says nothing about the time of day."""
_BETWEEN = re.compile(r"[;,|/\n]|\s+(?:or|oder|ou|o|and)\s+", re.IGNORECASE)


class PhoneSettings(Settings):
    """Where numbers without a country code are from."""

    default_country: str | None = Field(None, description="country of numbers that name none, where the lead has none")
    language: str = Field("en", pattern="^[a-z]{2}$", description="language of regions' names")


class Phone:
    """Reads phone numbers.

    >>> phone = Phone(PhoneSettings())
    >>> {fact.attribute: fact.value for fact in phone.facts("(030) 23125 000", "DE")}["phone_e164"]
    '+493023125000'
    """

    about = ABOUT

    def __init__(self, settings: PhoneSettings, surroundings: Surroundings | None = None) -> None:
        del surroundings
        self.settings = settings

    def key(self, query: Query) -> str | None:
        """Return the number with all that it is read by: "GB 020 7946 0000"."""
        text = clean_text(query.get(Clue.PHONE) or "", LONGEST)
        if not any(c.isalnum() for c in text):
            return None
        return f"{self._country(query) or '-'} {text}"

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the number says; nobody is asked."""
        del network
        key = self.key(query)
        if key is None:
            return ()
        country, _, text = key.partition(" ")
        return self.facts(text, None if country == "-" else country)

    def _country(self, query: Query) -> str | None:
        return country_code(query.get(Clue.COUNTRY) or "") or country_code(self.settings.default_country or "")

    def facts(self, text: str, country: str | None = None) -> tuple[Fact, ...]:
        """Return what a number says that is dialled from a country (two letters).

        Nothing where the country is not known and the number names none: then nobody can say whether it is valid.
        """
        text = clean_text(text, LONGEST)
        number = _number(text, country)
        if number is None:
            whole = country is not None or _names_country(text)
            return (Fact("phone_valid", False, 0.9, "libphonenumber", text),) if whole else ()
        return _facts(number, text, self.settings.language)


def _names_country(text: str) -> bool:
    return text.lstrip(" (").startswith(("+", "00", "tel:+", "＋"))


def _number(text: str, country: str | None) -> PhoneNumber | None:
    """Return the first valid number in a text, as dialled from a country."""
    from phonenumbers import is_valid_number

    parts = [text, *_BETWEEN.split(text)[:4]]
    numbers = (number for part in parts for number in _readings(part, country))
    return next((number for number in numbers if is_valid_number(number)), None)


def _readings(part: str, country: str | None) -> list[PhoneNumber]:
    """Return the ways to read a number: as it stands, or with the 00 of most countries in place of a +."""
    from phonenumbers import NumberParseException, parse

    bare = part.strip()
    ways = [bare, "+" + bare[2:]] if bare.startswith("00") else [bare]
    found = []
    for way in ways:
        try:
            found.append(parse(way, country))
        except NumberParseException:
            continue
    return found


def _facts(number: PhoneNumber, text: str, language: str) -> tuple[Fact, ...]:
    import phonenumbers
    from phonenumbers import carrier, geocoder, timezone

    kind = phonenumbers.number_type(number)
    zones = [zone for zone in timezone.time_zones_for_number(number) if zone != timezone.UNKNOWN_TIMEZONE]
    country = phonenumbers.region_code_for_number(number)
    region = geocoder.description_for_number(number, language)
    known = {
        "phone_e164": (phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), 1.0),
        "phone_country": (country if country and country.isalpha() else "", 1.0),
        "phone_region": (region, 0.7),
        "phone_type": (_type(kind), 0.8 if kind == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE else 0.95),
        "phone_carrier": (carrier.name_for_number(number, language), 0.5),  # numbers move between carriers
        "time_zone": (", ".join(zones) if len(zones) <= ZONES else "", 0.8 / max(1, len(zones))),
    }
    facts = [Fact(name, value, sure, "libphonenumber", text) for name, (value, sure) in known.items() if value]
    return (Fact("phone_valid", True, 1.0, "libphonenumber", text), *facts)


def _type(kind: int) -> str:
    """Return the kind of line in lower case: mobile, fixed_line, toll_free …; nothing where it is not known."""
    from phonenumbers import PhoneNumberType

    name = PhoneNumberType.to_string(kind)
    return "" if name == "UNKNOWN" else name.lower()


PROVIDER = Offer(ABOUT, PhoneSettings, Phone)
