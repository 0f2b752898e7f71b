"""Provider `geocoder`: where an address is, by any geocoder that speaks as Nominatim does.

The answer is that of `/search` with `format=jsonv2` and `addressdetails=1`, as Nominatim's documentation has it; own
installations, LocationIQ, Geoapify's and others' compatible ones are named by `url`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import Field

from leadlight.enrich.answer import at, text_at
from leadlight.enrich.countries import country_code, folded
from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.places import distance_km, point_of
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.sound import clean_text
from leadlight.errors import UsageError

PUBLIC = "https://nominatim.openstreetmap.org"
READ = (Clue.ADDRESS, Clue.POSTAL_CODE, Clue.CITY, Clue.COUNTRY)
"""The clues that the question is put together from, in this order."""
RANKS = ((30, 0.9), (26, 0.7), (16, 0.5))
"""From which rank on (30: a house, 26: a street, 16: a city), and how sure the place of the address is then."""
CITIES = ("city", "town", "village", "municipality", "hamlet")
"""The names that OpenStreetMap has for where people live, the usual first."""

ABOUT = About(
    name="geocoder",
    title="Where an address is (a geocoder like Nominatim)",
    needs=(frozenset({Clue.ADDRESS}), frozenset({Clue.CITY}), frozenset({Clue.POSTAL_CODE, Clue.COUNTRY})),
    gives=(
        "address_normal", "city", "region", "postal_code", "country", "latitude", "longitude", "distance_km",
    ),
    clues=frozenset({Clue.CITY, Clue.POSTAL_CODE, Clue.COUNTRY}),
    personal=True,
    ttl=timedelta(days=365),
    licence="OpenStreetMap, ODbL 1.0, https://www.openstreetmap.org/copyright",
    per_second=1.0,
)  # fmt: skip


class GeocoderSettings(Settings):
    """Which geocoder is asked."""

    url: str = Field(
        PUBLIC,
        pattern="^https?://",
        description="address of the geocoder, before /search; the public one is for few questions",
    )
    key: str | None = Field(None, description="key, as ${VARIABLE}, where one is needed")
    key_parameter: str = Field("key", description="the name under which the key is sent")
    language: str = Field("en", description="languages of the answer, as in Accept-Language")
    near: str | None = Field(
        None, description='the point that distances are to: "LATITUDE, LONGITUDE" or "City, Country"'
    )


class Geocoder:
    """Asks a geocoder for an address."""

    about = ABOUT

    def __init__(self, settings: GeocoderSettings, surroundings: Surroundings | None = None) -> None:
        self.settings = settings
        self._key = (surroundings or Surroundings()).expand(settings.key or "")
        self._near = None if settings.near is None else point_of(settings.near)
        if settings.near is not None and self._near is None:
            near = clean_text(settings.near, 60)
            raise UsageError(f"near: {near!r} is no known place", fix='Write "LATITUDE, LONGITUDE".')

    def key(self, query: Query) -> str | None:
        """Return the question: the address on one line, with what it lacks of city, postal code and country."""
        known = {clue: clean_text(query.get(clue) or "", 200) for clue in READ}
        if not any(known[clue] for clue in READ[:3]) or (set(filter(known.get, READ)) == {Clue.POSTAL_CODE}):
            return None
        whole = folded(known[Clue.ADDRESS])
        parts = [text for clue, text in known.items() if text and (clue is Clue.ADDRESS or folded(text) not in whole)]
        return ", ".join(parts) or None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what the geocoder finds first. Raises NetworkError."""
        question = self.key(query)
        if question is None:
            return ()
        url = f"{self.settings.url.rstrip('/')}/search"
        params = {"q": question, "format": "jsonv2", "addressdetails": "1", "limit": "1"}
        params |= {"accept-language": self.settings.language}
        secrets = {self.settings.key_parameter: self._key} if self._key else None
        reply = await network.get(
            url, params=params, headers={"Accept": "application/json"}, secrets=secrets, ttl=ABOUT.ttl
        )
        if reply.status in (404, 410):  # some say so where nothing is found
            return ()
        if not reply.ok:
            raise NetworkError(Why.BROKEN, f"the geocoder answered with status {reply.status}")
        return _facts(at(reply.json(), 0), self._near, self.settings.url)


def _facts(found: Any, near: tuple[float, float] | None, origin: str) -> tuple[Fact, ...]:
    point = _point(found)
    if point is None:
        return ()
    rank = at(found, "place_rank")
    sure = next((sure for least, sure in RANKS if isinstance(rank, int) and rank >= least), 0.3)
    values: dict[str, float | str | None] = {"latitude": point[0], "longitude": point[1]}
    values |= {"distance_km": round(distance_km(point, near), 1)} if near else {}
    values |= _parts(at(found, "address"))
    evidence = text_at(found, "display_name") or ""
    return tuple(Fact(name, value, sure, origin, evidence) for name, value in values.items() if value not in (None, ""))


def _point(found: Any) -> tuple[float, float] | None:
    """Return latitude and longitude, which come as text."""
    try:
        north, east = float(at(found, "lat")), float(at(found, "lon"))
    except (TypeError, ValueError):
        return None
    return (north, east) if abs(north) <= 90 and abs(east) <= 180 else None


def _parts(address: Any) -> Mapping[str, str | None]:
    named = {
        name: text_at(address, name) or "" for name in ("house_number", "road", "state", "postcode", "country_code")
    }
    city = next((name for kind in CITIES if (name := text_at(address, kind))), "")
    country = country_code(named["country_code"]) or ""
    region = named["state"]
    return {
        "city": city, "region": region, "postal_code": named["postcode"], "country": country,
        "address_normal": _line(named, city, country) if named["road"] and city else "",
    }  # fmt: skip


def _line(named: Mapping[str, str], city: str, country: str) -> str:
    from leadlight.enrich.providers.address import Parts

    number_first = country in ("US", "GB", "CA", "AU", "NZ", "IE", "FR", "LU", "ZA", "IN", "SG", "HK", "MY", "PH")
    pair = (named["house_number"], named["road"]) if number_first else (named["road"], named["house_number"])
    street = " ".join(part for part in pair if part)
    return str(Parts(street, city, named["state"] if country == "US" else "", named["postcode"], country))


PROVIDER = Offer(ABOUT, GeocoderSettings, Geocoder)
